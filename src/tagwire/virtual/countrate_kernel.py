"""The search for the times at which a rolling count crosses thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TIME_MAX, TagType
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
MISSED_EVENTS = int(TagType.MissedEvents)
OVERFLOW_END = int(TagType.OverflowEnd)

UNKNOWN, ABOVE, BELOW = range(3)
STATE, SINCE, LOSSY, HEAD, TAIL, FRESH, STATE_SIZE = range(7)
"""Places in what is carried: the state, the time in ps since which nothing was lost, whether the stream is within an
overflow, which part of `recent` has the events within the window, and whether the last of them was not judged yet."""

Ints = NDArray[np.int64]


@kernel
def find_crossings(
    end: int,
    time: Ints,
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    source: int,
    window: int,
    reference: int,
    upper: int,
    lower: int,
    recent: Ints,
    carried: Ints,
) -> tuple[Ints, Ints]:
    """Times before `end` at which a state is told, and that state.

    Parameters
    ----------
    reference, upper, lower
        Counts: least of the state above when there was none, least for going above, most for going below.
    recent
        Times of events; with room for those of the block.
    """
    room = 2 * len(time) + carried[TAIL] - carried[HEAD] + 1
    told = np.empty(room, np.int64)
    states = np.empty(room, np.int64)
    count = 0
    for i in range(len(time) + 1):
        last = i == len(time)
        plain = last or len(kind) == 0 or kind[i] == TIME_TAG
        if not last and (channel[i] != source if plain else kind[i] == MISSED_EVENTS):
            continue
        now = end if last else time[i]
        at = _next_change(window, recent, carried)
        while at < now:
            if _judge(at, window, reference, upper, lower, recent, carried):
                told[count], states[count] = at, carried[STATE]
                count += 1
            at = _next_change(window, recent, carried)
        if not plain:
            _lose(now, kind[i], carried)
        elif not last and not carried[LOSSY]:
            recent[carried[TAIL]] = now
            carried[TAIL] += 1
            carried[FRESH] = 1
    return told[:count], states[:count]


@kernel
def _next_change(window: int, recent: Ints, carried: Ints) -> int:
    """When an event came that was not judged, one leaves the window, or the window is full for the first time."""
    at = TIME_MAX
    if carried[FRESH]:
        at = recent[carried[TAIL] - 1]
    if carried[HEAD] < carried[TAIL]:
        at = min(at, recent[carried[HEAD]] + window)
    if carried[STATE] == UNKNOWN and not carried[LOSSY]:
        at = min(at, carried[SINCE] + window)
    return at


@kernel
def _judge(at: int, window: int, reference: int, upper: int, lower: int, recent: Ints, carried: Ints) -> bool:
    """Bring count and state to the time `at`; gives whether the state is to be told."""
    while carried[HEAD] < carried[TAIL] and recent[carried[HEAD]] + window <= at:
        carried[HEAD] += 1
    carried[FRESH] = 0
    count = carried[TAIL] - carried[HEAD]
    before = carried[STATE]
    if before == UNKNOWN:
        if at >= carried[SINCE] + window:
            carried[STATE] = ABOVE if count >= reference else BELOW
    elif before == BELOW and count >= upper:
        carried[STATE] = ABOVE
    elif before == ABOVE and count <= lower:
        carried[STATE] = BELOW
    return carried[STATE] != before  # type: ignore[no-any-return]


@kernel
def _lose(now: int, kind: int, carried: Ints) -> None:
    """Forget the events and the state, since others may have been lost at `now`."""
    carried[STATE], carried[SINCE] = UNKNOWN, now
    carried[HEAD], carried[FRESH] = carried[TAIL], 0
    if kind == OVERFLOW_BEGIN:
        carried[LOSSY] = 1
    elif kind == OVERFLOW_END:
        carried[LOSSY] = 0
