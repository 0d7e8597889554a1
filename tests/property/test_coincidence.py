"""Coincidences: independent of block cutting, equal to the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TagBlock
from tagwire.testing.oracles.virtual import coincidences, with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, distances, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.coincidence import Coincidence, Coincidences

CHANNELS = (1, 2, 3, -1)
GROUPS = st.lists(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5), min_size=1, max_size=4)
WINDOWS = st.one_of(st.integers(0, 10), st.integers(0, 500), st.sampled_from([10**6, 2**63 - 1]))
STAMPS = st.sampled_from(CoincidenceTimestamp)


@given(st.data(), tag_blocks(CHANNELS), GROUPS, STAMPS)
def test_groups_within_a_window(data, block, groups, stamp):
    window = data.draw(st.one_of(distances(block), WINDOWS))
    tagger = SteppedTagger(block, CHANNELS)
    channels = Coincidences(tagger, groups, window, stamp)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = coincidences(rows, groups, channels.getChannels(), window, stamp)
    assert tap.rows() == with_added(rows, sorted(added, key=lambda row: row[0]), block.begin, block.end)


@given(st.data(), tag_blocks(CHANNELS, overflows=False), WINDOWS, WINDOWS, STAMPS)
def test_a_new_window_begins_a_new_search(data, block, before, after, stamp):
    tagger = SteppedTagger(block, CHANNELS)
    channel = Coincidence(tagger, [1, 2], before, stamp)
    tap = Tap(tagger)
    change = data.draw(st.integers(block.begin, block.end))
    tagger.advance(change)
    channel.setCoincidenceWindow(after)
    tagger.play(data.draw(cuts(block).map(lambda times: [t for t in times if t > change])))
    rows = rows_of(block)
    early, late = [r for r in rows if r[0] < change], [r for r in rows if r[0] >= change]
    output = channel.getChannels()
    added = [
        *coincidences(early, [[1, 2]], output, before, stamp),
        *coincidences(late, [[1, 2]], output, after, stamp),
    ]
    assert tap.rows() == with_added(rows, added, block.begin, block.end)


@pytest.mark.parametrize("cuts_at", [[], [11], [12], [13, 16, 17], [21]])
@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (CoincidenceTimestamp.Last, [12, 16, 21]),
        (CoincidenceTimestamp.First, [11, 12, 16]),
        (CoincidenceTimestamp.ListedFirst, [12, 12, 21]),
        (CoincidenceTimestamp.Average, [11, 14, 18]),
    ],
)
def test_by_hand(stamp, expected, cuts_at):
    """Channel 1 at 12 and 21, channel 2 at 5, 11, 16 and 27; window 5, and 6 apart is too far."""
    time, channel = [5, 11, 12, 16, 21, 27], [2, 2, 1, 2, 1, 2]
    tagger = SteppedTagger(TagBlock(0, 40, np.array(time), np.array(channel, np.int32)))
    pair = Coincidence(tagger, [1, 2], 5, stamp)
    tap = Tap(tagger)
    tagger.play(cuts_at)
    assert [row[0] for row in tap.rows() if row[1] == pair.getChannel()] == expected


def test_the_average_of_large_times_is_exact():
    top = 2**63 - 10
    tagger = SteppedTagger(
        TagBlock(top - 10, top, np.array([top - 4, top - 3, top - 3]), np.array([1, 2, 3], np.int32))
    )
    triple = Coincidence(tagger, [1, 2, 3], 5, CoincidenceTimestamp.Average)
    tap = Tap(tagger)
    tagger.play()
    assert [row[0] for row in tap.rows() if row[1] == triple.getChannel()] == [top - 4]
