"""What merging recordings must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import events

Row = tuple[int, int, int, int]
"""One tag: time, channel, type, missed events."""


def merged(
    blocks: Sequence[TagBlock], channel_offsets: Sequence[int], time_offsets: Sequence[int], overlap_only: bool
) -> list[Row]:
    """The tags of the merged recording, as `mergeStreamFiles` documents it.

    Every tag keeps its type. Where overflows of several recordings overlap, only the first begin and the last end of
    them are left.
    """
    spans = [(b.begin + later, b.end + later) for b, later in zip(blocks, time_offsets, strict=True)]
    begin, end = max(s[0] for s in spans), min(s[1] for s in spans)
    rows: list[tuple[int, int, Row]] = []
    for number, block in enumerate(blocks):
        for event in events(block):
            time = event.time + time_offsets[number]
            if overlap_only and not begin <= time < end:
                continue
            channel = event.channel
            if event.type in (TagType.TimeTag, TagType.MissedEvents):
                channel += channel_offsets[number] if channel >= 0 else -channel_offsets[number]
            rows.append((time, number, (time, channel, int(event.type), event.missed)))
    rows.sort(key=lambda row: row[:2])
    kept: list[Row] = []
    within: set[int] = set()
    for _, number, row in rows:
        if row[2] == TagType.OverflowBegin:
            if not within:
                kept.append(row)
            within.add(number)
        elif row[2] == TagType.OverflowEnd:
            within.discard(number)
            if not within:
                kept.append(row)
        else:
            kept.append(row)
    return kept
