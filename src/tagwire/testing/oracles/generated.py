"""What virtual channels make up from events, the slow way; rows as in `tagwire.testing.oracles.virtual`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.testing.oracles.selective import GAPS, lossy_spans
from tagwire.testing.rows import Row


def patterns(
    rows: Sequence[Row], trigger: int, pattern: Sequence[int], divider: int, offset: int, stop: int, output: int
) -> list[Row]:
    """The pattern after every so many-th trigger, up to the next stop or gap."""
    added: list[Row] = []
    number = -offset if divider > 1 else 0
    for i, (begin, channel, kind, missed) in enumerate(rows):
        if channel != trigger or kind not in (TagType.TimeTag, TagType.MissedEvents):
            continue
        if kind == TagType.TimeTag and number >= 0 and number % divider == 0:
            ends = [row[0] for row in rows[i + 1 :] if row[2] in GAPS or row[1:3] == (stop, TagType.TimeTag)]
            added += [(begin + t, output, TagType.TimeTag, 0) for t in pattern if not ends or begin + t < ends[0]]
        number += missed if kind == TagType.MissedEvents else 1
    return added


def multiplied(rows: Sequence[Row], channel: int, multiplier: int, output: int) -> list[Row]:
    """From each event the distance to the one before it, in equal parts, up to the next gap."""
    added: list[Row] = []
    for i, (time, *event) in enumerate(rows):
        if event[:2] != [channel, TagType.TimeTag]:
            continue
        before = [row for row in rows[:i] if row[2] in GAPS or row[1:3] == (channel, TagType.TimeTag)]
        if before and before[-1][2] == TagType.TimeTag:
            period = Fraction(time - before[-1][0], multiplier)
            gaps = [row[0] for row in rows[i:] if row[2] in GAPS]
            times = [time + floor(k * period) for k in range(multiplier)]
            added += [(t, output, TagType.TimeTag, 0) for t in times if not gaps or t < gaps[0]]
    return added


def countrate_crossings(
    rows: Sequence[Row],
    channel: int,
    reference: float,
    hysteresis: float,
    window: int,
    span: tuple[int, int],
    outputs: tuple[int, int],
) -> list[Row]:
    """At each time that something changes: the rate over the window before, and whether that changes the state."""
    added: list[Row] = []
    state: int | None = None
    lossy = lossy_spans(rows, span[1])
    events = [row[0] for row in rows if row[1:3] == (channel, TagType.TimeTag)]
    sure = [span[0], *(end for _, end in lossy)]
    times = {*events, *(t + window for t in [*events, *sure]), *(begin for begin, _ in lossy)}
    for now in sorted(t for t in times if t < span[1]):
        begin = max(t for t in sure if t <= now)
        changes = any(t in (now, now - window) for t in events if t > begin)
        rate = Fraction(sum(now - window < t <= now for t in events), window) * 10**12
        before = state
        if now < begin + window or any(a <= now <= b for a, b in lossy):
            state = before = None
        elif state is None:
            state = 0 if rate >= Fraction(reference) else 1
        elif changes and state == 1 and rate >= Fraction(reference) + Fraction(hysteresis):
            state = 0
        elif changes and state == 0 and rate <= Fraction(reference) - Fraction(hysteresis):
            state = 1
        if state is not None and state != before:
            added.append((now, outputs[state], TagType.TimeTag, 0))
    return added


def with_overflow(rows: Sequence[Row], begin: int, end: int, stream_end: int) -> list[Row]:
    """The stream with an overflow injected, unless the stream ends before."""
    if begin >= stream_end:
        return list(rows)
    before = [row for row in rows if row[0] < begin]
    during = [row for row in rows if begin <= row[0] < end]
    after = [row for row in rows if row[0] >= max(begin, end)]
    marks = (TagType.OverflowBegin, TagType.OverflowEnd)
    swallowed = [
        (time, channel, TagType.MissedEvents, 1) if kind == TagType.TimeTag else (time, channel, kind, missed)
        for time, channel, kind, missed in during
        if kind not in marks
    ]
    opening = [] if _overflowing(before) else [(begin, CHANNEL_UNUSED, TagType.OverflowBegin, 0)]
    closing = [] if _overflowing(before + during) else [(end, CHANNEL_UNUSED, TagType.OverflowEnd, 0)]
    return [*before, *opening, *swallowed, *(closing if end < stream_end else []), *after]


def _overflowing(rows: Sequence[Row]) -> bool:
    """Whether the rows end within an overflow."""
    marks = [row[2] for row in rows if row[2] in (TagType.OverflowBegin, TagType.OverflowEnd)]
    return bool(marks) and marks[-1] == TagType.OverflowBegin
