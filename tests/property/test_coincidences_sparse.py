"""Coincidences of rare neighbours: tags that stand alone are passed over, and what is found stays the same."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TagBlock
from tagwire.testing.oracles.virtual import coincidences, with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.coincidence import Coincidences

CHANNELS = (1, 2, 3, 4, 5)
GROUPS = [list(pair) for pair in combinations((1, 2, 3, 4), 2)] + [[1, 2, 3], [4, 3, 2, 1]]


def tags(seed: int, size: int, spread: int) -> TagBlock:
    """Tags in short bursts far from each other."""
    rng = np.random.default_rng(seed)
    gaps = np.where(rng.random(size) < 0.3, rng.integers(0, 12, size), rng.integers(0, spread, size))
    time = np.cumsum(gaps)
    return TagBlock(0, int(time[-1]) + 1, time, rng.choice(CHANNELS, size).astype(np.int32))


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(2, 300),
    window=st.integers(0, 25),
    stamp=st.sampled_from(CoincidenceTimestamp),
    cuts=st.lists(st.floats(0, 1), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_bursts_far_from_each_other(seed, size, window, stamp, cuts):
    block = tags(seed, size, 1000)
    tagger = SteppedTagger(block, CHANNELS)
    channels = Coincidences(tagger, GROUPS, window, stamp)
    tap = Tap(tagger)
    tagger.play([int(cut * block.end) for cut in cuts])
    rows = rows_of(block)
    added = coincidences(rows, GROUPS, channels.getChannels(), window, stamp)
    assert tap.rows() == with_added(rows, sorted(added, key=lambda row: row[0]), block.begin, block.end)


def test_a_long_block_gives_what_many_short_ones_give():
    block = tags(3, 10_000, 1000)
    rows = []
    for cuts in ([], block.time[::7].tolist()):
        tagger = SteppedTagger(block, CHANNELS)
        channels = Coincidences(tagger, GROUPS, 10)
        tap = Tap(tagger)
        tagger.play(cuts)
        rows.append([row for row in tap.rows() if row[1] in channels.getChannels()])
    assert len(rows[0]) > 1000
    assert rows[0] == rows[1]
