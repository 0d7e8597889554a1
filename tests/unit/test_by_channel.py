"""When the tags of some channels are looked for in a block, and what comes out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.by_channel import FEWEST, ByChannel

LONG = 5 * FEWEST + 7


def turns(size: int) -> TagBlock:
    """Tags of the channels 1 to 5 in turn."""
    time = np.arange(size)
    return TagBlock(0, size, time, (time % 5 + 1).astype(np.int32))


@pytest.mark.parametrize("channels", [[1], [4, 2], [5, 1, 77]])
def test_the_tags_of_some_channels_in_order(channels):
    block, seen = turns(LONG), ByChannel(turns(LONG))
    seen.of(frozenset([3]))
    found = seen.of(frozenset(channels))
    expected = np.isin(block.channel, channels)
    assert found.time.tolist() == block.time[expected].tolist()
    assert found.channel.tolist() == block.channel[expected].tolist()
    assert (found.begin, found.end) == (block.begin, block.end)
    assert seen.of(frozenset([*channels, 78])) is found


def test_the_only_one_who_asks_looks_at_everything():
    block = turns(LONG)
    seen = ByChannel(block)
    assert len(seen.of(frozenset([1001]))) == 0
    assert seen.of(frozenset([1])) is block
    assert seen.of(frozenset([1])) is not block


@pytest.mark.parametrize(("size", "channels"), [(FEWEST - 1, [1]), (LONG, [1, 2, 3]), (LONG, [1, 2, 3, 4, 5])], ids=str)
def test_everything_where_looking_for_a_part_does_not_pay(size, channels):
    block = turns(size)
    seen = ByChannel(block)
    seen.of(frozenset([1]))
    assert seen.of(frozenset(channels)) is block


def test_only_so_much_is_kept_for_others():
    time = np.arange(LONG)
    seen = ByChannel(TagBlock(0, LONG, time, (time % 20 + 1).astype(np.int32)))
    seen.of(frozenset([1]))
    found = 0
    for pair in combinations(range(1, 21), 2):
        found += len(seen.of(frozenset(pair)))
        assert sum(len(kept) for kept in seen._found.values()) <= 16 * LONG
    assert found == 19 * LONG


def test_an_overflow_concerns_all_channels():
    plain = turns(LONG)
    kinds = np.zeros(LONG, np.uint8)
    kinds[3], plain.channel[3] = TagType.OverflowBegin, CHANNEL_UNUSED
    block = TagBlock(0, LONG, plain.time, plain.channel, kinds, np.zeros(LONG, np.uint16))
    seen = ByChannel(block)
    assert all(seen.of(frozenset(channels)) is block for channels in ([1], [1], [77]))


def close_by_hand(time: np.ndarray, begin: int, end: int, window: int) -> list[bool]:
    """Whether each tag has another one within the window, or an end of the block."""
    edges = [begin - 1, *time.tolist(), end]
    return [
        t - before <= window or after - t <= window
        for before, t, after in zip(edges, edges[1:], edges[2:], strict=False)
    ]


@pytest.mark.parametrize("window", [0, 1, 7, 50])
def test_the_tags_that_are_close_to_others(window):
    rng = np.random.default_rng(window)
    time = np.cumsum(rng.choice([0, 1, 2, 7, 8, 50, 51, 900], LONG, p=[*[0.01] * 7, 0.93]))
    block = TagBlock(-20, int(time[-1]) + 30, time, rng.integers(1, 5, LONG).astype(np.int32))
    seen = ByChannel(block)
    assert seen.close(frozenset([1, 2]), window) is block
    found = seen.close(frozenset([1, 2]), window)
    wanted = np.array(close_by_hand(time, block.begin, block.end, window)) & (block.channel <= 2)
    mine = found.channel <= 2
    assert found.time[mine].tolist() == time[wanted].tolist()
    assert found.channel[mine].tolist() == block.channel[wanted].tolist()
    assert (found.begin, found.end) == (block.begin, block.end)
    assert len(found) < LONG / 2


def test_where_most_are_close_nothing_is_left_out_for_it():
    block = turns(LONG)
    seen = ByChannel(block)
    seen.of(frozenset([3]))
    assert len(seen.close(frozenset([1, 2]), 5)) == np.count_nonzero(block.channel <= 2)
