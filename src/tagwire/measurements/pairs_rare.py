"""Pairs where tags of one channel are rare: each of them looks at its surroundings in the stream itself.

Nothing is done for the tags of the other, dense channel (a laser's pulses, say) that have no partner. It pays while the
windows around the rare tags cover less than the whole time; `pairs` decides that for every stretch of the stream, and
what is kept from one to the next is the same either way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import Int32Array, Int64Array, UInt8Array
from tagwire.kernel import kernel
from tagwire.measurements.marks import find_marked

UInt64Array = NDArray[np.uint64]

FIRST, SECOND = np.uint8(1), np.uint8(2)
"""Marks of the tags on two channels, one byte a tag."""


@kernel
def mark(channel: Int32Array, first: np.int32, second: np.int32, marks: UInt8Array) -> tuple[int, int]:
    """Mark the tags on two channels, and count them."""
    n_first = n_second = 0
    for i in range(len(channel)):
        is_first, is_second = channel[i] == first, channel[i] == second
        marks[i] = is_first * FIRST | is_second * SECOND
        n_first += is_first
        n_second += is_second
    return n_first, n_second


@kernel
def divided(x: np.uint64, width: np.uint64, multiplier: np.uint64, shift: np.uint64) -> np.uint64:
    """``x // width``, by multiplication where `multiplier` is not 0."""
    return np.uint64((x * multiplier) >> shift if multiplier else x // width)


@kernel
def pair_rare(
    time: UInt64Array,
    channel: Int32Array,
    rare: np.int32,
    dense: np.int32,
    rare_mark: np.uint8,
    past: np.uint64,
    future: np.uint64,
    sign: np.uint64,
    rare_kept: UInt64Array,
    n_rare: np.uint64,
    dense_kept: UInt64Array,
    n_dense: np.uint64,
    marks: UInt8Array,
    work: UInt64Array,
    grid: UInt64Array,
    counts: Int64Array,
) -> tuple[np.uint64, np.uint64]:
    """Count the pairs that the tags complete; keep those that can still find a partner, and give the new sizes.

    Parameters
    ----------
    time, channel
        Tags of a stretch, at least one; longer than four times `past` and `future` together.
    rare_mark, marks
        The mark of rare tags, and those of all tags.
    past, future
        How far before and after a rare tag its partners lie: less than that many ps.
    sign
        1 or -1 modulo 2**64: `tau` is that times the time of the rare tag less that of its partner.
    rare_kept, n_rare, dense_kept, n_dense
        Earlier tags of the two channels; the kept ones are appended.
    work
        Room for four times as many numbers as there are rare tags, and some.
    """
    one, size = np.uint64(1), np.uint64(len(time))
    kept = n_rare - one
    while time[0] - rare_kept[kept] < future:
        _look_ahead(time, channel, dense, rare_kept[kept], np.uint64(0), future, sign, grid, counts)
        kept -= one
    # Rare tags within reach of an end of the stretch look there with care; the others find its end out of reach.
    first, last = np.uint64(0), find_marked(marks, rare_mark, work[0])
    while first < last and time[work[0, first]] - time[0] < past:
        place = work[0, first]
        _look_back(time, channel, dense, place, past, sign, dense_kept, n_dense, grid, counts)
        _look_ahead(time, channel, dense, time[place], place + one, future, sign, grid, counts)
        first += one
    while first < last and time[size - one] - time[work[0, last - one]] < future:
        last -= one
        place = work[0, last]
        _look_back(time, channel, dense, place, past, sign, dense_kept, n_dense, grid, counts)
        _look_ahead(time, channel, dense, time[place], place + one, future, sign, grid, counts)
    _look_round(time, channel, dense, first, last, past, future, sign, work, grid, counts)
    n_rare = _keep(time, channel, rare, future, rare_kept, n_rare)
    n_dense = _keep(time, channel, dense, past, dense_kept, n_dense)
    return n_rare, n_dense


@kernel
def _look_round(
    time: UInt64Array,
    channel: Int32Array,
    dense: np.int32,
    first: np.uint64,
    last: np.uint64,
    past: np.uint64,
    future: np.uint64,
    sign: np.uint64,
    work: UInt64Array,
    grid: UInt64Array,
    counts: Int64Array,
) -> None:
    """Count all pairs of the rare tags at the places ``work[0, first:last]``, without a branch per tag."""
    one = np.uint64(1)
    before = after = np.uint64(0)
    for n in range(first, last):
        # On its own, since the processor waits for many far reads at once only in a short loop.
        work[1, n] = time[work[0, n] - one]
        work[3, n] = time[work[0, n] + one]
    for n in range(first, last):
        place, earlier, later = work[0, n], work[1, n], work[3, n]
        t = time[place]
        work[0, before] = place - one
        work[1, before] = t
        before += np.uint64(t - earlier < past)
        work[2, after] = place + one
        work[3, after] = t
        after += np.uint64(later - t < future)
    _walk(time, channel, dense, work[0], work[1], before, ~np.uint64(0), past, sign, grid, counts)
    _walk(time, channel, dense, work[2], work[3], after, one, future, sign, grid, counts)


@kernel
def _walk(
    time: UInt64Array,
    channel: Int32Array,
    dense: np.int32,
    places: UInt64Array,
    times: UInt64Array,
    size: np.uint64,
    step: np.uint64,
    reach: np.uint64,
    sign: np.uint64,
    grid: UInt64Array,
    counts: Int64Array,
) -> None:
    """Count the pairs of rare tags at `times` with dense ones from `places` on, in steps of 1 or -1 modulo 2**64."""
    while size > np.uint64(0):
        left = np.uint64(0)
        for n in range(size):
            t, place = times[n], places[n]
            partner = np.uint64(channel[place] == dense)
            counts[partner * _bin(sign * (t - time[place]), grid)] += np.int64(partner)
            place += step
            times[left] = t
            places[left] = place
            left += np.uint64(step * (time[place] - t) < reach)
        size = left


@kernel
def _look_back(
    time: UInt64Array,
    channel: Int32Array,
    dense: np.int32,
    place: np.uint64,
    past: np.uint64,
    sign: np.uint64,
    kept: UInt64Array,
    n_kept: np.uint64,
    grid: UInt64Array,
    counts: Int64Array,
) -> None:
    """Count the pairs of the rare tag at `place` with dense ones before it, down to those kept."""
    one, t = np.uint64(1), time[place]
    while place > np.uint64(0) and t - time[place - one] < past:
        place -= one
        if channel[place] == dense:
            counts[_bin(sign * (t - time[place]), grid)] += 1
    n_kept -= one
    while place == np.uint64(0) and t - kept[n_kept] < past:
        counts[_bin(sign * (t - kept[n_kept]), grid)] += 1
        n_kept -= one


@kernel
def _look_ahead(
    time: UInt64Array,
    channel: Int32Array,
    dense: np.int32,
    t: np.uint64,
    place: np.uint64,
    future: np.uint64,
    sign: np.uint64,
    grid: UInt64Array,
    counts: Int64Array,
) -> None:
    """Count the pairs of a rare tag at `t` with dense ones from `place` on."""
    while place < np.uint64(len(time)) and time[place] - t < future:
        if channel[place] == dense:
            counts[_bin(sign * (t - time[place]), grid)] += 1
        place += np.uint64(1)


@kernel
def _bin(tau: np.uint64, grid: UInt64Array) -> np.uint64:
    return divided(grid[1] + tau, grid[2], grid[3], grid[4])


@kernel
def _keep(
    time: UInt64Array, channel: Int32Array, wanted: np.int32, reach: np.uint64, kept: UInt64Array, size: np.uint64
) -> np.uint64:
    """Append the tags of a channel that lie less than `reach` before the last tag; gives the new size."""
    one, end = np.uint64(1), np.uint64(len(time))
    first, now = end, time[end - one]
    while first > np.uint64(0) and now - time[first - one] < reach:
        first -= one
    for i in range(first, end):
        kept[size] = time[i]
        size += np.uint64(channel[i] == wanted)
    return size
