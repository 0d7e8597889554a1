"""The loop of the software clock: which output time belongs to which input time, tag by tag.

Input time is cut into segments at the edges R(0), R(1), ... of the estimated clock, which are real numbers. Edge n lies
at output time T(n), and T(n + 1) - T(n) is exactly the ideal distance of two transferred clock tags, so within a
segment time is only stretched. A segment is known when the clock tag at its beginning has come; until then the tags
behind its edge wait. Every decision depends on the tags and their times alone, never on where blocks end.

The loop is the fading-memory filter of first degree (N. Morrison, Introduction to Sequential Smoothing and Prediction,
1969; E. Brookner, Tracking and Kalman Filtering Made Easy, 1998, ch. 1.2.6), a critically damped loop of type 2: a
constant frequency leaves no phase error, and the predicted edge has 1.25 / N of the variance of a clock tag.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.kernel import kernel

OFF, SEEK, ARMED, LOCKED = range(4)
"""Modes: no clock; looking for a regular signal; signal found, waiting for the first edge; locked."""

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
OVERFLOW_END = int(TagType.OverflowEnd)
MISSED_EVENTS = int(TagType.MissedEvents)

REPORT = 10**10
"""While the stream is in overflow, lost events are reported at multiples of this output time in ps."""

MISSED_MAX = 65_535
WINDOW = 0.25
"""How far from its expected place a clock tag may come, in periods."""

PULL_IN = 0.05
"""Largest deviation of the frequency from the one given when the lock is found."""

PULL_OUT = 0.06
"""Largest deviation of the frequency that keeps the lock."""

PS_PER_S = 10**12
SECONDS = 10**6
"""UTC seconds are taken modulo this, since those since 1970 do not fit into int64 ps."""

Tags = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint16]]
"""Columns of a block: time, channel, type, missed events."""

Losses = tuple[NDArray[np.int16], int, NDArray[np.int32], NDArray[np.int64]]
"""Table and first channel of an index, the channels in its order, and the events lost on each since the last report."""

Sink = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint16], NDArray[np.int64]]
"""Columns of the output, and rows of spans with ideal clock tags: one of them, begin, end (2**63 - 1: not yet)."""

CLOCK = np.dtype(
    [
        ("mode", np.int64),
        ("open", np.int64),  # the output is in an overflow range
        ("raw_lost", np.int64),  # the input is in an overflow range
        ("offset", np.int64),  # output less input time while not locked
        ("edge", np.int64),  # the next edge: whole part,
        ("part", np.float64),  # fraction,
        ("tick", np.int64),  # and its output time
        ("limit", np.int64),  # first input time behind the next edge
        ("deadline", np.int64),  # last input time at which its clock tag may come
        ("seg_edge", np.int64),  # the present segment: its edge,
        ("seg_part", np.float64),
        ("seg_tick", np.int64),  # output time there,
        ("scale", np.float64),  # and output per input time
        ("seg_limit", np.int64),  # first input time within it; before it, the segment before goes on:
        ("old_edge", np.int64),
        ("old_part", np.float64),
        ("old_tick", np.int64),
        ("old_scale", np.float64),
        ("closing", np.int64),  # the overflow ends where the segment begins
        ("period", np.float64),  # estimated distance of two transferred clock tags, input ps
        ("nominal", np.float64),  # expected distance, input ps
        ("advance", np.int64),  # its ideal value, output ps
        ("clock_period", np.int64),
        ("alpha", np.float64),
        ("beta", np.float64),
        ("weight", np.float64),
        ("mean_square", np.float64),  # of the phase errors, output ps**2
        ("need", np.int64),  # clock tags that make up a fit
        ("count", np.int64),
        ("first", np.int64),
        ("last", np.int64),
        ("sum_y", np.float64),
        ("sum_iy", np.float64),
        ("sum_yy", np.float64),
        ("seen", np.int64),  # clock tags since the clock was set
        ("measured", np.float64),  # period that was refused last
        ("errors", np.int64),
        ("lost", np.int64),  # lost events not yet reported
        ("due", np.int64),  # when to report them
        ("clock_channel", np.int64),
        ("sync_channel", np.int64),
        ("synced", np.int64),
        ("utc", np.float64),  # system time at the end of the block, s
        ("end", np.int64),  # end of the block, input time
        ("size", np.int64),  # tags put out
        ("spans", np.int64),  # spans of ideal clock tags, the last of which may be open
    ],
    align=True,
)
"""Settings and state of a software clock."""


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
            _put(c, _mapped(c, t), channel[i], TIME_TAG, 0, sink)
            waiting = i + 1
            continue
        waiting = _step(c, tags, i, waiting, losses, sink)
    if c.mode >= ARMED and c.end > c.deadline:
        _unlock(c, c.end, tags, waiting, len(tags[0]), losses, sink)
        waiting = len(tags[0])
    if c.closing and c.end >= c.seg_limit:
        _close(c, c.seg_tick, c.seg_tick, losses, sink)
    mark = c.tick if c.mode == LOCKED and c.end >= c.limit else _mapped(c, min(c.end, _limit(c)))
    if c.lost and mark >= c.due:
        _report(c, c.due, losses, sink)
    return waiting, mark


@kernel
def settle(clock: NDArray[Any], tags: Tags, losses: Losses, sink: Sink) -> None:
    """Decide all waiting tags as if the clock ran on; then time goes on at the pace of the input."""
    c = clock[0]
    if c.mode == LOCKED:
        anchor = min(c.end, c.limit)
        at = _mapped(c, anchor) if anchor < c.limit else c.tick
        c.offset = at - anchor
        if not c.open:
            sink[4][c.spans, 2] = at
            c.spans += 1
    c.mode = SEEK
    c.count = c.closing = 0
    _flush(c, tags, 0, len(tags[0]), losses, sink)
    if c.lost:
        _report(c, min(c.due, c.end + c.offset), losses, sink)


@kernel
def present(clock: NDArray[Any], time: int) -> int:
    """Output time of an input time, as far as it can be told."""
    c = clock[0]
    if c.mode == LOCKED and time >= c.limit:
        return int(c.tick + (time - c.limit))
    return int(_mapped(c, time))


@kernel
def _step(c: Any, tags: Tags, i: int, waiting: int, losses: Losses, sink: Sink) -> int:
    """Process one tag, while those from `waiting` on wait for the next edge; gives the new `waiting`."""
    t, kind = tags[0][i], tags[2][i]
    if c.closing and t >= c.seg_limit:
        _close(c, c.seg_tick, c.seg_tick, losses, sink)
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
    _give(c, tags, i, losses, sink)
    if is_gap:
        c.count = 0
        c.raw_lost = 1 if kind == OVERFLOW_BEGIN else (0 if kind == OVERFLOW_END else c.raw_lost)
    elif is_clock:
        c.seen += 1
        _acquire(c, t)
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
        _give(c, tags, i, losses, sink)
    first = c.mode == ARMED
    if first:
        c.mode = LOCKED
        c.seg_edge = c.limit
        c.seg_part = 0.0
        c.seg_tick = c.limit + c.offset
        c.scale = 1.0
    _turn(c, error)
    if first and c.sync_channel == CHANNEL_UNUSED:
        c.closing = 1
    if not early:
        if c.closing:
            _close(c, c.seg_tick, c.seg_tick, losses, sink)
        _flush(c, tags, waiting, i + 1, losses, sink)


@kernel
def _unlock(c: Any, t: int, tags: Tags, waiting: int, end: int, losses: Losses, sink: Sink) -> None:
    """The lock is lost at input time `t`, or at the next edge if that came before."""
    c.errors += 1
    anchor = min(t, c.limit)
    at = c.tick if c.mode == LOCKED and anchor == c.limit else _mapped(c, anchor)
    c.offset = at - anchor
    c.mode = SEEK
    c.count = c.synced = c.closing = 0
    if not c.open:
        _put(c, at, CHANNEL_UNUSED, OVERFLOW_BEGIN, 0, sink)
        c.open = 1
        sink[4][c.spans, 2] = at
        c.spans += 1
    _flush(c, tags, waiting, end, losses, sink)


@kernel
def _limit(c: Any) -> int:
    """First input time that is not decided yet."""
    return int(c.limit if c.mode >= ARMED else np.iinfo(np.int64).max)


@kernel
def _mapped(c: Any, t: int) -> int:
    """Output time of an input time before the next edge."""
    if c.mode != LOCKED:
        return int(t + c.offset)
    if t < c.seg_limit:
        return int(c.old_tick + np.int64(np.floor((float(t - c.old_edge) - c.old_part) * c.old_scale + 0.5)))
    return int(c.seg_tick + np.int64(np.floor((float(t - c.seg_edge) - c.seg_part) * c.scale + 0.5)))


@kernel
def _put(c: Any, time: int, channel: int, kind: int, missed: int, sink: Sink) -> None:
    n = c.size
    sink[0][n] = time
    sink[1][n] = channel
    sink[2][n] = kind
    sink[3][n] = missed
    c.size = n + 1


@kernel
def _flush(c: Any, tags: Tags, low: int, high: int, losses: Losses, sink: Sink) -> None:
    for i in range(low, high):
        _give(c, tags, i, losses, sink)


@kernel
def _give(c: Any, tags: Tags, i: int, losses: Losses, sink: Sink) -> None:
    """Put a tag out at its output time, or count it where the time base is not valid."""
    t, channel, kind = tags[0][i], tags[1][i], tags[2][i]
    at = _mapped(c, t)
    if not c.open:
        _put(c, at, channel, kind, tags[3][i], sink)
        return
    if c.lost and at >= c.due:
        _report(c, c.due, losses, sink)
    if c.mode == LOCKED and kind == TIME_TAG and channel == c.sync_channel:
        _align(c, t, at, losses, sink)
        _put(c, _mapped(c, t), channel, kind, 0, sink)
    elif kind == ERROR:
        _put(c, at, channel, kind, 0, sink)
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
def _report(c: Any, at: int, losses: Losses, sink: Sink) -> None:
    """Put out how many events were lost on each channel."""
    numbers, lost = losses[2], losses[3]
    for slot in range(len(lost)):
        while lost[slot] > 0:
            number = min(lost[slot], MISSED_MAX)
            _put(c, at, numbers[slot], MISSED_EVENTS, number, sink)
            lost[slot] -= number
    c.lost = 0


@kernel
def _close(c: Any, at: int, tick: int, losses: Losses, sink: Sink) -> None:
    """End the overflow range at an output time; `tick` is that of any ideal clock tag."""
    if c.lost:
        _report(c, min(c.due, at), losses, sink)
    _put(c, at, CHANNEL_UNUSED, OVERFLOW_END, 0, sink)
    c.open = c.closing = 0
    span = sink[4][c.spans]
    span[0], span[1], span[2] = tick, at, np.iinfo(np.int64).max


@kernel
def _align(c: Any, t: int, at: int, losses: Losses, sink: Sink) -> None:
    """Shift the time base so that the tag at input time `t` lies on its UTC second."""
    second = np.int64(np.floor(c.utc - float(c.end - t) / PS_PER_S + 0.5))
    target = int(second % SECONDS) * PS_PER_S
    while target < at:
        target += SECONDS * PS_PER_S
    c.old_tick += target - at
    c.seg_tick += target - at
    c.tick += target - at
    c.synced = 1
    _close(c, target, c.seg_tick, losses, sink)


@kernel
def _acquire(c: Any, t: int) -> None:
    """Take a clock tag into the fit; when it is complete and regular, wait for the next edge."""
    gap = float(t - c.last)
    if c.count > 0 and abs(gap - c.nominal) > WINDOW * c.nominal:
        c.errors += 1
        c.measured = gap
        c.count = 0
    if c.count == 0:
        c.first = t
        c.sum_y = c.sum_iy = c.sum_yy = 0.0
    y = float(t - c.first) - c.count * c.nominal
    c.sum_y += y
    c.sum_iy += c.count * y
    c.sum_yy += y * y
    c.last = t
    c.count += 1
    if c.count == c.need:
        _arm(c)


@kernel
def _arm(c: Any) -> None:
    n = float(c.count)
    c.count = 0
    sum_i, sum_ii = n * (n - 1) / 2, n * (n - 1) * (2 * n - 1) / 6
    spread = sum_ii - sum_i * sum_i / n
    slope = (c.sum_iy - sum_i * c.sum_y / n) / spread
    c.measured = c.nominal + slope
    if abs(slope) > PULL_IN * c.nominal:
        c.errors += 1
        return
    residual = c.sum_yy - c.sum_y * c.sum_y / n - slope * slope * spread
    c.mean_square = max(0.0, residual) / (n - 2)
    c.period = c.nominal + slope
    c.edge = c.first
    c.part = (c.sum_y - slope * sum_i) / n + n * c.period
    _carry(c)
    c.tick = -(-(c.limit + c.offset) // c.clock_period) * c.clock_period
    c.mode = ARMED


@kernel
def _carry(c: Any) -> None:
    """Bring the fraction of the next edge into [0, 1), and tell what follows from the edge."""
    whole = np.floor(c.part)
    c.edge += np.int64(whole)
    c.part -= whole
    c.limit = c.edge + (1 if c.part > 0 else 0)
    c.deadline = c.edge + np.int64(np.floor(c.part + WINDOW * c.period))


@kernel
def _turn(c: Any, error: float) -> None:
    """Begin the segment of a clock tag that came `error` ps after its edge."""
    jitter = error * (c.advance / c.period)
    c.mean_square += c.weight * (jitter * jitter - c.mean_square)
    c.period += c.beta * error
    step = c.period + c.alpha * error
    c.old_edge, c.old_part, c.old_tick, c.old_scale = c.seg_edge, c.seg_part, c.seg_tick, c.scale
    c.seg_edge, c.seg_part, c.seg_tick, c.seg_limit = c.edge, c.part, c.tick, c.limit
    c.scale = c.advance / step
    c.part += step
    c.tick += c.advance
    _carry(c)
