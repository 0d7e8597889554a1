"""The search for coincidences, tag by tag."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TagType
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
LAST = int(CoincidenceTimestamp.Last)
AVERAGE = int(CoincidenceTimestamp.Average)
LISTED_FIRST = int(CoincidenceTimestamp.ListedFirst)


@kernel
def find_coincidences(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    table: NDArray[np.int16],
    first: int,
    home_begins: NDArray[np.int64],
    homes: NDArray[np.int64],
    member_begins: NDArray[np.int64],
    members: NDArray[np.int64],
    window: int,
    timestamp: int,
    latest: NDArray[np.int64],
    seen: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Times and groups of the coincidences, in order of the tags that complete them.

    Parameters
    ----------
    home_begins, homes
        ``homes[home_begins[k]:home_begins[k + 1]]`` are the groups of the channel at place ``k``.
    member_begins, members
        Likewise the places of the channels of each group.
    latest, seen
        Latest time of each channel, and whether there is one; carried from block to block.
    """
    found_time = np.empty(64, np.int64)
    found_group = np.empty(64, np.int64)
    count = 0
    size = len(table)
    plain = len(kind) == 0
    for i in range(len(time)):
        if not (plain or kind[i] == TIME_TAG):
            if kind[i] == OVERFLOW_BEGIN or kind[i] == ERROR:
                seen[:] = False
            continue
        k = channel[i] - first
        if k < 0 or k >= size or table[k] < 0:
            continue
        place = table[k]
        latest[place], seen[place] = time[i], True
        for h in range(home_begins[place], home_begins[place + 1]):
            group = homes[h]
            low, high = member_begins[group], member_begins[group + 1]
            if _all_within(members, low, high, latest, seen, time[i], window):
                if count == len(found_time):
                    found_time, found_group = _grown(found_time), _grown(found_group)
                found_time[count] = _stamp(members, low, high, latest, time[i], timestamp)
                found_group[count] = group
                count += 1
    return found_time[:count], found_group[:count]


@kernel
def _all_within(
    members: NDArray[np.int64],
    low: int,
    high: int,
    latest: NDArray[np.int64],
    seen: NDArray[np.bool_],
    now: int,
    window: int,
) -> bool:
    for m in range(low, high):
        place = members[m]
        if not seen[place] or now - latest[place] > window:
            return False
    return True


@kernel
def _stamp(members: NDArray[np.int64], low: int, high: int, latest: NDArray[np.int64], now: int, timestamp: int) -> int:
    if timestamp == LAST:
        return now
    if timestamp == LISTED_FIRST:
        return latest[members[low]]  # type: ignore[no-any-return]
    if timestamp == AVERAGE:
        return _mean(members, low, high, latest, now)
    earliest = now
    for m in range(low, high):
        earliest = min(earliest, latest[members[m]])
    return earliest


@kernel
def _mean(members: NDArray[np.int64], low: int, high: int, latest: NDArray[np.int64], now: int) -> int:
    """Mean of the latest times, rounded down; quotients and remainders are summed apart, so nothing overflows."""
    n = high - low
    whole, rest = 0, 0
    for m in range(low, high):
        before = latest[members[m]] - now
        whole += before // n
        rest += before % n
    return now + whole + rest // n


@kernel
def _grown(column: NDArray[np.int64]) -> NDArray[np.int64]:
    grown = np.empty(2 * len(column), np.int64)
    grown[: len(column)] = column
    return grown
