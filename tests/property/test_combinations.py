"""Combinations: independent of block cutting, equal to the oracle."""

from __future__ import annotations

from itertools import combinations as subsets

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
from tagwire.virtual.combinations import Combinations

CHANNELS = (1, 2, 3, -1)
SETS = [frozenset(s) for n in range(1, 5) for s in subsets(CHANNELS, n)]


@given(st.data(), tag_blocks(CHANNELS), st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True))
def test_groups_with_silence_around(data, block, watched):
    window = data.draw(st.one_of(distances(block).map(lambda ps: max(1, ps)), st.integers(1, 60)))
    tagger = SteppedTagger(block, CHANNELS)
    made = Combinations(tagger, watched, window)
    sets = data.draw(st.lists(st.sampled_from([s for s in SETS if s <= set(watched)]), max_size=6))
    by_set = dict(zip(sets, made.getChannels([sorted(s) for s in sets]), strict=True))
    by_sum = {n: made.getSumChannel(n) for n in data.draw(st.lists(st.integers(1, len(watched))))}
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = selective.combinations(rows, watched, window, block.end, by_set, by_sum)
    assert tap.rows() == with_added(rows, added, block.begin, block.end)


T, B, E = TagType.TimeTag, TagType.OverflowBegin, TagType.OverflowEnd
X = CHANNEL_UNUSED


@pytest.mark.parametrize("cut", [[], [11], [15, 16], [10, 20, 30]])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(10, 1), (15, 2)], [(15, 12)]),  # as long as the window
        ([(10, 1), (16, 2)], [(10, 1), (16, 2)]),  # each alone, with 6 between them
        ([(10, 1), (13, 2), (16, 1)], []),  # longer than the window, no gap
        ([(10, 1), (12, 1), (13, 2)], [(13, 12)]),  # repeated events count once
        ([(10, 1), (10, 2), (10, 1)], [(10, 12)]),
        ([(10, 1), (10, 3), (12, 2)], [(12, 12)]),  # 3 is not watched
        ([(5, X, B), (5, X, E), (10, 1)], []),  # the guard touches the overflow
        ([(4, X, B), (4, X, E), (10, 1)], [(10, 1)]),
        ([(10, 1), (15, X, B), (20, X, E), (26, 2)], [(26, 2)]),
        ([(10, 1), (16, X, B), (30, 1), (45, X, E)], [(10, 1)]),  # within the overflow nothing is certain
    ],
)
def test_by_hand(rows, expected, cut):
    """Window 5; channel 12 stands for the pair of 1 and 2."""
    tagger = SteppedTagger(
        block_of([(t, c, *kind, 0) if kind else (t, c, T, 0) for t, c, *kind in rows], 0, 60), (1, 2, 3)
    )
    made = Combinations(tagger, [1, 2], 5)
    names = {made.getChannel([1]): 1, made.getChannel([2]): 2, made.getChannel([1, 2]): 12}
    tap = Tap(tagger)
    tagger.play(cut)
    assert [(t, names[c]) for t, c, _, _ in tap.rows() if c in names] == expected


def test_an_undecided_combination_at_the_end_of_the_stream_is_none():
    tagger = SteppedTagger(block_of([(10, 1, T, 0), (20, 1, T, 0)], 0, 25), (1,))
    made = Combinations(tagger, [1], 5)
    alone = made.getChannel([1])
    tap = Tap(tagger)
    tagger.play()
    assert [row[0] for row in tap.rows() if row[1] == alone] == [10]


def test_a_channel_is_served_from_the_first_call_that_asks_for_it():
    tagger = SteppedTagger(block_of([(10, 1, T, 0), (20, 1, T, 0), (30, 1, T, 0)], 0, 40), (1,))
    made = Combinations(tagger, [1], 3)
    tap = Tap(tagger)
    tagger.advance(22)
    alone, same = made.getSumChannel(1), made.getSumChannel(1)
    tagger.play()
    assert alone == same
    assert [row[0] for row in tap.rows() if row[1] == alone] == [20, 30]
