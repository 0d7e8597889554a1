"""Counts plain time tags by channel, as fast as the processor adds.

Up to eight channels share one number, in which each has a byte; it stays in a register for as many tags as a byte
holds. With more channels there is a sum for each in memory. Neighbouring tags of one channel would wait for each
other's sum, so in a long row of tags they go to four sums in turn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import Int32Array, Int64Array
from tagwire.kernel import kernel

UInt64Array = NDArray[np.uint64]

BYTES, BYTE, BYTE_MAX = np.uint64(8), np.uint64(8), np.uint64(255)
"""Bytes in a number, bits in a byte, and the most that a byte counts."""

WORTHWHILE = 16
"""Tags per channel from which on adding up the four sums is less work than waiting."""


def places_of(index: ChannelIndex) -> UInt64Array:
    """Place of each channel number from ``index.first`` on; those of all other channels is the one after the last."""
    places = np.append(index.table, np.int16(-1)).astype(np.int64)
    return np.where(places < 0, len(index), places).astype(np.uint64)


def units_of(index: ChannelIndex) -> UInt64Array:
    """For each of `places_of` one in the byte of its channel, zero for other channels; empty for more than eight."""
    if len(index) > int(BYTES):
        return np.empty(0, np.uint64)
    units = [1 << (int(BYTE) * place) for place in range(len(index))]
    return np.array([*units, 0], np.uint64)[places_of(index)]


def sums_of(index: ChannelIndex) -> Int64Array:
    """Sums for all channels and the others, in the first row, and room for `tally` to work; all at zero."""
    return np.zeros((4, len(index) + 1), np.int64)


@kernel
def tally(
    channel: Int32Array,
    begin: np.uint64,
    end: np.uint64,
    places: UInt64Array,
    units: UInt64Array,
    first: int,
    sums: Int64Array,
) -> None:
    """Add the tags ``begin <= i < end``, whatever their type, to the sums of their channels in ``sums[0]``."""
    if len(units) > 0:
        _tally_bytes(channel, begin, end, units, first, sums)
    else:
        _tally_sums(channel, begin, end, places, first, sums)


@kernel
def _tally_bytes(
    channel: Int32Array, begin: np.uint64, end: np.uint64, units: UInt64Array, first: int, sums: Int64Array
) -> None:
    others = np.uint64(len(units) - 1)
    while begin < end:
        stop = min(end, begin + BYTE_MAX)
        counts = np.uint64(0)
        for i in range(begin, stop):
            counts += units[min(np.uint64(channel[i] - first), others)]
        for place in range(np.uint64(sums.shape[1] - 1)):
            sums[0, place] += np.int64((counts >> (BYTE * place)) & BYTE_MAX)
        begin = stop


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
