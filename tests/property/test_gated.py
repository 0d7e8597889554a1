"""Gated channels: independent of block cutting, equal to the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.enums import GatedChannelInitial
from tagwire.core.tags import TagType
from tagwire.testing.oracles.virtual import gated, with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of, cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.gated import GatedChannel, GatedChannels

CHANNELS = (1, 2, 3, -1)
INITIAL = st.sampled_from(GatedChannelInitial)
GATES = st.permutations(CHANNELS).map(lambda order: order[:2])


@given(st.data(), tag_blocks(CHANNELS), GATES, INITIAL)
def test_events_pass_an_open_gate(data, block, gates, initial):
    tagger = SteppedTagger(block, CHANNELS)
    inputs = data.draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4))
    channels = GatedChannels(tagger, inputs, *gates, initial)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = gated(rows, inputs, channels.getChannels(), *gates, initial == GatedChannelInitial.Open)
    assert tap.rows() == with_added(rows, added, block.begin, block.end)


EVENT, BEGIN, END, MISSED = TagType.TimeTag, TagType.OverflowBegin, TagType.OverflowEnd, TagType.MissedEvents
STREAM = [
    (1, 1, EVENT, 0),
    (2, 2, EVENT, 0),  # opens
    (2, 1, EVENT, 0),
    (3, 1, EVENT, 0),
    (3, 3, EVENT, 0),  # closes
    (3, 1, EVENT, 0),
    (4, 2, EVENT, 0),  # opens
    (5, CHANNEL_UNUSED, BEGIN, 0),
    (6, 1, MISSED, 7),
    (7, 3, MISSED, 2),
    (8, CHANNEL_UNUSED, END, 0),
    (9, 1, EVENT, 0),
]


@pytest.mark.parametrize(
    ("initial", "expected"),
    [(GatedChannelInitial.Closed, [2, 3]), (GatedChannelInitial.Open, [1, 2, 3, 6, 9])],
)
@pytest.mark.parametrize("cut", [[], [3], [5, 6]])
def test_by_hand(initial, expected, cut):
    tagger = SteppedTagger(block_of(STREAM, 0, 20), (1, 2, 3))
    gate = GatedChannel(tagger, 1, 2, 3, initial)
    tap = Tap(tagger)
    tagger.play(cut)
    assert [row[0] for row in tap.rows() if row[1] == gate.getChannel()] == expected


def test_an_input_that_is_a_gate_is_judged_first():
    time = np.arange(1, 7)
    rows = [(int(t), c, EVENT, 0) for t, c in zip(time, (2, 3, 3, 2, 2, 3), strict=True)]
    tagger = SteppedTagger(block_of(rows, 0, 10))
    gate = GatedChannels(tagger, [2, 3], 2, 3)
    opening, closing = gate.getChannels()
    tap = Tap(tagger)
    tagger.play()
    assert [(t, c) for t, c, _, _ in tap.rows() if c > 3] == [(2, closing), (5, opening), (6, closing)]
