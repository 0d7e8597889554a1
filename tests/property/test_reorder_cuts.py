"""The reorder buffer gives one ordered stream without gaps, however it is fed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock, join, merge, pick
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands
from tagwire.testing.strategies import cuts, tag_blocks

ADDED = 1001


def copies(block: TagBlock, shifts: list[int]) -> TagBlock:
    """Every tag of the block once per shift, on a channel of its own, in order of time."""
    time = np.sort(np.add.outer(block.time, np.array(shifts, np.int64)).ravel())
    return TagBlock(block.begin, block.end, time, np.full(len(time), ADDED, np.int32))


@given(st.data(), tag_blocks(overflows=False), st.integers(0, 300), st.lists(st.integers(0, 300), max_size=3))
def test_early_and_late_tags_come_out_in_order_wherever_the_stream_is_cut(data, block, lookback, later):
    buffer = ReorderBuffer()
    given_out, rest = [], block
    for cut in [*data.draw(cuts(block)), block.end]:
        part, rest = rest.split(cut)
        given_out.append(buffer.push(Strands(part), copies(part, [-lookback, *later]), lookback).whole())
        assert given_out[-1].end == max(block.begin, part.end - lookback)
    given_out.append(buffer.flush().whole())
    whole = join(given_out)

    added = copies(block, [-lookback, *later])
    inside = pick(added, (added.time >= block.begin) & (added.time < block.end))
    expected = merge(block.begin, block.end, [block, inside])
    assert (whole.begin, whole.end) == (block.begin, block.end)
    assert whole.time.tolist() == expected.time.tolist()
    assert whole.channel.tolist() == expected.channel.tolist()
    assert buffer.late == int(np.count_nonzero(added.time < block.begin))


@given(st.data(), tag_blocks(), st.lists(st.integers(0, 500), min_size=9, max_size=9))
def test_a_changing_lookback_never_moves_the_watermark_back(data, block, lookbacks):
    buffer = ReorderBuffer()
    given_out, rest = [], block
    for cut, lookback in zip([*data.draw(cuts(block)), block.end], lookbacks, strict=False):
        part, rest = rest.split(cut)
        given_out.append(buffer.push(Strands(part), None, lookback).whole())
    given_out.append(buffer.flush().whole())
    whole = join(given_out)
    assert whole.time.tolist() == block.time.tolist()
    assert whole.types.tolist() == block.types.tolist()
    assert whole.missed_events.tolist() == block.missed_events.tolist()
