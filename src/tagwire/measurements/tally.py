"""Counts plain time tags by channel, as fast as the processor adds.

With few channels, each of them is compared with many tags in one instruction, while the tags are in the first-level
cache. With more channels there is a sum for each in memory. Neighbouring tags of one channel would wait for each
other's sum, so in a long row of tags they go to four sums in turn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import Int32Array, Int64Array
from tagwire.kernel import kernel

UInt64Array = NDArray[np.uint64]

FEW = 16
"""Channels up to which each one is compared."""

CHUNK = np.uint64(4096)
"""Tags that are compared at once."""

WORTHWHILE = 16
"""Tags per channel from which on adding up the four sums is less work than waiting."""


def places_of(index: ChannelIndex) -> UInt64Array:
    """Place of each channel number from ``index.first`` on; those of all other channels is the one after the last."""
    places = np.append(index.table, np.int16(-1)).astype(np.int64)
    return np.where(places < 0, len(index), places).astype(np.uint64)


def numbers_of(index: ChannelIndex) -> Int32Array:
    """The channel numbers to compare with; empty for more than `FEW`."""
    return np.array(index.channels if len(index) <= FEW else (), np.int32)


def sums_of(index: ChannelIndex) -> Int64Array:
    """Sums for all channels and the others, in the first row, and room for `tally` to work; all at zero."""
    return np.zeros((4, len(index) + 1), np.int64)


@kernel
def tally(
    channel: Int32Array,
    begin: np.uint64,
    end: np.uint64,
    places: UInt64Array,
    numbers: Int32Array,
    first: int,
    sums: Int64Array,
) -> None:
    """Add the tags ``begin <= i < end``, whatever their type, to the sums of their channels in ``sums[0]``."""
    if len(numbers) > 0:
        _tally_few(channel, begin, end, numbers, sums)
    else:
        _tally_sums(channel, begin, end, places, first, sums)


@kernel
def _tally_few(channel: Int32Array, begin: np.uint64, end: np.uint64, numbers: Int32Array, sums: Int64Array) -> None:
    while begin < end:
        stop = min(end, begin + CHUNK)
        for place in range(len(numbers)):
            sums[0, place] += _count_equal(channel[begin:stop], numbers[place])
        begin = stop


@kernel
def _count_equal(channel: Int32Array, number: np.int32) -> np.int32:
    """Tags of one channel; sum and tags have the same width, so that as many fit in a register."""
    count = np.int32(0)
    for i in range(np.uint64(len(channel))):
        count = np.int32(count + np.int32(channel[i] == number))
    return count


@kernel
def _tally_sums(
    channel: Int32Array, begin: np.uint64, end: np.uint64, places: UInt64Array, first: int, sums: Int64Array
) -> None:
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    others = np.uint64(len(places) - 1)
    i = begin
    if end - begin >= np.uint64(WORTHWHILE * sums.shape[1]):
        while i + four <= end:
            sums[0, places[min(np.uint64(channel[i] - first), others)]] += 1
            sums[1, places[min(np.uint64(channel[i + one] - first), others)]] += 1
            sums[2, places[min(np.uint64(channel[i + two] - first), others)]] += 1
            sums[3, places[min(np.uint64(channel[i + three] - first), others)]] += 1
            i += four
        for place in range(sums.shape[1]):
            sums[0, place] += sums[1, place] + sums[2, place] + sums[3, place]
        sums[1:] = 0
    while i < end:
        sums[0, places[min(np.uint64(channel[i] - first), others)]] += 1
        i += one
