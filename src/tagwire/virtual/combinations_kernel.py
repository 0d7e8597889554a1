"""The search for groups of events with silence around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TagType
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
MISSED_EVENTS = int(TagType.MissedEvents)

OPEN, FIRST, LAST, MASK, SPOILT, LOSSY, STATE_SIZE = range(7)
"""Places in the state: whether there is a group that may go on, times in ps of its first and last event, the places of
its channels as bits, whether it is no combination any more, and whether the stream is within an overflow."""


@kernel
def find_combinations(
    end: int,
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    table: NDArray[np.int16],
    first: int,
    window: int,
    state: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Time, channels as bits, and number of channels of the combinations that are certain before `end`.

    Notes
    -----
    A place where events may be lost acts as an event that spoils its group.
    """
    found_time = np.empty(len(time) + 1, np.int64)
    found_mask = np.empty(len(time) + 1, np.int64)
    found_fold = np.empty(len(time) + 1, np.int64)
    count = 0
    plain = len(kind) == 0
    for i in range(len(time)):
        event = plain or kind[i] == TIME_TAG
        bit = _bit(channel[i] - first, table) if event else 0
        if bit == 0 and (event or kind[i] == MISSED_EVENTS):
            continue
        if _settles(state, time[i], window):
            found_time[count], found_mask[count] = state[LAST], state[MASK]
            count += 1
        if not event and kind[i] != ERROR:
            state[LOSSY] = kind[i] == OVERFLOW_BEGIN
        if not state[OPEN]:
            state[OPEN], state[FIRST], state[MASK], state[SPOILT] = 1, time[i], 0, 0
        state[LAST] = time[i]
        state[MASK] |= bit
        if bit == 0 or state[LOSSY] or time[i] - state[FIRST] > window:
            state[SPOILT] = 1
    if _settles(state, end, window):
        found_time[count], found_mask[count] = state[LAST], state[MASK]
        count += 1
    for i in range(count):
        found_fold[i] = _bits(found_mask[i])
    return found_time[:count], found_mask[:count], found_fold[:count]


@kernel
def _bit(k: int, table: NDArray[np.int16]) -> int:
    """Bit of a channel, 0 if it is not watched."""
    return 1 << table[k] if 0 <= k < len(table) and table[k] >= 0 else 0


@kernel
def _settles(state: NDArray[np.int64], now: int, window: int) -> bool:
    """Close the group when an event at `now` is no part of it; gives whether it is a combination."""
    closes = state[OPEN] and now - state[LAST] > window
    if closes:
        state[OPEN] = 0
    return closes and not state[SPOILT]


@kernel
def _bits(mask: int) -> int:
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count
