"""Tag blocks and channel tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TAG_DTYPE, TagBlock, TagType, concatenate, join, merge, overflow_tags, pick
from tagwire.testing.oracles.counting import events
from tagwire.testing.strategies import cuts, tag_blocks


def tags(begin, end, *times, channel=1):
    return TagBlock(begin, end, np.array(times, np.int64), np.full(len(times), channel, np.int32))


@given(st.data(), tag_blocks())
def test_parts_join_to_the_whole(data, block):
    parts, rest = [], block
    for cut in data.draw(cuts(block)):
        part, rest = rest.split(cut)
        assert all(part.begin <= t < part.end for t in part.time.tolist())
        parts.append(part)
    whole = join([*parts, rest])
    assert (whole.begin, whole.end) == (block.begin, block.end)
    assert events(whole) == events(block)


@given(st.data(), tag_blocks())
def test_take_gives_the_tags_within_the_span(data, block):
    edge = st.integers(block.begin - 10, block.end + 10)
    begin, end = sorted(data.draw(st.tuples(edge, edge)))
    part = block.take(begin, end)
    assert events(part) == [e for e in events(block) if begin <= e.time < end]


def test_a_block_may_be_split_outside_its_span():
    block = tags(10, 20, 15)
    before, after = block.split(5)
    assert (before.begin, before.end, len(after)) == (10, 10, 1)
    before, after = block.split(25)
    assert (len(before), after.begin, after.end) == (1, 20, 20)


def test_join_refuses_gaps_and_nothing():
    with pytest.raises(ValueError, match="ends at 10 ps and the next begins at 11 ps"):
        join([tags(0, 10), tags(11, 20)])
    with pytest.raises(ValueError, match="no block"):
        join([])


def test_concatenating_a_plain_block_with_another_writes_out_the_types():
    both = concatenate(0, 20, [tags(0, 10, 5), overflow_tags(10, TagType.OverflowBegin, 20)])
    assert both.type.tolist() == [0, 2]
    assert both.missed.tolist() == [0, 0]
    assert both.channel.tolist() == [1, CHANNEL_UNUSED]
    assert not both.plain
    assert concatenate(0, 20, [tags(0, 10, 5), tags(10, 20, 15)]).plain
    assert len(concatenate(0, 20, [])) == 0


def test_merge_keeps_the_order_of_the_blocks_at_equal_times():
    merged = merge(0, 10, [tags(0, 10, 1, 5, channel=1), tags(0, 10, 1, 4, 5, channel=2), tags(0, 10)])
    assert merged.time.tolist() == [1, 1, 4, 5, 5]
    assert merged.channel.tolist() == [1, 2, 2, 1, 2]
    assert (merged.begin, merged.end) == (0, 10)


def test_pick_keeps_the_span():
    block = tags(0, 10, 1, 5, 7)
    some = pick(block, block.time > 4)
    assert (some.begin, some.end, some.time.tolist()) == (0, 10, [5, 7])


def test_records_have_the_vendors_layout():
    assert TAG_DTYPE.itemsize == 16
    records = overflow_tags(7, TagType.MissedEvents, 8).records()
    assert records.tobytes() == bytes([4, 0, 0, 0, 0, 0, 0, 0xF8, 7, 0, 0, 0, 0, 0, 0, 0])


def test_a_channel_table_finds_places_and_nothing_else():
    index = ChannelIndex([3, -1, 8])
    found = {c: index.table[c - index.first] for c in range(-1, 9)}
    assert {c: p for c, p in found.items() if p >= 0} == {3: 0, -1: 1, 8: 2}
    assert len(index) == 3
    assert not 0 <= CHANNEL_UNUSED - index.first < len(index.table)


def test_a_channel_table_of_no_channels_is_empty():
    assert len(ChannelIndex([CHANNEL_UNUSED])) == 0
    assert len(ChannelIndex([]).table) == 0
