"""Sorted streams become one: the same as sorting all tags together, whatever lies where."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock, merge
from tagwire.frames.merging import merge_two
from tagwire.network.merge_kernel import merged
from tagwire.testing.rows import rows_of
from tagwire.testing.strategies import tag_blocks

times = st.lists(st.integers(-5, 40), max_size=40).map(sorted)


@given(times, times)
def test_two_streams_with_many_equal_times(left: list[int], right: list[int]) -> None:
    columns = []
    for stream, channel in ((left, 1), (right, 2001)):
        columns += [np.array(stream, np.int64), np.full(len(stream), channel, np.int32)]
    time, channel = merge_two(*columns)
    expected = sorted([(t, 0, 1) for t in left] + [(t, 1, 2001) for t in right])
    assert time.tolist() == [t for t, _, _ in expected]
    assert channel.tolist() == [c for _, _, c in expected]
    assert (time.dtype, channel.dtype) == (np.int64, np.int32)


@given(st.lists(tag_blocks((1, -3)), max_size=5), st.booleans())
def test_any_number_of_blocks(blocks: list[TagBlock], plain: bool) -> None:
    if plain:
        blocks = [TagBlock(b.begin, b.end, b.time, b.channel) for b in blocks]
    begin, end = min((b.begin for b in blocks), default=0), max((b.end for b in blocks), default=0)
    whole = merged(begin, end, blocks)
    assert rows_of(whole) == rows_of(merge(begin, end, blocks))
    assert (whole.begin, whole.end) == (begin, end)


def test_one_stream_far_longer_than_the_other() -> None:
    long, short = np.arange(0, 100_000, 3), np.array([1, 50_001, 50_001, 99_999, 200_000])
    time, channel = merge_two(long, np.ones(len(long), np.int32), short, np.full(len(short), 2, np.int32))
    both = np.concatenate([long, short])
    order = np.argsort(both, kind="stable")
    assert np.array_equal(time, both[order])
    assert np.array_equal(channel, np.where(order < len(long), 1, 2))
