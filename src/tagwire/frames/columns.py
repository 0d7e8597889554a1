"""Columns of tags as packed groups: times as differences above a base, channels as codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.frames.packing import ALL, GROUP, MOST_BASE, ONE, ZERO, Words, bit_length, pack, size_of, unpack
from tagwire.kernel import kernel

Times = NDArray[np.int64]
Channels = NDArray[np.int32]


@kernel
def survey(time: Times, bases: NDArray[np.uint32], widths: NDArray[np.uint8]) -> bool:
    """Fill in base and width of the differences of each group; False when the times are not in order."""
    disorder = False
    for g in range(len(widths)):
        low, high = (ZERO, ZERO) if g == 0 else (ALL, ZERO)
        for i in range(np.uint64(max(1, g * GROUP)), np.uint64(min(len(time), (g + 1) * GROUP))):
            step = np.uint64(time[i]) - np.uint64(time[i - ONE])
            disorder |= time[i] < time[i - ONE]
            low, high = min(low, step), max(high, step)
        base = min(low, MOST_BASE)
        bases[g] = base
        widths[g] = bit_length(high - base)
    return not disorder


@kernel
def packed_size(widths: NDArray[np.uint8], count: int) -> int:
    """Words that the groups of `count` numbers take."""
    words = 0
    for g in range(len(widths)):
        words += size_of(min(GROUP, count - g * GROUP), widths[g])
    return words


@kernel
def pack_times(time: Times, bases: NDArray[np.uint32], widths: NDArray[np.uint8], out: Words, place: int) -> None:
    """Write the differences from ``out[place]`` on; `out` holds zeros there, eight words more than needed."""
    values = np.zeros(GROUP, np.uint64)
    last = np.uint64(time[0]) if len(time) else ZERO
    for g in range(len(widths)):
        begin, base = g * GROUP, np.uint64(bases[g])
        count = min(GROUP, len(time) - begin)
        values[count:] = ZERO
        first = np.uint64(begin)
        values[0] = np.uint64(time[begin]) - last - base
        for i in range(ONE, np.uint64(count)):
            values[i] = np.uint64(time[first + i]) - np.uint64(time[first + i - ONE]) - base
        last = np.uint64(time[begin + count - 1])
        pack(values, count, widths[g], out, place)
        place += size_of(count, widths[g])


@kernel
def unpack_times(
    words: Words, place: int, first: int, bases: NDArray[np.uint32], widths: NDArray[np.uint8], time: Times
) -> bool:
    """Fill `time` with what `pack_times` wrote; False when it is not in order."""
    values = np.empty(GROUP, np.uint64)
    now = np.uint64(first)
    disorder = False
    before = np.int64(first)
    for g in range(len(widths)):
        begin, base = np.uint64(g * GROUP), np.uint64(bases[g])
        count = min(GROUP, len(time) - g * GROUP)
        unpack(words, place, count, widths[g], values)
        for i in range(np.uint64(count)):
            now += base + values[i]
            t = np.int64(now)
            disorder |= bool(t < before)
            before = t
            time[begin + i] = t
        place += size_of(count, widths[g])
    return not disorder


@kernel
def pack_codes(codes: NDArray[np.uint32], width: int, out: Words, place: int) -> None:
    """Write `codes` from ``out[place]`` on; `out` holds zeros there, eight words more than needed."""
    values = np.zeros(GROUP, np.uint64)
    for begin in range(0, len(codes), GROUP):
        count = min(GROUP, len(codes) - begin)
        values[count:] = ZERO
        first = np.uint64(begin)
        for i in range(np.uint64(count)):
            values[i] = codes[first + i]
        pack(values, count, width, out, place)
        place += size_of(count, width)


@kernel
def unpack_codes(
    words: Words, place: int, width: int, names: NDArray[np.int32], channel: NDArray[np.int32]
) -> np.uint64:
    """Fill `channel` with the names of the codes that `pack_codes` wrote; gives the largest code.

    `names` has a place for every number of `width` bits.
    """
    values = np.empty(GROUP, np.uint64)
    largest = ZERO
    for begin in range(0, len(channel), GROUP):
        count = min(GROUP, len(channel) - begin)
        unpack(words, place, count, width, values)
        first = np.uint64(begin)
        for i in range(np.uint64(count)):
            largest = max(largest, values[i])
            channel[first + i] = names[values[i]]
        place += size_of(count, width)
    return largest
