"""ConditionalFilterChannel and ConstantFractionDiscriminator: independent of block cutting, equal to the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.testing.oracles import selective
from tagwire.testing.oracles.virtual import with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of, cuts, distances, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.conditional import ConditionalFilterChannel
from tagwire.virtual.discriminator import ConstantFractionDiscriminator

CHANNELS = (1, 2, -1, -2)
SOME = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4)


@given(st.data(), tag_blocks(CHANNELS), SOME, SOME)
def test_the_first_event_after_a_trigger_passes(data, block, filtered, triggers):
    tagger = SteppedTagger(block, CHANNELS)
    made = ConditionalFilterChannel(tagger, filtered, triggers)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = selective.conditionally_filtered(rows, filtered, made.getChannels(), triggers)
    assert tap.rows() == with_added(rows, added, block.begin, block.end)


@given(st.data(), tag_blocks(CHANNELS, step=20), SOME)
def test_the_middle_of_a_pulse(data, block, edges):
    window = data.draw(st.one_of(distances(block).map(lambda ps: max(1, ps)), st.integers(1, 60)))
    tagger = SteppedTagger(block, CHANNELS)
    made = ConstantFractionDiscriminator(tagger, edges, window)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = selective.pulse_centres(rows, [(c, -c) for c in edges], made.getChannels(), window)
    assert tap.rows() == with_added(rows, sorted(added, key=lambda row: row[0]), block.begin, block.end)


T = TagType.TimeTag
GAP = [(20, CHANNEL_UNUSED, TagType.OverflowBegin, 0), (21, CHANNEL_UNUSED, TagType.OverflowEnd, 0)]


def played(rows, create, cut, channels=(1, 2, 3, -1)):
    """Times on the first output of the channel that `create` makes."""
    tagger = SteppedTagger(block_of([row if len(row) == 4 else (*row, T, 0) for row in rows], 0, 100), channels)
    made = create(tagger)
    tap = Tap(tagger)
    tagger.play(cut)
    return [row[0] for row in tap.rows() if row[1] == made.getChannels()[0]]


@pytest.mark.parametrize("cut", [[], [2], [12, 13, 14], [20, 21, 22]])
@pytest.mark.parametrize(
    ("rows", "passes"),
    [
        ([(1, 1), (2, 2), (3, 1), (4, 1)], [3]),
        ([(1, 2), (2, 2), (3, 1), (4, 1)], [3]),  # two triggers, one event
        ([(1, 2), (2, 3), (3, 1), (4, 1)], [3]),  # of two channels as well
        ([(13, 1), (13, 2), (13, 1), (13, 1)], [13]),  # in the order of the stream
        ([(10, 2), *GAP, (22, 1), (23, 2), (24, 1)], [24]),  # the gap may hide the event that belonged to the trigger
    ],
)
def test_filter_by_hand(rows, passes, cut):
    """Channel 1 is filtered by 2 and 3."""
    assert played(rows, lambda t: ConditionalFilterChannel(t, 1, [2, 3]), cut) == passes


@pytest.mark.parametrize("cut", [[], [11], [15, 16], [18, 20, 21]])
@pytest.mark.parametrize(
    ("rows", "centres"),
    [
        ([(10, 1), (16, -1), (20, 1), (27, -1)], [13, 23]),  # rounded down
        ([(10, 1), (20, -1)], [15]),  # as long as the window
        ([(10, 1), (21, -1), (22, -1)], []),  # longer
        ([(10, 1), (15, 1), (19, -1)], [17]),  # the latest first edge
        ([(10, -1), (10, 1), (12, -1)], [11]),
        ([(15, 1), *GAP, (22, -1)], []),
    ],
)
def test_pulses_by_hand(rows, centres, cut):
    assert played(rows, lambda t: ConstantFractionDiscriminator(t, [1], 10), cut) == centres
