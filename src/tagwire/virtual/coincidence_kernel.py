"""The search for coincidences.

Channels have places 0 to 63, so a set of channels is the bits of one number, and a group is complete when none of its
bits is missing. There are two ways to find out who fired within the window of a tag, with the same result: the latest
times of all channels are compared; or, where tags are mostly further apart than the window, only those with a close
neighbour look back at the tags before them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import Int32Array, Int64Array, TagType, UInt8Array
from tagwire.kernel import kernel
from tagwire.measurements.marks import find_marked_values

UInt64Array = NDArray[np.uint64]

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
LAST = int(CoincidenceTimestamp.Last)
AVERAGE = int(CoincidenceTimestamp.Average)
LISTED_FIRST = int(CoincidenceTimestamp.ListedFirst)

CHUNK = 4096
"""Tags that are marked at once; the marks stay in the first-level cache."""

CLOSE = np.uint8(1)
"""Mark of a tag with another one within the window before it."""


@kernel
def find_among_many(
    time: UInt64Array,
    channel: Int32Array,
    kind: UInt8Array,
    table: NDArray[np.int16],
    first: int,
    home_begins: Int64Array,
    homes: Int64Array,
    member_begins: Int64Array,
    members: Int64Array,
    sets: UInt64Array,
    window: np.uint64,
    timestamp: int,
    latest: UInt64Array,
    seen: UInt64Array,
) -> Int64Array:
    """Times (row 0) and groups (row 1) of the coincidences, in order of the tags that complete them.

    Parameters
    ----------
    time
        Times as uint64, so that differences are right over the whole range of int64.
    home_begins, homes
        ``homes[home_begins[k]:home_begins[k + 1]]`` are the groups of the channel at place ``k``.
    member_begins, members
        Likewise the places of the channels of each group.
    sets
        For each of `homes` the set of its channels.
    latest, seen
        Latest time of each channel, and the set of channels that have one; carried from block to block.
    """
    found, complete = np.empty((2, 64), np.int64), np.empty(len(homes) + 1, np.int64)
    count = 0
    plain = len(kind) == 0
    for i in range(len(time)):
        if not (plain or kind[i] == TIME_TAG):
            if kind[i] == OVERFLOW_BEGIN or kind[i] == ERROR:
                seen[0] = 0
            continue
        place = _place(channel[i], table, first)
        if place < 0:
            continue
        latest[place] = time[i]
        seen[0] |= _bit(place)
        near = np.uint64(0)
        for k in range(len(latest)):
            near |= np.uint64(time[i] - latest[k] <= window) << np.uint64(k)
        near &= seen[0]
        n_complete = _complete(home_begins[place], home_begins[place + 1], homes, sets, near, complete)
        if count + n_complete > found.shape[1]:
            found = _grown(found, count + n_complete)
        for c in range(n_complete):
            found[0, count] = _stamp(members, member_begins, complete[c], latest, time[i], timestamp)
            found[1, count] = complete[c]
            count += 1
    return found[:, :count]


@kernel
def find_among_few(
    time: UInt64Array,
    channel: Int32Array,
    table: NDArray[np.int16],
    first: int,
    home_begins: Int64Array,
    homes: Int64Array,
    member_begins: Int64Array,
    members: Int64Array,
    sets: UInt64Array,
    window: np.uint64,
    timestamp: int,
    latest: UInt64Array,
    seen: UInt64Array,
) -> Int64Array:
    """The same for at least one tag, time tags only, and groups of at least two channels."""
    found, complete = np.empty((2, 64), np.int64), np.empty(len(homes) + 1, np.int64)
    count = 0
    near_times = np.empty_like(latest)
    marks, places, channels = np.empty(CHUNK, np.uint8), np.empty(CHUNK, np.uint64), np.empty(CHUNK, np.int32)
    for begin in range(0, len(time), CHUNK):
        part = marks[: min(CHUNK, len(time) - begin)]
        _mark_close(time, begin, window, part)
        for n in range(find_marked_values(part, CLOSE, channel[begin:], places, channels)):
            place = _place(channels[n], table, first)
            if place < 0:
                continue
            i = np.uint64(begin) + places[n]
            near_times[place] = time[i]
            near = _look_back(time, channel, table, first, i, place, window, latest, seen, near_times)
            n_complete = _complete(home_begins[place], home_begins[place + 1], homes, sets, near, complete)
            if count + n_complete > found.shape[1]:
                found = _grown(found, count + n_complete)
            for c in range(n_complete):
                found[0, count] = _stamp(members, member_begins, complete[c], near_times, time[i], timestamp)
                found[1, count] = complete[c]
                count += 1
    _note_latest(time, channel, table, first, window, latest, seen)
    return found[:, :count]


@kernel
def _mark_close(time: UInt64Array, begin: int, window: np.uint64, marks: UInt8Array) -> None:
    """Mark tags from `begin` on that another one precedes within the window, or may have in an earlier block."""
    marks[0] = CLOSE if begin == 0 or time[begin] - time[begin - 1] <= window else 0
    before, after, rest = time[begin:], time[begin + 1 :], marks[1:]
    for i in range(len(rest)):
        rest[i] = after[i] - before[i] <= window


@kernel
def _look_back(
    time: UInt64Array,
    channel: Int32Array,
    table: NDArray[np.int16],
    first: int,
    i: np.uint64,
    place: int,
    window: np.uint64,
    latest: UInt64Array,
    seen: UInt64Array,
    near_times: UInt64Array,
) -> np.uint64:
    """The set of channels that fired within the window up to tag `i`; their latest times go to `near_times`."""
    one, now = np.uint64(1), time[i]
    near = _bit(place)
    while i > np.uint64(0) and now - time[i - one] <= window:
        i -= one
        place = _place(channel[i], table, first)
        if place >= 0 and near & _bit(place) == 0:
            near |= _bit(place)
            near_times[place] = time[i]
    if i == np.uint64(0):
        for k in range(len(latest)):
            if seen[0] & ~near & _bit(k) != 0 and now - latest[k] <= window:
                near |= _bit(k)
                near_times[k] = latest[k]
    return near


@kernel
def _note_latest(
    time: UInt64Array,
    channel: Int32Array,
    table: NDArray[np.int16],
    first: int,
    window: np.uint64,
    latest: UInt64Array,
    seen: UInt64Array,
) -> None:
    """Carry the latest times of channels on, as far as a later tag can still have them in its window."""
    one, size = np.uint64(1), np.uint64(len(time))
    begin = size
    while begin > np.uint64(0) and time[size - one] - time[begin - one] <= window:
        begin -= one
    for i in range(begin, size):
        place = _place(channel[i], table, first)
        if place >= 0:
            latest[place] = time[i]
            seen[0] |= _bit(place)


@kernel
def _place(channel: np.int32, table: NDArray[np.int16], first: int) -> int:
    """Place of a channel, or -1."""
    k = channel - first
    return int(table[k]) if 0 <= k < len(table) else -1


@kernel
def _bit(place: int) -> np.uint64:
    return np.uint64(1) << np.uint64(place)


@kernel
def _complete(low: int, high: int, homes: Int64Array, sets: UInt64Array, near: np.uint64, complete: Int64Array) -> int:
    """Write those of some groups that have all their channels in `near` to `complete`; gives their number."""
    count = np.uint64(0)
    for h in range(np.uint64(low), np.uint64(high)):
        complete[count] = homes[h]
        count += np.uint64(sets[h] & ~near == 0)
    return int(count)


@kernel
def _stamp(
    members: Int64Array, begins: Int64Array, group: int, times: UInt64Array, now: np.uint64, timestamp: int
) -> np.int64:
    low, high = begins[group], begins[group + 1]
    if timestamp == LAST:
        return np.int64(now)
    if timestamp == LISTED_FIRST:
        return np.int64(times[members[low]])
    if timestamp == AVERAGE:
        return _mean(members, low, high, times, now)
    longest = np.uint64(0)
    for m in range(low, high):
        longest = max(longest, now - times[members[m]])
    return np.int64(now - longest)


@kernel
def _mean(members: Int64Array, low: int, high: int, times: UInt64Array, now: np.uint64) -> np.int64:
    """Mean of the times, rounded down; quotients and remainders are summed apart, so nothing overflows."""
    n = high - low
    whole, rest = 0, 0
    for m in range(low, high):
        before = -int(now - times[members[m]])
        whole += before // n
        rest += before % n
    return np.int64(now) + whole + rest // n


@kernel
def _grown(found: Int64Array, size: int) -> Int64Array:
    """The same with room for at least `size`."""
    grown = np.empty((2, 2 * size), np.int64)
    grown[:, : found.shape[1]] = found
    return grown
