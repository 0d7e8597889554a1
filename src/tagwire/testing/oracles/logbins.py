"""What histograms in bins of any width and their normalisation must give, worked out the slow way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import Event, events

Gate = tuple[int, int, bool]
"""Channel that opens, channel that closes, whether it is open at first."""

Span = tuple[int, int]


@dataclass
class Watched:
    """What was evaluated of one channel within one unbroken part of the stream: tags, and spans of time in ps."""

    tags: list[Event] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


@dataclass
class LogBins:
    """Result of `log_bins`.

    Parameters
    ----------
    counts
        Pairs in each bin.
    areas
        Integral of the evaluated time over each bin, in ps².
    events, durations
        Tags, and time in ps, that were evaluated of clicks and of starts.
    """

    counts: list[int]
    areas: list[Fraction]
    events: tuple[int, int]
    durations: tuple[int, int]

    def normalization(self) -> list[float] | None:
        """Expected counts of each bin; `None` where they are not defined."""
        if not all(self.durations):
            return None
        rate = Fraction(self.events[0] * self.events[1], self.durations[0] * self.durations[1])
        return [float(area * rate) for area in self.areas]


def watched(block: TagBlock, tags: list[Event], channel: int, gate: Gate | None) -> list[Watched]:
    """What is evaluated of a channel, in parts between which errors lie."""
    is_open = initial = gate is None or gate[2]
    lost = False
    parts, since = [Watched()], block.begin
    for event in [*tags, Event(block.end, 0, TagType.Error, 0)]:
        if is_open and not lost and event.time > since:
            parts[-1].spans.append((since, event.time))
        since = event.time
        if event.type == TagType.TimeTag:
            if is_open and not lost and event.channel == channel:
                parts[-1].tags.append(event)
            if gate is not None and event.channel in gate[:2]:
                is_open = event.channel == gate[0]
        elif event.type in (TagType.OverflowBegin, TagType.Error):
            is_open = initial
        if event.type in (TagType.OverflowBegin, TagType.OverflowEnd):
            lost = event.type == TagType.OverflowBegin
        if event.type == TagType.Error:
            parts.append(Watched())
    return parts


def area_below(lag: int, click: Span, start: Span) -> Fraction:
    """Area of ``click time - start time < lag`` among all moments of two spans."""

    def half_square(x: int) -> Fraction:
        return Fraction(max(x, 0) ** 2, 2)

    corners = [(1, click[0], start[1]), (1, click[1], start[0]), (-1, click[0], start[0]), (-1, click[1], start[1])]
    return sum((sign * half_square(lag - (c - s)) for sign, c, s in corners), Fraction(0))


def log_bins(
    block: TagBlock,
    click: int,
    start: int,
    edges: Sequence[int],
    click_gate: Gate | None = None,
    start_gate: Gate | None = None,
) -> LogBins:
    """Counts and normalisation when the capture spans the block."""
    tags = events(block)
    clicks, starts = watched(block, tags, click, click_gate), watched(block, tags, start, start_gate)
    counts = [0] * (len(edges) - 1)
    areas = [Fraction(0)] * (len(edges) - 1)
    for one, other in zip(clicks, starts, strict=True):
        taus = [c.time - s.time for c in one.tags for s in other.tags if c is not s]
        for k in range(len(counts)):
            counts[k] += sum(edges[k] <= tau < edges[k + 1] for tau in taus)
            for c in one.spans:
                for s in other.spans:
                    areas[k] += area_below(edges[k + 1], c, s) - area_below(edges[k], c, s)
    seen = sum(len(w.tags) for w in clicks), sum(len(w.tags) for w in starts)
    times = sum(b - a for w in clicks for a, b in w.spans), sum(b - a for w in starts for a, b in w.spans)
    return LogBins(counts, areas, seen, times)
