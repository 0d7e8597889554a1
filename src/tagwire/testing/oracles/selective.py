"""What virtual channels add that pick or pair events, the slow way; rows as in `tagwire.testing.oracles.virtual`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tagwire.core.tags import TagType
from tagwire.testing.rows import Row

GAPS = (TagType.Error, TagType.OverflowBegin, TagType.OverflowEnd)


def combinations(
    rows: Sequence[Row],
    channels: Sequence[int],
    window: int,
    end: int,
    by_set: Mapping[frozenset[int], int],
    by_sum: Mapping[int, int],
) -> list[Row]:
    """A tag for each group of events within the window that has silence, and no loss, within the window around it."""
    events = [row for row in rows if row[1] in channels and row[2] == TagType.TimeTag]
    lossy = lossy_spans(rows, end)
    added: list[Row] = []
    for i, (begin, *_) in enumerate(events):
        group = [row for row in events[i:] if row[0] <= begin + window]
        last = group[-1][0]
        guarded = begin - window, last + window
        quiet = [row for row in events if guarded[0] <= row[0] <= guarded[1]] == group
        lossless = all(b < guarded[0] or a > guarded[1] for a, b in lossy)
        if quiet and lossless and guarded[1] < end:
            members = frozenset(row[1] for row in group)
            outputs = [by_set.get(members), by_sum.get(len(members))]
            added += [(last, output, TagType.TimeTag, 0) for output in outputs if output is not None]
    return added


def lossy_spans(rows: Sequence[Row], end: int) -> list[tuple[int, int]]:
    """First and last time of each range in which tags may be lost."""
    spans: list[tuple[int, int]] = []
    begun: int | None = None
    for time, _, kind, _ in rows:
        if kind == TagType.OverflowBegin and begun is None:
            begun = time
        elif kind == TagType.OverflowEnd:
            spans.append((time if begun is None else begun, time))
            begun = None
        elif kind == TagType.Error:
            spans.append((time, time))
    return spans if begun is None else [*spans, (begun, end)]


def conditionally_filtered(
    rows: Sequence[Row], inputs: Sequence[int], outputs: Sequence[int], triggers: Sequence[int]
) -> list[Row]:
    """Copies of the events that are the first of their channel after a trigger, without a gap between the two."""
    added: list[Row] = []
    for i, (time, channel, kind, _) in enumerate(rows):
        if kind != TagType.TimeTag or channel not in inputs:
            continue
        before: list[Row] = []
        for row in reversed(rows[:i]):
            if row[2] in GAPS or row[1:3] == (channel, TagType.TimeTag):
                before.append(row)
                break
            before.append(row)
        if any(row[1] in triggers and row[2] == TagType.TimeTag for row in before):
            added += [(time, o, kind, 0) for c, o in zip(inputs, outputs, strict=True) if c == channel]
    return added


def pulse_centres(
    rows: Sequence[Row],
    pairs: Sequence[tuple[int, int]],
    outputs: Sequence[int],
    window: int,
) -> list[Row]:
    """The middle of each pulse: from a first edge to the next event of its channels, if that is a second edge."""
    added: list[Row] = []
    for i, (end, channel, kind, _) in enumerate(rows):
        if kind != TagType.TimeTag:
            continue
        for (first, second), output in zip(pairs, outputs, strict=True):
            edges = [row for row in rows[:i] if row[2] in GAPS or (row[1] in (first, second) and row[2] == 0)]
            if channel == second and edges and edges[-1][1] == first and end - edges[-1][0] <= window:
                added.append(((end + edges[-1][0]) // 2, output, TagType.TimeTag, 0))
    return added
