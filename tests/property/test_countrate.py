"""Countrate against its oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.measurements.countrate import Countrate
from tagwire.testing.oracles.counting import countrate
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1)


@given(st.data(), tag_blocks(channels=CHANNELS), st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5))
def test_rates_and_totals_do_not_depend_on_the_cuts(data, block, channels):
    tagger = SteppedTagger(block, CHANNELS)
    rate = Countrate(tagger, channels)
    tagger.play(data.draw(cuts(block)))
    rates, totals = countrate(block, channels)
    assert rate.getCountsTotal().tolist() == totals
    assert rate.getCountsTotal().dtype == np.int64
    expected = np.full(len(channels), np.nan) if rates is None else rates
    np.testing.assert_allclose(rate.getData(), expected, rtol=1e-12)
