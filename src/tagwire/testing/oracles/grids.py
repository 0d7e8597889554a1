"""What histograms of several dimensions must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, product

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.testing.oracles.histograms import between_gaps


def histogram_nd(
    block: TagBlock, start: int, stops: Sequence[int], binwidths: Sequence[int], n_bins: Sequence[int]
) -> list[int]:
    """Starts in each bin, the last axis running fastest."""
    cells: Counter[tuple[int, ...]] = Counter()
    for tags in between_gaps(block):
        starts = [e.time for e in tags if e.channel == start]
        for begin, after in zip(starts, [*starts[1:], None], strict=False):
            first: list[list[int]] = []
            for stop in stops:
                times = [after] if stop == start else [e.time for e in tags if e.channel == stop]
                own = [t - begin for t in times if t is not None and t >= begin]
                in_time = [tau for tau in own if stop == start or after is None or begin + tau < after]
                first.append(in_time[:1])
            if all(first):
                cells[tuple(taus[0] // w for taus, w in zip(first, binwidths, strict=True))] += 1
    return [cells[cell] for cell in product(*(range(n) for n in n_bins))]


@dataclass
class Grid:
    """Result of `time_differences_nd`: histograms, index and rollovers of each dimension, and the end in ps."""

    histograms: list[list[int]]
    index: list[int]
    rollovers: list[int]
    end: int


def time_differences_nd(
    block: TagBlock,
    click: int,
    start: int,
    nexts: Sequence[int],
    syncs: Sequence[int],
    n_histograms: Sequence[int],
    binwidth: int,
    n_bins: int,
    max_rollovers: Sequence[int],
) -> Grid:
    """Histograms and state when the capture begins with the block; it ends with it or with the last rollover."""
    cells: Counter[tuple[int, ...]] = Counter()
    index = [-1 if sync == CHANNEL_UNUSED else -2 for sync in syncs]
    rollovers = [0 for _ in syncs]
    end = block.end
    for number, tags in enumerate(between_gaps(block)):
        index = [-2 if number > 0 and s != CHANNEL_UNUSED else i for i, s in zip(index, syncs, strict=True)]
        for now, together in groupby(tags, lambda e: e.time):
            moment = list(together)
            here = [e.channel for e in moment]
            for d, (marker, sync, size) in enumerate(zip(nexts, syncs, n_histograms, strict=True)):
                if sync in here:
                    index[d] = -1
                for _ in range(here.count(marker)):
                    if index[d] == size - 1:
                        index[d] = 0 if sync == CHANNEL_UNUSED else -2
                        rollovers[d] += 1
                    elif index[d] != -2:
                        index[d] += 1
            if any(0 < most <= done for most, done in zip(max_rollovers, rollovers, strict=True)):
                end = now
                break
            for tag in [e for e in moment if e.channel == click and min(index) >= 0]:
                for other in [e for e in tags if e is not tag and e.channel == start and e.time <= now]:
                    cells[*reversed(index), (now - other.time) // binwidth] += 1
        if end < block.end:
            break
    rows = product(*(range(n) for n in reversed(n_histograms)))
    return Grid([[cells[*row, k] for k in range(n_bins)] for row in rows], index, rollovers, end)
