"""PhaseNoise against its oracle for any cuts and gaps, and against theory for known noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.gaps import stretches
from tagwire.measurements.phase_noise import PhaseNoise, PhaseNoiseData
from tagwire.testing.oracles.spectra import phase_spectrum
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks


@given(st.data(), tag_blocks(channels=(1, 1, 1, 2), max_tags=150), st.integers(1, 3))
@settings(max_examples=60)
def test_spectra_are_those_of_the_oracle(data, block, samples):
    tagger = SteppedTagger(block, (1, 2))
    measured = PhaseNoise(tagger, 1, samples)
    tagger.play(data.draw(cuts(block)))
    found = measured.getDataObject()
    runs = [[]]
    for after_gap, time, channel in stretches(block):
        runs += [[]] if after_gap else []
        runs[-1] += time[channel == 1].tolist()
    span = sum(run[-1] - run[0] for run in runs if run)
    if not span:
        assert np.isnan(found.getFrequency())
        return
    carrier = sum(len(run) - 1 for run in runs if run) / span * 1e12
    assert found.getFrequency() == pytest.approx(carrier, rel=1e-12)
    expected = phase_spectrum(runs, samples, carrier)
    assert found.getOffset() == pytest.approx([f for f, _, _ in expected])
    assert found.getAveragedSequences().tolist() == [n for _, _, n in expected]
    density = 10 ** (found.getPhaseNoise() / 10) * 2 / (2 * np.pi * carrier) ** 2 * 1e24
    assert density == pytest.approx([d for _, d, _ in expected], rel=1e-6, abs=1e-20)


def measure(times, samples=32) -> PhaseNoiseData:
    times = np.asarray(times, np.int64)
    tagger = SteppedTagger(TagBlock(0, int(times[-1]) + 1, times, np.ones(len(times), np.int32)), (1,))
    measured = PhaseNoise(tagger, 1, samples)
    tagger.play(range(0, int(times[-1]), int(times[-1]) // 7))
    return measured.getDataObject()


def test_white_phase_noise_is_flat_and_integrates_to_its_jitter():
    n, period, sigma = 400_000, 100_000, 50.0
    noise = np.random.default_rng(11).normal(0, sigma, n)
    data = measure(np.round(1000 + np.arange(n) * period + noise))
    assert data.getFrequency() == pytest.approx(10e6, rel=1e-6)
    # One-sided density of the time error: its variance, with that of rounding, over half of the rate.
    level = 10 * np.log10((2 * np.pi * 10e6) ** 2 * ((sigma**2 + 1 / 12) * 1e-24 / 5e6) / 2)
    noise_level = data.getPhaseNoise()
    assert len(noise_level) == len(data.getOffset()) == len(data.getAveragedSequences())
    assert np.diff(data.getOffset()).min() > 0
    assert data.getOffset()[-1] == pytest.approx(5e6)
    assert noise_level[-32 * 6 :] == pytest.approx(level, abs=1.5)
    assert noise_level[-32 * 6 :].mean() == pytest.approx(level, abs=0.1)
    assert data.getIntegratedJitter(0) == pytest.approx(sigma * 1e-12, rel=0.02)
    assert data.getIntegratedJitter(1e6, 3e6) == pytest.approx(sigma * np.sqrt(2 / 5) * 1e-12, rel=0.02)
    assert data.getIntegratedJitter() < data.getIntegratedJitter(0)


def test_a_phase_modulation_is_a_line_of_its_own_power():
    n, period, depth, offset = 262_144, 100_000, 400.0, 3.7e6
    k = np.arange(n)
    times = np.round(1000 + k * period + depth * np.sin(2 * np.pi * offset * k * period * 1e-12))
    data = measure(times, 64)
    loudest = data.getOffset()[np.argmax(data.getPhaseNoise())]
    assert loudest == pytest.approx(offset, rel=0.02)
    assert data.getIntegratedJitter(3.4e6, 4.0e6) == pytest.approx(depth / np.sqrt(2) * 1e-12, rel=0.02)


def test_without_tags_there_is_no_spectrum():
    tagger = SteppedTagger(TagBlock.empty(0, 100), (1,))
    measured = PhaseNoise(tagger, 1)
    tagger.play()
    with measured.getDataObject() as data:
        assert len(data.getOffset()) == len(data.getPhaseNoise()) == len(data.getAveragedSequences()) == 0
        assert data.getAveragedSequences().dtype == np.uint64
        assert np.isnan(data.getFrequency())
        assert np.isnan(data.getIntegratedJitter())


def test_clear_begins_anew():
    times = np.arange(1000) * 1000
    tagger = SteppedTagger(TagBlock(0, 10**6, times, np.ones(1000, np.int32)), (1,))
    measured = PhaseNoise(tagger, 1, 4)
    tagger.advance(500_000)
    measured.clear()
    assert len(measured.getDataObject().getOffset()) == 0
    tagger.play()
    assert measured.getDataObject().getAveragedSequences()[-1] == (500 - 16) // 8 + 1


@pytest.mark.parametrize(
    ("arguments", "error"), [((3,), ArgumentError), ((1, 0), ArgumentError), ((1, 1.5), ArgumentKindError)]
)
def test_wrong_arguments_are_refused(arguments, error):
    with pytest.raises(error):
        PhaseNoise(SteppedTagger(TagBlock.empty(0, 10), (1,)), *arguments)


def test_wrong_bounds_are_refused():
    data = measure(np.arange(100) * 1000)
    for bounds in ((-1.0,), (5.0, 4.0), (float("nan"),)):
        with pytest.raises(ArgumentError):
            data.getIntegratedJitter(*bounds)
    with pytest.raises(AttributeError):
        PhaseNoiseData()
