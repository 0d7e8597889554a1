"""StartStop against its oracle, wherever the stream is cut."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.measurements import startstop
from tagwire.measurements.startstop import StartStop
from tagwire.testing.oracles.histograms import start_stop
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, -1)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**9]).flatmap(
    # Steps of up to 20 times this reach beyond the bins that are counted in an array.
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin, step=startstop.NEAR_BINS // 5)
)
pairs_of_channels = st.sampled_from([(1, 2), (2, -1), (2, 2)])
widths = st.one_of(st.integers(1, 5), st.integers(1, 10**5))


@given(st.data(), blocks, pairs_of_channels, widths)
def test_times_do_not_depend_on_the_cuts(data, block, channels, binwidth):
    tagger = SteppedTagger(block, CHANNELS)
    measured = StartStop(tagger, *channels, binwidth)
    tagger.play(data.draw(cuts(block)))
    assert [tuple(row) for row in measured.getData().tolist()] == start_stop(block, *channels, binwidth)


@given(st.lists(st.lists(st.integers(0, 2**61), max_size=5), max_size=20))
def test_sparse_counts_count(batches):
    counts = startstop.SparseCounts()
    for batch in batches:
        counts.add(np.array(batch, np.int64))
    numbers, totals = counts.total()
    expected = sorted(Counter(n for batch in batches for n in batch).items())
    assert list(zip(numbers.tolist(), totals.tolist(), strict=True)) == expected
