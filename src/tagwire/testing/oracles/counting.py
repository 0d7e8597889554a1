"""What the counting measurements must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType


@dataclass(frozen=True)
class Event:
    """One tag as plain values, in ps."""

    time: int
    channel: int
    type: int
    missed: int

    @property
    def weight(self) -> int:
        """Number of events that it stands for."""
        return {TagType.TimeTag: 1, TagType.MissedEvents: self.missed}.get(TagType(self.type), 0)


@dataclass(frozen=True)
class Bin:
    """One bin of a counter: begin in ps, events per channel, and whether it lies in an overflow."""

    begin: int
    counts: tuple[int, ...]
    overflow: bool


@dataclass(frozen=True)
class Gate:
    """One gate: begin after the first begin marker in ps, clicks, and how long it was open in ps."""

    index: int
    clicks: int
    width: int


def events(block: TagBlock) -> list[Event]:
    """The tags of a block as a list."""
    columns = block.time.tolist(), block.channel.tolist(), block.types.tolist(), block.missed_events.tolist()
    return [Event(*row) for row in zip(*columns, strict=True)]


def countrate(block: TagBlock, channels: Sequence[int]) -> tuple[list[float] | None, list[int]]:
    """Rates in Hz, or `None` before the first event, and total counts, when the capture spans the block."""
    mine = [e for e in events(block) if e.channel in channels and e.type in (TagType.TimeTag, TagType.MissedEvents)]
    totals = [sum(e.weight for e in mine if e.channel == c) for c in channels]
    if not mine:
        return None, totals
    seconds = (block.end - mine[0].time) / 1e12
    return [n / seconds for n in totals], totals


def counter(block: TagBlock, channels: Sequence[int], binwidth: int) -> list[Bin]:
    """All bins that are complete when the capture spans the block, oldest first."""
    complete = (block.end - block.begin) // binwidth
    counts = [[0] * len(channels) for _ in range(complete + 1)]
    overflow = [False] * (complete + 1)
    begun: int | None = None
    for event in events(block):
        place = (event.time - block.begin) // binwidth
        if event.channel in channels:
            counts[place][list(channels).index(event.channel)] += event.weight
        if event.type == TagType.OverflowBegin:
            begun = place
        if event.type in (TagType.OverflowBegin, TagType.OverflowEnd, TagType.MissedEvents):
            overflow[place] = True
        if event.type == TagType.OverflowEnd and begun is not None:
            overflow[begun : place + 1] = [True] * (place + 1 - begun)
            begun = None
    if begun is not None:
        overflow[begun:] = [True] * len(overflow[begun:])
    return [Bin(block.begin + i * binwidth, tuple(counts[i]), overflow[i]) for i in range(complete)]


def count_between_markers(
    block: TagBlock, click: int, begin: int, end: int = CHANNEL_UNUSED, n_values: int = 1000
) -> list[Gate]:
    """All gates that have closed when the capture spans the block, at most `n_values`."""
    rows = events(block)
    closing = begin if end == CHANNEL_UNUSED else end
    openings = [i for i, e in enumerate(rows) if e.channel == begin and e.type == TagType.TimeTag]
    gates: list[Gate] = []
    free = 0
    for opening in openings:
        if opening < free or len(gates) == n_values:
            continue
        closer = next((i for i in range(opening + 1, len(rows)) if rows[i].channel == closing), None)
        if closer is None:
            break
        free = closer
        if rows[closer].type == TagType.TimeTag:
            clicks = sum(e.weight for e in rows[opening:closer] if e.channel == click)
            gates.append(
                Gate(
                    rows[opening].time - rows[openings[0]].time,
                    clicks,
                    rows[closer].time - rows[opening].time,
                )
            )
    return gates
