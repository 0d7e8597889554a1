"""What virtual channels add to a stream, the slow way.

Tags are rows of time, channel, type and missed events. Each function gives the added rows in the order in which they
are made; `with_added` puts them into the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TagType
from tagwire.testing.rows import Row

EVENTS = (TagType.TimeTag, TagType.MissedEvents)
BREAKS = (TagType.OverflowBegin, TagType.Error)


def with_added(rows: Sequence[Row], added: Sequence[Row], begin: int, end: int) -> list[Row]:
    """The stream with the added rows in their places: behind others of the same time, none outside the span."""
    inside = [row for row in added if begin <= row[0] < end]
    return sorted([*rows, *inside], key=lambda row: row[0])


def delayed(rows: Sequence[Row], inputs: Sequence[int], outputs: Sequence[int], delay: int) -> list[Row]:
    """Copies of events, shifted."""
    return [
        (time + delay, output, kind, missed)
        for time, channel, kind, missed in rows
        if kind in EVENTS
        for source, output in zip(inputs, outputs, strict=True)
        if source == channel
    ]


def combined(rows: Sequence[Row], inputs: Sequence[int], output: int) -> list[Row]:
    """Copies of the events of all inputs under one number."""
    return [(time, output, kind, missed) for time, channel, kind, missed in rows if channel in inputs]


def combined_counts(rows: Sequence[Row], inputs: Sequence[int]) -> list[int]:
    """Events of each input, missed ones included."""
    return [
        sum(row[3] if row[2] == TagType.MissedEvents else 1 for row in rows if row[1] == channel) for channel in inputs
    ]


def gated(
    rows: Sequence[Row], inputs: Sequence[int], outputs: Sequence[int], start: int, stop: int, initially_open: bool
) -> list[Row]:
    """Copies of the events that find the gate open."""
    added: list[Row] = []
    is_open = initially_open
    for row in rows:
        if is_open:
            added += delayed([row], inputs, outputs, 0)
        if row[2] in BREAKS:
            is_open = initially_open
        elif row[2] == TagType.TimeTag and row[1] in (start, stop):
            is_open = row[1] == start
    return added


STAMPS: dict[CoincidenceTimestamp, Callable[[list[int]], int]] = {
    CoincidenceTimestamp.Last: max,
    CoincidenceTimestamp.First: min,
    CoincidenceTimestamp.ListedFirst: lambda times: times[0],
    CoincidenceTimestamp.Average: lambda times: floor(Fraction(sum(times), len(times))),
}
"""Time of a coincidence, from the times of its tags in the order of the group."""


def coincidences(
    rows: Sequence[Row],
    groups: Sequence[Sequence[int]],
    outputs: Sequence[int],
    window: int,
    timestamp: CoincidenceTimestamp,
) -> list[Row]:
    """A tag for each tag of a group that finds the latest tags of all members within the window."""
    added: list[Row] = []
    for i, (time, channel, kind, _) in enumerate(rows):
        for group, output in zip(groups, outputs, strict=True):
            if kind == TagType.TimeTag and channel in group:
                times = _latest(rows[: i + 1], list(dict.fromkeys(group)))
                if times and time - min(times) <= window:
                    added.append((STAMPS[timestamp](times), output, TagType.TimeTag, 0))
    return added


def _latest(rows: Sequence[Row], group: list[int]) -> list[int]:
    """Latest time of each member since the last overflow, or nothing when one has none."""
    breaks = [i for i, row in enumerate(rows) if row[2] in BREAKS]
    rows = rows[breaks[-1] :] if breaks else rows
    times = {row[1]: row[0] for row in rows if row[2] == TagType.TimeTag}
    return [times[c] for c in group] if all(c in times for c in group) else []
