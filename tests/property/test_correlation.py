"""Correlation against its oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagType
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.pairs import SPAN_MAX, reciprocal
from tagwire.testing.oracles.histograms import correlation
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, -1)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
pairs_of_channels = st.sampled_from([(1, 2), (2, 1), (-1, 1), (1, 1)])
narrow = st.tuples(st.integers(1, 300), st.integers(1, 40))
wide = st.tuples(st.sampled_from([10**9 + 7, 2**40, 2**57 - 1]), st.integers(1, 9))
grids = st.one_of(narrow, wide)


@given(st.data(), blocks, pairs_of_channels, grids)
def test_counts_do_not_depend_on_the_cuts(data, block, channels, grid):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Correlation(tagger, *channels, *grid)
    tagger.play(data.draw(cuts(block)))
    assert measured.getData().tolist() == correlation(block, *channels, *grid)


@given(st.data(), blocks, narrow)
def test_without_a_second_channel_it_is_the_autocorrelation(data, block, grid):
    binwidth, n_bins = grid
    tagger = SteppedTagger(block, CHANNELS)
    measured = Correlation(tagger, 1, binwidth=binwidth, n_bins=n_bins)
    tagger.play(data.draw(cuts(block)))
    assert measured.getData().tolist() == correlation(block, 1, 1, *grid)


@given(st.data(), blocks, pairs_of_channels, narrow)
def test_normalisation_is_the_formula(data, block, channels, grid):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Correlation(tagger, *channels, *grid)
    tagger.play(data.draw(cuts(block)))
    seen = [int(np.count_nonzero((block.channel == c) & (block.types == TagType.TimeTag))) for c in channels]
    expected = (
        np.array(correlation(block, *channels, *grid)) * (block.end - block.begin) / (grid[0] * seen[0] * seen[1])
        if all(seen)
        else np.full(grid[1], np.nan)
    )
    np.testing.assert_allclose(measured.getDataNormalized(), expected, rtol=1e-12)


@given(st.data(), blocks, pairs_of_channels, narrow)
def test_no_pair_spans_a_pause(data, block, channels, grid):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Correlation(tagger, *channels, *grid)
    stopped, started = sorted(data.draw(st.tuples(*[st.integers(block.begin, block.end)] * 2)))
    tagger.advance(stopped)
    measured.stop()
    tagger.advance(started)
    measured.start()
    tagger.play(data.draw(cuts(block)))
    parts = block.take(block.begin, stopped), block.take(started, block.end)
    assert measured.getData().tolist() == np.sum([correlation(p, *channels, *grid) for p in parts], 0).tolist()


@given(st.data(), st.integers(1, 2**40), st.integers(1, 2**31 - 1))
def test_the_reciprocal_divides_exactly(data, width, bins):
    span = min(width * bins, SPAN_MAX)
    multiplier, shift = reciprocal(width, span)
    if not multiplier:
        return
    x = data.draw(st.one_of(st.integers(0, span - 1), st.integers(max(0, span - 3 * width), span - 1)))
    for edge in (x, x // width * width, max(0, x // width * width - 1), span - 1):
        assert edge * multiplier < 2**64
        assert (edge * multiplier) >> shift == edge // width


@given(st.integers(1, 10**6), st.integers(1, 2000))
def test_there_is_a_reciprocal_for_every_usual_histogram(width, bins):
    assert reciprocal(width, width * bins)[0] > 0 or width * bins > 10**9
