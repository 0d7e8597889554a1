"""Hypothesis strategies for streams of tags.

They make what real streams are made of and what breaks code: equal time stamps, silence, bursts, negative channels,
overflow ranges as an instrument reports them (begin, missed events per channel, end), and errors. Needs
``hypothesis``, which the ``test`` extra installs.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.rows import Row, block_of

__all__ = ["Row", "block_of", "cuts", "distances", "tag_blocks"]


@st.composite
def tag_blocks(
    draw: st.DrawFn,
    channels: Sequence[int] = (1, 2, 3, -1),
    max_tags: int = 60,
    step: int = 50,
    begin: int | None = None,
    overflows: bool = True,
) -> TagBlock:
    """Well-formed blocks.

    Parameters
    ----------
    channels
        Channel numbers that occur.
    max_tags
        Largest number of time tags.
    step
        Largest usual distance between two tags in ps; 0 (equal times) and a few much longer silences occur too.
    begin
        Begin of the span in ps; drawn from values that include zero, negative and very large ones by default.
    overflows
        Whether overflow ranges occur, and now and then an error. Within a range there are missed events and seldom
        a time tag, as of a channel with high priority.
    """
    start = begin if begin is not None else draw(st.sampled_from([0, 1, -1000, 10**12, 2**61]))
    gaps = st.one_of(st.integers(0, 3), st.integers(0, step), st.just(20 * step))
    kinds = st.integers(0, 23) if overflows else st.just(0)
    size = draw(st.integers(0, max_tags))
    steps = st.tuples(gaps, kinds, st.sampled_from(list(channels)))
    rows: list[Row] = []
    now = start
    for gap, kind, channel in draw(st.lists(steps, min_size=size, max_size=size)):
        now += gap
        if kind == 23:
            rows.append((now, CHANNEL_UNUSED, TagType.Error, 0))
        elif kind > 20:
            now = _overflow(draw, rows, now, channels, step)
        else:
            rows.append((now, channel, TagType.TimeTag, 0))
    end = now + 1 + draw(st.integers(0, 2 * step))
    return block_of(rows, start, end)


def cuts(block: TagBlock, max_cuts: int = 8) -> st.SearchStrategy[list[int]]:
    """Times at which to cut a block into parts; on tags, beside them, and anywhere in its span."""
    near = [int(t) + d for t in block.time.tolist() for d in (0, 1)]
    anywhere = st.integers(block.begin, block.end)
    return st.lists(st.one_of(st.sampled_from(near), anywhere) if near else anywhere, max_size=max_cuts).map(sorted)


def distances(block: TagBlock) -> st.SearchStrategy[int]:
    """Distances between two of the first tags in ps, and their neighbours: where a window just reaches or misses."""
    times = block.time[:12].tolist()
    apart = sorted({abs(a - b) for a in times for b in times}) or [0]
    return st.tuples(st.sampled_from(apart), st.integers(-1, 1)).map(lambda pair: max(0, sum(pair)))


def _overflow(draw: st.DrawFn, rows: list[Row], now: int, channels: Sequence[int], step: int) -> int:
    rows.append((now, CHANNEL_UNUSED, TagType.OverflowBegin, 0))
    for channel in draw(st.lists(st.sampled_from(list(channels)), max_size=4)):
        now += draw(st.integers(0, step))
        missed = draw(st.sampled_from([1, 2, 65535, 0]))
        rows.append((now, channel, TagType.MissedEvents if missed else TagType.TimeTag, missed))
    now += draw(st.integers(0, step))
    rows.append((now, CHANNEL_UNUSED, TagType.OverflowEnd, 0))
    return now
