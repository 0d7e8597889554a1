"""What a monitor of pulses per second must give, worked out from all pulses at once."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import Event, events

Row = tuple[int, int | None, list[int | None]]
"""Index, offset of the reference pulse, offsets of the signal pulses."""


def pulse_rows(block: TagBlock, reference: int, signals: Sequence[int], period: int) -> list[Row]:
    """All rows of a capture that spans the block, but the last if its signals may still come."""
    rows: list[Row] = []
    index, seen = -1, None
    run: list[Event] = []
    tags = [*events(block), Event(block.end, reference, TagType.Error, 0)]
    for tag in tags:
        if tag.type == TagType.MissedEvents:
            index += tag.missed if tag.channel == reference and index >= 0 else 0
        elif tag.type == TagType.TimeTag:
            run.append(tag)
        else:
            index, seen = _run(rows, run, tag.time, tag is tags[-1], index, seen, (reference, signals, period))
            run = []
    return rows


def _run(
    rows: list[Row],
    run: Sequence[Event],
    end: int,
    last: bool,
    index: int,
    seen: tuple[int, int] | None,
    what: tuple[int, Sequence[int], int],
) -> tuple[int, tuple[int, int] | None]:
    """Append the rows of a run of tags without a gap."""
    reference, signals, period = what
    due: int | None = None
    for pulse in [t.time for t in run if t.channel == reference] + [None]:
        until = end if pulse is None else pulse
        while due is not None and 2 * (until - due) > 3 * period:
            due, index = due + period, index + 1
            rows.append((index, None, [None] * len(signals)))
        if pulse is None or (due is not None and 2 * (pulse - due) < period):
            continue
        index += 1
        offset = 0 if seen is None else pulse - seen[1] - (index - seen[0]) * period
        due, seen = pulse, (index, pulse)
        if not last or 2 * (end - pulse) > period:
            rows.append((index, offset, [_nearest(run, c, pulse, period) for c in signals]))
    return index, seen


def _nearest(run: Sequence[Event], channel: int, pulse: int, period: int) -> int | None:
    offsets = [t.time - pulse for t in run if t.channel == channel]
    near = [d for d in offsets if -period < 2 * d <= period]
    return min(near, key=lambda d: (abs(d), d), default=None)
