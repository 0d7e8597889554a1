"""What the software clock puts out: tags at their output times, and the number of those that are lost before a lock."""

from __future__ import annotations

from typing import Any

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.overflows import MOST_MISSED
from tagwire.core.tags import TagType
from tagwire.engine.clock_layout import LOCKED, Losses, Sink, Tags
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_END = int(TagType.OverflowEnd)
MISSED_EVENTS = int(TagType.MissedEvents)

REPORT = 10**10
"""While the stream is in overflow, lost events are reported at multiples of this output time in ps."""

PS_PER_S = 10**12
STEP_BACK = PS_PER_S // 2
"""An alignment puts the time base back by less than this, in ps; the output waits until it is there again."""
SECONDS = 10**6
"""UTC seconds are taken modulo this, since those since 1970 do not fit into int64 ps."""
TURN = SECONDS * PS_PER_S


@kernel
def mapped(c: Any, t: int) -> int:
    """Output time of an input time before the next edge."""
    if c.mode != LOCKED:
        return int(t + c.offset)
    if t < c.seg_limit:
        return int(c.old_tick + np.int64(np.floor((float(t - c.old_edge) - c.old_part) * c.old_scale + 0.5)))
    return int(c.seg_tick + np.int64(np.floor((float(t - c.seg_edge) - c.seg_part) * c.scale + 0.5)))


@kernel
def put(c: Any, time: int, channel: int, kind: int, missed: int, sink: Sink) -> None:
    n = c.size
    sink[0][n] = time
    sink[1][n] = channel
    sink[2][n] = kind
    sink[3][n] = missed
    c.size = n + 1


@kernel
def flush(c: Any, tags: Tags, low: int, high: int, losses: Losses, sink: Sink) -> None:
    for i in range(low, high):
        give(c, tags, i, losses, sink)


@kernel
def give(c: Any, tags: Tags, i: int, losses: Losses, sink: Sink) -> None:
    """Put a tag out at its output time, or count it where the time base is not valid."""
    t, channel, kind = tags[0][i], tags[1][i], tags[2][i]
    at = mapped(c, t)
    let_go(c, at, losses, sink)
    if not c.open:
        put(c, at, channel, kind, tags[3][i], sink)
        return
    if c.holding:
        at = c.floor
    if c.lost and at >= c.due:
        report(c, c.due, losses, sink)
    if c.mode == LOCKED and kind == TIME_TAG and channel == c.sync_channel and not c.holding:
        _align(c, t, at, losses, sink)
        if c.holding:
            _count(c, at, channel, 1, losses)
        else:
            put(c, mapped(c, t), channel, kind, 0, sink)
    elif kind == ERROR:
        put(c, at, channel, kind, 0, sink)
    elif kind == TIME_TAG:
        _count(c, at, channel, 1, losses)
    elif kind == MISSED_EVENTS:
        _count(c, at, channel, tags[3][i], losses)


@kernel
def _count(c: Any, at: int, channel: int, number: int, losses: Losses) -> None:
    """Note lost events of a channel."""
    table, first, lost = losses[0], losses[1], losses[3]
    k = channel - first
    if number > 0 and 0 <= k < len(table) and table[k] >= 0:
        if c.lost == 0:
            c.due = (at // REPORT + 1) * REPORT
        lost[table[k]] += number
        c.lost += number


@kernel
def report(c: Any, at: int, losses: Losses, sink: Sink) -> None:
    """Put out how many events were lost on each channel."""
    numbers, lost = losses[2], losses[3]
    for slot in range(len(lost)):
        while lost[slot] > 0:
            number = min(lost[slot], MOST_MISSED)
            put(c, at, numbers[slot], MISSED_EVENTS, number, sink)
            lost[slot] -= number
    c.lost = 0


@kernel
def close(c: Any, at: int, tick: int, losses: Losses, sink: Sink) -> None:
    """End the overflow range at an output time; `tick` is that of any ideal clock tag."""
    if c.lost:
        report(c, min(c.due, at), losses, sink)
    put(c, at, CHANNEL_UNUSED, OVERFLOW_END, 0, sink)
    c.open = c.closing = 0
    span = sink[4][c.spans]
    span[0], span[1], span[2] = tick, at, np.iinfo(np.int64).max


@kernel
def let_go(c: Any, at: int, losses: Losses, sink: Sink) -> None:
    """End the wait after a step back once the output time `at` has come to where it was."""
    if c.holding and at >= c.floor:
        c.holding = 0
        c.synced = 1
        close(c, c.floor, c.seg_tick, losses, sink)


@kernel
def _align(c: Any, t: int, at: int, losses: Losses, sink: Sink) -> None:
    """Shift the time base so that the tag at input time `t` lies on its UTC second.

    Output time never goes back. Where the second lies a little before the output time `at` reached, the overflow goes
    on until `at` is reached again, and what comes before is lost.
    """
    second = np.int64(np.floor(c.utc - float(c.end - t) / PS_PER_S + 0.5))
    target = int(second % SECONDS) * PS_PER_S
    past = at - STEP_BACK - target
    if past >= 0:
        target += (past // TURN + 1) * TURN
    c.old_tick += target - at
    c.seg_tick += target - at
    c.tick += target - at
    c.holding = 1
    c.floor = max(at, target)
    let_go(c, target, losses, sink)
