"""Counts tags bin by bin into a ring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TagType
from tagwire.kernel import kernel
from tagwire.measurements.tally import tally

TIME_TAG = int(TagType.TimeTag)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
OVERFLOW_END = int(TagType.OverflowEnd)
MISSED_EVENTS = int(TagType.MissedEvents)
UINT32_MAX = 2**32 - 1

BEGIN, HEAD, KEPT, DROPPED, LOSING, MARKED = range(6)
"""Places in the state: begin of the running bin in ps (two's complement), slot of the ring that is written next, filled
slots, overwritten bins, whether an overflow goes on, and whether the running bin saw one."""


@kernel
def count(
    time: NDArray[np.uint64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    end: np.uint64,
    places: NDArray[np.uint64],
    numbers: NDArray[np.int32],
    first: int,
    width: np.uint64,
    sums: NDArray[np.int64],
    ring: NDArray[np.int64],
    begins: NDArray[np.int64],
    mask: NDArray[np.int8],
    totals: NDArray[np.int64],
    state: NDArray[np.uint64],
) -> None:
    """Count the tags of a block bin by bin, and complete every bin that ends within it.

    Times are subtracted as uint64, which is right over the whole range of int64.
    """
    size = np.uint64(len(time))
    i = np.uint64(0)
    while i < size:
        begin, i = i, _bin_end(time, i, state[BEGIN], width)
        if len(kind) == 0:
            tally(channel, begin, i, places, numbers, first, sums)
        else:
            _count_kinds(channel, kind, missed, begin, i, places, first, sums, state)
        if i < size:
            _complete(time[i], width, sums, ring, begins, mask, totals, state)
    if end - state[BEGIN] >= width:
        _complete(end, width, sums, ring, begins, mask, totals, state)


@kernel
def _bin_end(time: NDArray[np.uint64], low: np.uint64, begin: np.uint64, width: np.uint64) -> np.uint64:
    """Place of the first tag from `low` on that does not lie in the bin; looks ahead in growing steps."""
    one, step = np.uint64(1), np.uint64(1)
    high = np.uint64(len(time))
    while low + step <= high and time[low + step - one] - begin < width:
        low += step
        step += step
    high = min(high, low + step)
    while low < high:
        middle = (low + high) >> one
        if time[middle] - begin < width:
            low = middle + one
        else:
            high = middle
    return low


@kernel
def _count_kinds(
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    begin: np.uint64,
    end: np.uint64,
    places: NDArray[np.uint64],
    first: int,
    sums: NDArray[np.int64],
    state: NDArray[np.uint64],
) -> None:
    """Count the tags ``begin <= i < end`` of a bin by their types, and mark the bin for overflows."""
    others = np.uint64(len(places) - 1)
    for i in range(begin, end):
        place = places[min(np.uint64(channel[i] - first), others)]
        if kind[i] == TIME_TAG:
            sums[0, place] += 1
        elif kind[i] == MISSED_EVENTS:
            state[MARKED] = 1
            sums[0, place] += missed[i]
        elif kind[i] in (OVERFLOW_BEGIN, OVERFLOW_END):
            state[MARKED] = 1
            state[LOSING] = 1 if kind[i] == OVERFLOW_BEGIN else 0


@kernel
def _complete(
    now: np.uint64,
    width: np.uint64,
    sums: NDArray[np.int64],
    ring: NDArray[np.int64],
    begins: NDArray[np.int64],
    mask: NDArray[np.int8],
    totals: NDArray[np.int64],
    state: NDArray[np.uint64],
) -> None:
    """Complete the running bin and the empty ones after it that end up to `now`; only those that stay are written."""
    one, size = np.uint64(1), np.uint64(len(mask))
    elapsed = now - state[BEGIN]
    bins = one if elapsed - width < width else elapsed // width  # a division costs as much as counting ten tags
    written = min(bins, size)
    slot = state[HEAD] if bins == written else (state[HEAD] + bins - written) % size
    for j in range(bins - written, bins):
        for place in range(np.uint64(len(totals))):
            ring[place, slot] = sums[0, place] if j == 0 else 0
        begins[slot] = np.int64(state[BEGIN] + j * width)
        mask[slot] = state[MARKED] if j == 0 else state[LOSING]
        slot = slot + one if slot + one < size else np.uint64(0)
    for place in range(np.uint64(len(totals))):
        totals[place] += sums[0, place]
        sums[0, place] = 0
    state[HEAD] = slot
    overwritten = bins - min(bins, size - state[KEPT])
    state[DROPPED] = min(np.uint64(UINT32_MAX), state[DROPPED] + min(np.uint64(UINT32_MAX), overwritten))
    state[KEPT] = min(size, state[KEPT] + written)
    state[BEGIN] += bins * width
    state[MARKED] = state[LOSING]
