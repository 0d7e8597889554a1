"""FrequencyCounter against its oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.measurements.frequency_counter import FrequencyCounter
from tagwire.testing.oracles.frequency import frequency_counter
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2)
widths = st.integers(20, 600)


@given(st.data(), tag_blocks(channels=CHANNELS), widths, widths, st.sampled_from([0, 3]), st.booleans())
@settings(max_examples=80)
def test_phases_are_those_of_the_oracle(data, block, interval, window, n_values, last):
    tagger = SteppedTagger(block, CHANNELS)
    measured = FrequencyCounter(tagger, CHANNELS, interval, window, n_values)
    tagger.play(data.draw(cuts(block)))
    found = measured.getDataObject(channels_last_dim=last)
    everything = frequency_counter(block, CHANNELS, interval, window)
    expected = everything[-n_values:] if n_values else everything

    def turned(values):
        return values.T if last else values

    assert found.size == len(expected)
    assert found.overflow_samples == sum(s.overflow for s in everything)
    assert found.getIndex().tolist() == [s.index for s in expected]
    assert found.getTime().tolist() == [s.time for s in expected]
    assert turned(found.getOverflowMask()).tolist() == [[s.overflow for s in expected]] * 2
    whole, fraction = turned(found.getPeriodsCount()), turned(found.getPeriodsFraction())
    slope, phase = turned(found.getFrequencyInstantaneous()), turned(found.getPhase(3e10))
    rate = turned(found.getFrequency(-1))
    for row in range(2):
        for i, one in enumerate(expected):
            p, before = one.phases[row], everything[one.index - 2].phases[row] if one.index > 1 else None
            if p is None:
                assert whole[row, i] == 0
                assert np.isnan([fraction[row, i], slope[row, i], phase[row, i], rate[row, i]]).all()
                continue
            assert 0 <= fraction[row, i] < 1
            assert abs(whole[row, i] - p + fraction[row, i]) < 1e-7 * max(1, abs(p))
            assert abs(slope[row, i] - float(one.slopes[row]) * 1e12) < 1e-6 * 1e12
            ideal = p - one.index * interval * 3 / 100
            assert abs(phase[row, i] - ideal) < 1e-7 * max(1, abs(p))
            assert (
                np.isnan(rate[row, i]) if before is None else abs(rate[row, i] - (p - before)) < 1e-7 * max(1, abs(p))
            )


@given(st.data(), tag_blocks(channels=CHANNELS), widths, widths)
@settings(max_examples=40)
def test_every_cut_gives_the_same_bits_and_removed_samples_come_once(data, block, interval, window):
    tagger = SteppedTagger(block, CHANNELS)
    whole, parts = (FrequencyCounter(tagger, CHANNELS, interval, window) for _ in range(2))
    pieces = []
    for cut in [*data.draw(cuts(block)), block.end]:
        tagger.advance(cut)
        pieces.append(parts.getDataObject(remove=data.draw(st.booleans())))
    other = SteppedTagger(block, CHANNELS)
    reference = FrequencyCounter(other, CHANNELS, interval, window)
    other.play()
    expected = reference.getDataObject()
    for name in ("getPeriodsCount", "getPeriodsFraction", "getFrequency", "getFrequencyInstantaneous"):
        np.testing.assert_array_equal(getattr(whole.getDataObject(), name)(), getattr(expected, name)())
        for piece in pieces:
            at = piece.getIndex() - 1
            np.testing.assert_array_equal(getattr(piece, name)(), getattr(expected, name)()[:, at])
