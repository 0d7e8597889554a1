"""CorrelationPairs against the oracle of Correlation, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagType
from tagwire.measurements.correlationpairs import CorrelationPairs
from tagwire.testing.oracles.histograms import correlation
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
lists = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4, unique=True)
narrow = st.tuples(st.integers(1, 300), st.integers(1, 40))
wide = st.tuples(st.sampled_from([10**9 + 7, 2**40, 2**57 - 1]), st.integers(1, 9))


@given(st.data(), blocks, lists, st.one_of(narrow, wide))
def test_counts_and_normalisation_do_not_depend_on_the_cuts(data, block, channels, grid):
    tagger = SteppedTagger(block, CHANNELS)
    measured = CorrelationPairs(tagger, channels, *grid)
    tagger.play(data.draw(cuts(block)))
    expected = [[correlation(block, stop, start, *grid) for stop in channels] for start in channels]
    result = measured.getDataObject()
    assert result.getCounts().tolist() == expected
    seen = [int(np.count_nonzero((block.channel == c) & (block.types == TagType.TimeTag))) for c in channels]
    with_self = np.array(expected)
    for i, number in enumerate(seen):
        with_self[i, i, grid[1] // 2] += number
    assert result.getCounts(False).tolist() == with_self.tolist()
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = (block.end - block.begin) / (grid[0] * np.outer(seen, seen).astype(float))[:, :, None]
        np.testing.assert_allclose(result.getG2(), np.array(expected) * scale, rtol=1e-12)
        np.testing.assert_allclose(result.getG2(False), with_self * scale, rtol=1e-12)
