"""What the time histograms must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import Event, events

GAPS = (TagType.Error, TagType.OverflowBegin, TagType.OverflowEnd)


def between_gaps(block: TagBlock) -> list[list[Event]]:
    """The time tags of a block, in lists that no overflow or error interrupts."""
    lists: list[list[Event]] = [[]]
    for event in events(block):
        if event.type in GAPS:
            lists.append([])
        elif event.type == TagType.TimeTag:
            lists[-1].append(event)
    return lists


def differences(block: TagBlock, click: int, start: int) -> Iterator[int]:
    """t(click) - t(start) in ps of all pairs of different tags without a gap between them."""
    for tags in between_gaps(block):
        for i, one in enumerate(tags):
            for j, other in enumerate(tags):
                if i != j and one.channel == click and other.channel == start:
                    yield one.time - other.time


def correlation(block: TagBlock, channel_1: int, channel_2: int, binwidth: int, n_bins: int) -> list[int]:
    """Counts of the bins, which are centred on the multiples of `binwidth`."""
    half = n_bins // 2 * binwidth + binwidth // 2
    places = Counter((tau + half) // binwidth for tau in differences(block, channel_1, channel_2))
    return [places[k] for k in range(n_bins)]


def histogram(block: TagBlock, click: int, start: int, binwidth: int, n_bins: int) -> list[int]:
    """Counts of the bins, which begin at the multiples of `binwidth`, from zero on."""
    places = Counter(tau // binwidth for tau in differences(block, click, start))
    return [places[k] for k in range(n_bins)]


def start_stop(block: TagBlock, click: int, start: int, binwidth: int) -> list[tuple[int, int]]:
    """Time in ps and count of all bins that are not empty."""
    taus: list[int] = []
    for tags in between_gaps(block):
        clicks = [e.time for e in tags if e.channel == click]
        if click == start:
            taus += [b - a for a, b in pairwise(clicks)]
            continue
        starts = sorted({e.time for e in tags if e.channel == start})
        for began, replaced in zip(starts, [*starts[1:], block.end], strict=False):
            taus += [t - began for t in clicks if began <= t < replaced][:1]
    return sorted(Counter(tau // binwidth * binwidth for tau in taus).items())


@dataclass
class Stepped:
    """Result of `time_differences`.

    Parameters
    ----------
    histograms
        Counts of each bin of each histogram.
    index
        Current histogram; -1: waits for a next tag, -2: waits for a sync tag.
    rollovers
        How often the last histogram was left by a next tag.
    end
        Stream time in ps at which the capture ended.
    """

    histograms: list[list[int]]
    index: int
    rollovers: int
    end: int


def time_differences(
    block: TagBlock,
    click: int,
    start: int,
    next_channel: int = CHANNEL_UNUSED,
    sync_channel: int = CHANNEL_UNUSED,
    binwidth: int = 1000,
    n_bins: int = 1000,
    n_histograms: int = 1,
    max_rollovers: int = 0,
) -> Stepped:
    """Histograms and state when the capture begins with the block; it ends with it or with the last rollover."""
    has_next, has_sync = next_channel != CHANNEL_UNUSED, sync_channel != CHANNEL_UNUSED
    opened = -1 if has_next else 0
    result = Stepped([[0] * n_bins for _ in range(n_histograms)], -2 if has_sync else opened, 0, block.end)
    for number, tags in enumerate(between_gaps(block)):
        if number > 0 and has_sync:
            result.index = -2
        for now, together in groupby(tags, lambda e: e.time):
            moment = list(together)
            if has_sync and any(e.channel == sync_channel for e in moment):
                result.index = opened
            for _ in [e for e in moment if has_next and e.channel == next_channel]:
                _advance(result, n_histograms, has_sync)
            if max_rollovers and result.rollovers >= max_rollovers:
                result.end = now
                return result
            for tag in [e for e in moment if e.channel == click and result.index >= 0]:
                starts = [e.time for e in tags if e is not tag and e.channel == start and e.time <= now]
                for place in [(now - t) // binwidth for t in starts]:
                    if place < n_bins:
                        result.histograms[result.index][place] += 1
    return result


def _advance(result: Stepped, n_histograms: int, has_sync: bool) -> None:
    if result.index == -2:
        return
    result.index += 1
    if result.index == n_histograms:
        result.rollovers += 1
        result.index = -2 if has_sync else 0
