"""Series of times as packed groups of differences above a base.

Several series lie one after the other: `counts` says how many times each has, and each begins a group of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.frames.packing import (
    ALL,
    BITS,
    GROUP,
    LANES,
    MOST_BASE,
    ONE,
    THREE,
    TWO,
    ZERO,
    Words,
    bit_length,
    pack,
    size_of,
    unpack,
)
from tagwire.kernel import kernel, lane_kernel

Times = NDArray[np.int64]
Counts = NDArray[np.int64]
Bases = NDArray[np.uint32]
Widths = NDArray[np.uint8]

NARROW = 54
"""Width in bits of differences of which a whole group cannot add up to 2^63."""


@kernel
def groups(counts: Counts) -> int:
    """Groups of all series."""
    number = 0
    for count in counts:
        number += (count + GROUP - 1) // GROUP
    return number


@kernel
def survey(time: Times, counts: Counts, bases: Bases, widths: Widths) -> bool:
    """Fill in base and width of the differences of each group; False when the times of a series are not in order."""
    ordered, at, g = True, 0, 0
    for count in counts:
        end, last = g + (count + GROUP - 1) // GROUP, at + count
        ordered &= _survey(time[at:last], bases[g:end], widths[g:end])
        at, g = last, end
    return ordered


@kernel
def _survey(time: Times, bases: Bases, widths: Widths) -> bool:
    disorder = False
    for g in range(len(widths)):
        low, high = (ZERO if len(time) == 1 else ALL), ZERO
        for i in range(np.uint64(max(1, g * GROUP)), np.uint64(min(len(time), (g + 1) * GROUP))):
            step = np.uint64(time[i]) - np.uint64(time[i - ONE])
            disorder |= time[i] < time[i - ONE]
            low, high = min(low, step), max(high, step)
        base = min(low, MOST_BASE)
        bases[g] = base
        widths[g] = bit_length(high - base)
    return not disorder


@kernel
def packed_size(widths: Widths, counts: Counts) -> int:
    """Words that all groups take; -1 where a width is none."""
    words, g = 0, 0
    for count in counts:
        for first in range(0, count, GROUP):
            if widths[g] > BITS:
                return -1
            words += size_of(min(GROUP, count - first), widths[g])
            g += 1
    return words


@lane_kernel
def pack_times(time: Times, counts: Counts, bases: Bases, widths: Widths, out: Words) -> None:
    """Write the differences from ``out[0]`` on."""
    values = np.zeros(GROUP, np.uint64)
    at, g, place = 0, 0, 0
    for total in counts:
        # As if a time before the first one were at a distance that leaves nothing above the base.
        last = np.uint64(time[at]) - np.uint64(bases[g])
        for first in range(at, at + total, GROUP):
            count = min(GROUP, at + total - first)
            _subtract(time[first : first + count], last, np.uint64(bases[g]), values)
            pack(values, count, widths[g], out, place)
            last = np.uint64(time[first + count - 1])
            place += size_of(count, widths[g])
            g += 1
        at += total


@lane_kernel
def unpack_times(
    words: Words, firsts: Times, limit: np.uint64, counts: Counts, bases: Bases, widths: Widths, time: Times
) -> bool:
    """Fill `time` with what `pack_times` wrote.

    Returns
    -------
    bool
        False when a series is not in order, or does not end before `limit`.
    """
    values = np.empty(GROUP, np.uint64)
    well, at, g, place = True, 0, 0, 0
    for k in range(len(counts)):
        start, before = np.uint64(firsts[k]), ZERO
        most, now = limit - start, ZERO - np.uint64(bases[g])
        for first in range(at, at + counts[k], GROUP):
            part = time[first : min(first + GROUP, at + counts[k])]
            unpack(words, place, len(part), widths[g], values)
            now = _add_up(values, np.uint64(bases[g]), now, start, part)
            # A sum of less than 2^63 that wraps is seen by its end; that of wider numbers may wrap more than once.
            narrow = widths[g] <= NARROW
            well &= bool(before <= now < most and (narrow or _ordered(time[max(at, first - 1) : first + len(part)])))
            before = now
            place += size_of(len(part), widths[g])
            g += 1
        well &= bool(time[at] == firsts[k])  # else the first number of wide ones could lead back behind the first time
        at += counts[k]
    return well


@kernel
def _subtract(time: Times, last: np.uint64, base: np.uint64, values: Words) -> None:
    """Differences of the times of a group above its base, and zeros behind them; `last` is the time before it."""
    values[len(time) :] = ZERO
    values[0] = np.uint64(time[0]) - last - base
    for i in range(ONE, np.uint64(len(time))):
        values[i] = np.uint64(time[i]) - np.uint64(time[i - ONE]) - base


@lane_kernel
def _add_up(values: Words, base: np.uint64, now: np.uint64, first: np.uint64, time: Times) -> np.uint64:
    """Fill in the times of a group, whose sum begins with `now`; gives the sum."""
    at = ZERO
    for _ in range(len(time) // 4):
        # Sums within the row do not wait for those before it.
        a, b = values[at] + base, values[at + ONE] + base
        c, d = values[at + TWO] + base, values[at + THREE] + base
        b, d = a + b, c + d
        c, d = b + c, b + d
        start = first + now
        time[at], time[at + ONE] = np.int64(start + a), np.int64(start + b)
        time[at + TWO], time[at + THREE] = np.int64(start + c), np.int64(start + d)
        now += d
        at += LANES
    for i in range(at, np.uint64(len(time))):
        now += values[i] + base
        time[i] = np.int64(first + now)
    return now


@kernel
def _ordered(time: Times) -> bool:
    ordered = True
    for i in range(ONE, np.uint64(len(time))):
        ordered &= time[i] >= time[i - ONE]
    return ordered
