"""What a frequency counter must give, each sampling point by itself, with exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import Event, events


@dataclass(frozen=True)
class Sample:
    """One sampling point: index, time in ps, whether an overflow touches it, and phase and slope per channel."""

    index: int
    time: int
    overflow: bool
    phases: tuple[Fraction | None, ...]
    slopes: tuple[Fraction | None, ...]


def frequency_counter(block: TagBlock, channels: Sequence[int], interval: int, window: int) -> list[Sample]:
    """All sampling points of a capture that spans the block."""
    tags = events(block)
    samples = []
    index = 1
    while (time := block.begin + index * interval) + window // 2 < block.end:
        low, high = time - window // 2, time + window // 2
        overflow = any(begin <= high and end >= low for begin, end in _lost(tags, block.end))
        fits = [None if overflow else _fit(_phases(tags, c), time, window // 2) for c in channels]
        samples.append(Sample(index, time, overflow, tuple(f and f[0] for f in fits), tuple(f and f[1] for f in fits)))
        index += 1
    return samples


def _lost(tags: Sequence[Event], end: int) -> list[tuple[int, int]]:
    """Spans in which events may be missing."""
    spans, begun = [], None
    for tag in tags:
        if tag.type == TagType.OverflowBegin:
            begun = tag.time
        elif tag.type == TagType.OverflowEnd and begun is not None:
            spans.append((begun, tag.time))
            begun = None
        elif tag.type != TagType.TimeTag:
            spans.append((tag.time, tag.time))
    return spans if begun is None else [*spans, (begun, end)]


def _phases(tags: Sequence[Event], channel: int) -> list[tuple[int, int]]:
    """Time and phase of every time tag of a channel."""
    phases, phase = [], 0
    for tag in tags:
        if tag.channel == channel:
            phase += tag.weight
            if tag.type == TagType.TimeTag:
                phases.append((tag.time, phase))
    return phases


def _fit(phases: Sequence[tuple[int, int]], time: int, half: int) -> tuple[Fraction, Fraction] | None:
    """Value at `time` and slope of the straight line through the phases near to it."""
    near = [(t - time, p) for t, p in phases if abs(t - time) <= half]
    if len({x for x, _ in near}) < 2:
        return None
    n = len(near)
    mean_x, mean_p = Fraction(sum(x for x, _ in near), n), Fraction(sum(p for _, p in near), n)
    slope = sum(((x - mean_x) * (p - mean_p) for x, p in near), Fraction(0)) / sum((x - mean_x) ** 2 for x, _ in near)
    return mean_p - slope * mean_x, slope
