"""FrequencyStability against the published formulas, for any cuts and gaps."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.measurements.frequency_stability import FrequencyStability
from tagwire.measurements.gaps import stretches
from tagwire.testing.oracles import stability
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks


@given(
    st.data(),
    tag_blocks(channels=(1, 1, 1, 2), max_tags=80),
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.integers(1, 4),
    st.integers(1, 20),
)
@settings(max_examples=80)
def test_every_metric_is_that_of_the_formulas(data, block, steps, average, length):
    tagger = SteppedTagger(block, (1, 2))
    measured = FrequencyStability(tagger, 1, steps, average, length)
    tagger.play(data.draw(cuts(block)))
    found = measured.getDataObject()

    runs = stability.averages(_runs(block), average)
    apart = stability.distance(runs)
    taus = [m * apart for m in steps]
    _equal(found.getTau(), [tau * 1e-12 for tau in taus])
    if apart > 0:
        pairs = list(zip(steps, taus, strict=True))
        _equal(found.getADEV(), [stability.allan(runs, *p) for p in pairs])
        _equal(found.getMDEV(), [stability.modified_allan(runs, *p) for p in pairs])
        _equal(found.getHDEV(), [stability.hadamard(runs, *p) for p in pairs])
        _equal(found.getTDEV(), [stability.modified_allan(runs, m, t) * t * 1e-12 / 3**0.5 for m, t in pairs])
        _equal(found.getADEVScaled(), [stability.allan(runs, m, t) * t * 1e-12 / 3**0.5 for m, t in pairs])
        _equal(found.getHDEVScaled(), [stability.hadamard(runs, m, t) * t * 1e-12 / (10 / 3) ** 0.5 for m, t in pairs])
    _equal(found.getSTDD(), [stability.standard_deviation(runs, m) for m in steps], 1e-6)

    last = [float(x - runs[-1][0]) for x in runs[-1]][-length - 1 :] if runs else []
    assert len(found.getTraceIndex()) == len(found.getTracePhase()) == max(0, len(last) - 1)
    if len(last) > 2:
        line = np.polyval(np.polyfit(np.arange(len(last) - 1), last[1:], 1), np.arange(len(last) - 1))
        np.testing.assert_allclose(found.getTracePhase() * 1e12, np.array(last[1:]) - line, atol=1e-6, rtol=1e-6)


def _runs(block):
    runs = [[]]
    for after_gap, time, channel in stretches(block):
        if after_gap:
            runs.append([])
        runs[-1] += time[channel == 1].tolist()
    return runs


def _equal(found, expected, rtol=1e-9):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-24)
