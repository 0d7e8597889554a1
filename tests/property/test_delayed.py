"""Delayed channels: independent of block cutting, equal to the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock
from tagwire.testing.oracles.virtual import delayed, with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, distances, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.delayed import DelayedChannel, DelayedChannels

CHANNELS = (1, 2, 3, -1)
DELAYS = st.one_of(st.integers(-5, 5), st.integers(-3000, 3000), st.sampled_from([10**18, -(10**18)]))


@given(st.data(), tag_blocks(CHANNELS))
def test_copies_are_shifted(data, block):
    delay = data.draw(st.one_of(distances(block), distances(block).map(lambda ps: -ps), DELAYS))
    tagger = SteppedTagger(block, CHANNELS)
    inputs = data.draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4))
    channels = DelayedChannels(tagger, inputs, delay)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = delayed(rows, inputs, channels.getChannels(), delay)
    assert tap.rows() == with_added(rows, added, block.begin, block.end)


@given(st.data(), tag_blocks(CHANNELS, overflows=False), DELAYS, DELAYS)
def test_a_new_delay_holds_for_later_tags(data, block, before, after):
    tagger = SteppedTagger(block, CHANNELS)
    channel = DelayedChannel(tagger, 1, before)
    tap = Tap(tagger)
    times = sorted([*data.draw(cuts(block)), data.draw(st.integers(block.begin, block.end))])
    change = data.draw(st.sampled_from(times))
    for cut in times:
        tagger.advance(cut)
        if cut == change:
            channel.setDelay(after)
    tagger.play()
    rows = rows_of(block)
    early, late = [r for r in rows if r[0] < change], [r for r in rows if r[0] >= change]
    given_out = max(block.begin, change + min(0, before))
    later = [r for r in delayed(late, [1], channel.getChannels(), after) if r[0] >= given_out]
    added = [*delayed(early, [1], channel.getChannels(), before), *later]
    assert tap.rows() == with_added(rows, added, block.begin, block.end)


@pytest.mark.parametrize("cut", [[], [5], [10], [11, 12], [20]])
def test_by_hand(cut):
    tagger = SteppedTagger(TagBlock(0, 30, np.array([3, 5, 10, 11]), np.array([1, 2, 1, 1], np.int32)))
    later, earlier = DelayedChannel(tagger, 1, 6), DelayedChannel(tagger, 1, -6)
    tap = Tap(tagger)
    tagger.play(cut)
    rows = [(t, c) for t, c, _, _ in tap.rows()]
    assert [t for t, c in rows if c == later.getChannel()] == [9, 16, 17]
    assert [t for t, c in rows if c == earlier.getChannel()] == [4, 5]
    assert rows.index((5, 2)) < rows.index((5, earlier.getChannel()))
