"""Histogram against its oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import reorder
from tagwire.measurements.histogram import Histogram
from tagwire.testing.oracles.histograms import histogram
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, -1)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
pairs_of_channels = st.sampled_from([(1, 2), (2, -1), (2, 2)])
grids = st.one_of(
    st.tuples(st.integers(1, 300), st.integers(1, 40)),
    st.tuples(st.sampled_from([10**9 + 7, 2**40, 2**57 - 1]), st.integers(1, 9)),
)


@given(st.data(), blocks, pairs_of_channels, grids)
def test_counts_do_not_depend_on_the_cuts(data, block, channels, grid):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Histogram(tagger, *channels, *grid)
    tagger.play(data.draw(cuts(block)))
    assert measured.getData().tolist() == histogram(block, *channels, *grid)


@given(tag_blocks(channels=CHANNELS, overflows=False, step=3), pairs_of_channels, st.integers(1, 9))
def test_the_order_of_simultaneous_tags_does_not_matter(block, channels, binwidth):
    swapped = reorder(block, np.lexsort([-np.arange(len(block)), block.time]))
    results = []
    for stream in (block, swapped):
        tagger = SteppedTagger(stream, CHANNELS)
        measured = Histogram(tagger, *channels, binwidth, 10)
        tagger.play()
        results.append(measured.getData().tolist())
    assert results[0] == results[1]
