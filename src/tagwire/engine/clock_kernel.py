"""The loop of the software clock: which output time belongs to which input time, tag by tag.

Input time is cut into segments at the edges R(0), R(1), ... of the estimated clock, which are real numbers. Edge n lies
at output time T(n), and T(n + 1) - T(n) is exactly the ideal distance of two transferred clock tags, so within a
segment time is only stretched. A segment is known when the clock tag at its beginning has come; until then the tags
behind its edge wait. Every decision depends on the tags and their times alone, never on where blocks end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.engine.clock_fit import WINDOW, acquire, turn
from tagwire.engine.clock_layout import ARMED, LOCKED, SEEK, Losses, Sink, Tags
from tagwire.engine.clock_output import close, flush, give, let_go, mapped, put, report
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
OVERFLOW_END = int(TagType.OverflowEnd)

PULL_OUT = 0.06
"""Largest deviation of the frequency that keeps the lock."""


@kernel
def track(clock: NDArray[Any], tags: Tags, fresh: int, losses: Losses, sink: Sink) -> tuple[int, int]:
    """Process input tags, of which those from `fresh` on are new; put out what can be decided.

    Returns
    -------
    int
        Number of tags that are decided; the others are to be given again.
    int
        Output time that no later tag can precede.
    """
    c = clock[0]
    time, channel, kind = tags[0], tags[1], tags[2]
    waiting = 0
    for i in range(fresh, len(time)):
        t = time[i]
        usual = kind[i] == TIME_TAG and channel[i] != c.clock_channel
        if usual and c.mode == LOCKED and not c.open and c.seg_limit <= t < c.limit:
            put(c, mapped(c, t), channel[i], TIME_TAG, 0, sink)
            waiting = i + 1
            continue
        waiting = _step(c, tags, i, waiting, losses, sink)
    if c.mode >= ARMED and c.end > c.deadline:
        _unlock(c, c.end, tags, waiting, len(tags[0]), losses, sink)
        waiting = len(tags[0])
    if c.closing and c.end >= c.seg_limit:
        close(c, c.seg_tick, c.seg_tick, losses, sink)
    mark = c.tick if c.mode == LOCKED and c.end >= c.limit else mapped(c, min(c.end, _limit(c)))
    let_go(c, mark, losses, sink)
    if c.holding:
        mark = c.floor
    if c.lost and mark >= c.due:
        report(c, c.due, losses, sink)
    return waiting, mark


@kernel
def settle(clock: NDArray[Any], tags: Tags, losses: Losses, sink: Sink) -> None:
    """Decide all waiting tags as if the clock ran on; then time goes on at the pace of the input."""
    c = clock[0]
    if c.mode == LOCKED:
        anchor = min(c.end, c.limit)
        at = mapped(c, anchor) if anchor < c.limit else c.tick
        c.offset = (max(at, c.floor) if c.holding else at) - anchor
        if not c.open:
            sink[4][c.spans, 2] = at
            c.spans += 1
    c.mode = SEEK
    c.count = c.closing = c.holding = 0
    flush(c, tags, 0, len(tags[0]), losses, sink)
    if c.lost:
        report(c, min(c.due, c.end + c.offset), losses, sink)


@kernel
def present(clock: NDArray[Any], time: int) -> int:
    """Output time of an input time, as far as it can be told."""
    c = clock[0]
    if c.mode == LOCKED and time >= c.limit:
        return int(c.tick + (time - c.limit))
    return int(mapped(c, time))


@kernel
def _step(c: Any, tags: Tags, i: int, waiting: int, losses: Losses, sink: Sink) -> int:
    """Process one tag, while those from `waiting` on wait for the next edge; gives the new `waiting`."""
    t, kind = tags[0][i], tags[2][i]
    if c.closing and t >= c.seg_limit:
        close(c, c.seg_tick, c.seg_tick, losses, sink)
    is_gap = ERROR <= kind <= OVERFLOW_END
    is_clock = kind == TIME_TAG and tags[1][i] == c.clock_channel
    if c.mode >= ARMED:
        error = float(t - c.edge) - c.part
        if t > c.deadline or is_gap or (is_clock and not _fits(c, error)):
            _unlock(c, t, tags, waiting, i, losses, sink)
        elif is_clock:
            _follow(c, tags, waiting, i, error, losses, sink)
            return i + 1
        elif t >= c.limit:
            return waiting
    give(c, tags, i, losses, sink)
    if is_gap:
        c.count = 0
        c.raw_lost = 1 if kind == OVERFLOW_BEGIN else (0 if kind == OVERFLOW_END else c.raw_lost)
    elif is_clock:
        c.seen += 1
        acquire(c, t)
    return i + 1


@kernel
def _fits(c: Any, error: float) -> bool:
    """Whether a clock tag that comes `error` ps after its edge, and not too late, keeps the lock."""
    return bool(error >= -WINDOW * c.period and abs(c.period - c.nominal) <= PULL_OUT * c.nominal)


@kernel
def _follow(c: Any, tags: Tags, waiting: int, i: int, error: float, losses: Losses, sink: Sink) -> None:
    """Take clock tag `i`, and decide the tags that wait."""
    c.seen += 1
    early = tags[0][i] < c.limit
    if early:
        give(c, tags, i, losses, sink)
    first = c.mode == ARMED
    if first:
        c.mode = LOCKED
        c.seg_edge = c.limit
        c.seg_part = 0.0
        c.seg_tick = c.limit + c.offset
        c.scale = 1.0
    turn(c, error)
    if first and c.sync_channel == CHANNEL_UNUSED:
        c.closing = 1
    if not early:
        if c.closing:
            close(c, c.seg_tick, c.seg_tick, losses, sink)
        flush(c, tags, waiting, i + 1, losses, sink)


@kernel
def _unlock(c: Any, t: int, tags: Tags, waiting: int, end: int, losses: Losses, sink: Sink) -> None:
    """The lock is lost at input time `t`, or at the next edge if that came before."""
    c.errors += 1
    anchor = min(t, c.limit)
    at = c.tick if c.mode == LOCKED and anchor == c.limit else mapped(c, anchor)
    let_go(c, at, losses, sink)
    c.offset = (c.floor if c.holding else at) - anchor
    c.mode = SEEK
    c.count = c.synced = c.closing = c.holding = 0
    if not c.open:
        put(c, at, CHANNEL_UNUSED, OVERFLOW_BEGIN, 0, sink)
        c.open = 1
        sink[4][c.spans, 2] = at
        c.spans += 1
    flush(c, tags, waiting, end, losses, sink)


@kernel
def _limit(c: Any) -> int:
    """First input time that is not decided yet."""
    return int(c.limit if c.mode >= ARMED else np.iinfo(np.int64).max)
