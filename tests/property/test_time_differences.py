"""TimeDifferences against its oracle, wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.measurements.timedifferences import TimeDifferences
from tagwire.testing.oracles.histograms import histogram, time_differences
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, 4)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
clicks_and_starts = st.sampled_from([(1, 2), (2, 1), (1, 1)])
markers = st.sampled_from(
    [
        (3, CHANNEL_UNUSED),
        (3, 4),
        (CHANNEL_UNUSED, 4),
        (CHANNEL_UNUSED, CHANNEL_UNUSED),
        (3, 3),
        (1, 4),  # a click that is a marker as well
        (3, 2),
    ]
)
grids = st.tuples(st.integers(1, 300), st.integers(1, 40), st.integers(1, 4))


@given(st.data(), blocks, clicks_and_starts, markers, grids, st.integers(0, 3))
def test_histograms_and_state_do_not_depend_on_the_cuts(data, block, channels, marked, grid, rollovers):
    tagger = SteppedTagger(block, CHANNELS)
    measured = TimeDifferences(tagger, *channels, *marked, *grid)
    measured.setMaxRollovers(rollovers)
    tagger.play(data.draw(cuts(block)))
    expected = time_differences(block, *channels, *marked, *grid, max_rollovers=rollovers)
    assert measured.getData().tolist() == expected.histograms
    assert measured.getHistogramIndex() == expected.index
    assert measured.getCounts() == expected.rollovers
    assert measured.ready() == (0 < rollovers <= expected.rollovers)
    assert measured.isRunning() == (not measured.ready())
    assert measured.getCaptureDuration() == expected.end - block.begin


@given(st.data(), blocks, clicks_and_starts, grids)
def test_without_markers_it_is_the_histogram(data, block, channels, grid):
    tagger = SteppedTagger(block, CHANNELS)
    measured = TimeDifferences(tagger, *channels, binwidth=grid[0], n_bins=grid[1])
    tagger.play(data.draw(cuts(block)))
    assert measured.getData().tolist() == [histogram(block, *channels, *grid[:2])]
