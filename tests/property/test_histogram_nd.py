"""Histogram2D, HistogramND and TimeDifferencesND against their oracles, wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.measurements.histogramnd import Histogram2D, HistogramND
from tagwire.measurements.timedifferencesnd import TimeDifferencesND
from tagwire.testing.oracles.grids import histogram_nd, time_differences_nd
from tagwire.testing.oracles.histograms import time_differences
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, 4)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
axes = st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(1, 80), st.integers(1, 9)), min_size=1, max_size=3)
dimensions = st.lists(
    st.tuples(
        st.sampled_from([3, 4, 1]), st.sampled_from([CHANNEL_UNUSED, 4, 3, 2]), st.integers(1, 3), st.integers(0, 3)
    ),
    min_size=1,
    max_size=3,
)


@given(st.data(), blocks, axes)
def test_starts_do_not_depend_on_the_cuts(data, block, axes):
    grid = list(zip(*axes, strict=True))
    tagger = SteppedTagger(block, CHANNELS)
    measured = HistogramND(tagger, 1, *grid)
    tagger.play(data.draw(cuts(block)))
    assert measured.getData().tolist() == histogram_nd(block, 1, *grid)


@given(st.data(), blocks, st.tuples(*[st.integers(1, 80)] * 2), st.tuples(*[st.integers(1, 9)] * 2))
@settings(max_examples=40)
def test_two_dimensions_are_the_same(data, block, widths, bins):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Histogram2D(tagger, 1, 2, 3, *widths, *bins)
    tagger.play(data.draw(cuts(block)))
    assert measured.getData().shape == bins
    assert measured.getData().ravel().tolist() == histogram_nd(block, 1, (2, 3), widths, bins)


@given(st.data(), blocks, st.sampled_from([(1, 2), (2, 1), (1, 1)]), dimensions, st.integers(1, 300))
def test_histograms_and_state_do_not_depend_on_the_cuts(data, block, channels, dimensions, binwidth):
    nexts, syncs, shape, rollovers = zip(*dimensions, strict=True)
    tagger = SteppedTagger(block, CHANNELS)
    measured = TimeDifferencesND(tagger, *channels, nexts, syncs, shape, binwidth, 7)
    measured.setMaxRollovers(rollovers)
    tagger.play(data.draw(cuts(block)))
    expected = time_differences_nd(block, *channels, nexts, syncs, shape, binwidth, 7, rollovers)
    assert measured.getData().tolist() == expected.histograms
    assert measured.getHistogramIndex().tolist() == expected.index
    assert measured.getRollovers().tolist() == expected.rollovers
    # Next tags of equal time act together, so there may be more rollovers than asked for.
    ended = any(0 < r <= done for r, done in zip(rollovers, expected.rollovers, strict=True))
    assert measured.isRunning() == (not ended)
    assert measured.getCaptureDuration() == expected.end - block.begin


@given(st.data(), blocks, st.sampled_from([CHANNEL_UNUSED, 4]), st.integers(1, 4))
@settings(max_examples=40)
def test_one_dimension_is_time_differences(data, block, sync, n_histograms):
    tagger = SteppedTagger(block, CHANNELS)
    measured = TimeDifferencesND(tagger, 1, 2, [3], [sync], [n_histograms], 20, 9)
    tagger.play(data.draw(cuts(block)))
    expected = time_differences(block, 1, 2, 3, sync, 20, 9, n_histograms)
    assert measured.getData().tolist() == expected.histograms
