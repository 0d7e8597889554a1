"""What the simulated light does, against theory. Seeds are fixed; bounds are five standard errors unless said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tagwire.core.models import MODELS, TIME_TAGGER_ULTRA, TIME_TAGGER_X, Model
from tagwire.core.tags import join
from tagwire.sources.light import Light, PoissonLight, PulsedEmitter
from tagwire.sources.simulated import SimulatedSource

SECOND = 10**12


def clicks(
    light: Light, channels: list[int], listen: list[int], span: int, model: Model = TIME_TAGGER_X
) -> list[NDArray[np.int64]]:
    """Times on each of `listen` while `light` falls on `channels`."""
    source = SimulatedSource(model, seed=3)
    source.illuminate(channels, light)
    return heard(source, listen, span)


def heard(source: SimulatedSource, listen: list[int], span: int) -> list[NDArray[np.int64]]:
    blocks = []
    while source.position < span:
        block = source.read(span - source.position, listen)
        assert block is not None
        blocks.append(block)
    whole = join(blocks)
    return [whole.time[whole.channel == c] for c in listen]


def pairs(a: NDArray[np.int64], b: NDArray[np.int64], center: float, half: float) -> int:
    """Number of pairs with ``center - half <= a - b < center + half``."""
    low, high = np.searchsorted(b, a - center - half, "right"), np.searchsorted(b, a - center + half, "right")
    return int((high - low).sum())


def test_steady_light_is_a_poisson_process() -> None:
    one, two = clicks(PoissonLight(500e3), [1, 2], [1, 2], SECOND)
    for times in (one, two):
        assert abs(len(times) - 500e3) < 5 * np.sqrt(500e3)
        gaps = np.diff(times)
        assert abs(gaps.mean() - 2e6) < 5 * 2e6 / np.sqrt(len(gaps))
        # the standard deviation of an exponential is its mean; its own relative error is sqrt(2 / n)
        assert abs(gaps.std() - 2e6) < 5 * 2e6 * np.sqrt(2 / len(gaps))
        per_bin = np.histogram(times, 10_000, (0, SECOND))[0]
        assert abs(per_bin.var() / per_bin.mean() - 1) < 5 * np.sqrt(2 / 10_000)
    # independent channels: as many coincidences as chance has
    expected = 500e3 * 500e3 * 2e-6
    assert abs(pairs(one, two, 0, 1e6) - expected) < 5 * np.sqrt(expected)


def test_rates_and_antibunching_of_an_emitter() -> None:
    light = PulsedEmitter(10e6, 3_000.0, 0.8, 0.2, (0.5, 0.25), 100.0, 0, 1_000.0)
    one, two = clicks(light, [1, 2], [1, 2], SECOND)
    rates = 10e6 * 0.8 * 0.2 / 2 * np.array([0.5, 0.25]) + 1_000
    for times, rate in zip((one, two), rates, strict=True):
        assert abs(len(times) - rate) < 5 * np.sqrt(rate)
    side = np.mean([pairs(one, two, k * 100_000, 50_000) for k in (-3, -2, -1, 1, 2, 3)])
    expected = rates.prod() / 10e6
    assert abs(side - expected) < 5 * np.sqrt(expected / 6)
    # only dark counts fill the dip: with photons of the other detector, and among themselves
    dark = (rates.sum() * 1_000 - 1_000**2) / 10e6
    assert pairs(one, two, 0, 50_000) < dark + 5 * np.sqrt(dark) + 1


@pytest.mark.parametrize("second", [0.05, 0.3, 1.0])
def test_second_photons_set_g2_at_zero(second: float) -> None:
    light = PulsedEmitter(10e6, 1_000.0, 0.5, 0.4, 1.0, 50.0, 0, 0.0, second)
    one, two = clicks(light, [1, 2], [1, 2], SECOND)
    rate = 10e6 * 0.5 * (1 + second) * 0.4 / 2
    assert abs(len(one) - rate) < 8 * np.sqrt(rate)
    side = np.mean([pairs(one, two, k * 100_000, 50_000) for k in (-3, -2, -1, 1, 2, 3)])
    center = pairs(one, two, 0, 50_000)
    assert light.g2_zero == pytest.approx(2 * second / (0.5 * (1 + second) ** 2))
    assert abs(center / side - light.g2_zero) < 8 * np.sqrt(center) / side


def test_lifetime_jitter_and_delay_against_the_laser() -> None:
    light = PulsedEmitter(1e6, 4_000.0, 1.0, 0.2, 1.0, 300.0, 0, 0.0, delays=(20_000,), sync=8)
    photons, laser = clicks(light, [1], [1, 8], SECOND)
    assert len(laser) == 10**6
    delay = photons - laser[np.searchsorted(laser, photons) - 1]
    assert abs(len(photons) - 2e5) < 5 * np.sqrt(2e5)
    assert abs(delay.mean() - 24_000) < 5 * 4_000 / np.sqrt(len(delay))
    assert abs(delay.std() - np.hypot(4_000, 300)) < 0.02 * 4_000
    quiet = PulsedEmitter(1e6, 0.0, 1.0, 0.2, 1.0, 300.0, 0, 0.0, delays=(20_000,), sync=8)
    photons, laser = clicks(quiet, [1], [1, 8], SECOND)
    delay = photons - laser[np.searchsorted(laser, photons - 10_000) - 1]
    expected = np.sqrt(300.0**2 + 2 * TIME_TAGGER_X.jitter_rms**2)
    assert abs(delay.mean() - 20_000) < 5 * expected / np.sqrt(len(delay))
    assert abs(delay.std() - expected) < 5 * expected / np.sqrt(2 * len(delay))


def test_dead_time_is_never_violated_and_costs_what_it_should() -> None:
    light = PulsedEmitter(80e6, 2_000.0, 1.0, 1.0, 0.8, 50.0, 100_000, 1e6)
    (times,) = clicks(light, [1], [1], SECOND // 5)
    slack = 20 * TIME_TAGGER_X.jitter_rms
    assert np.diff(times).min() >= 100_000 - slack
    assert np.diff(times).min() < 101_000
    light = PulsedEmitter(80e6, 2_000.0, 1.0, 0.1, 0.5, 50.0, 200_000, 0.0)
    (times,) = clicks(light, [1], [1], SECOND // 5)
    ideal = 80e6 * 0.05
    # the pulsed train makes the formula for steady light right to about a pulse period in the dead time
    assert len(times) * 5 == pytest.approx(ideal / (1 + ideal * 200e-9), rel=0.03)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda m: m.key)
def test_test_signal_has_the_models_frequency_and_jitter(model: Model) -> None:
    source = SimulatedSource(model, seed=5)
    for channel in (1, 2):
        source.set_test_signal(channel, True)
    one, two, falling = heard(source, [1, 2, -1], SECOND // 2)
    frequency = model.test_frequency / model.test_divider
    for times in (one, two):
        assert abs(len(times) - frequency / 2) <= 1
        phase = times - np.round(np.round(times * frequency / SECOND) * SECOND / frequency)
        assert abs(phase.std() - np.hypot(model.jitter_rms, 0.4)) < 0.02 * model.jitter_rms
    # the pulse at time 0 may be lost on one of them: jitter puts it before the begin
    one, two, falling = (times[times > 100_000] for times in (one, two, falling))
    size = min(len(one), len(two), len(falling))
    difference = one[:size] - two[:size]
    expected = np.sqrt(2 * (model.jitter_rms**2 + 1 / 12))
    assert abs(difference.mean()) < 5 * expected / np.sqrt(size)
    assert abs(difference.std() - expected) < 5 * expected / np.sqrt(2 * size)
    width = falling[:size] - one[:size]
    assert abs(width.mean() - 10_000) < 5 * expected / np.sqrt(size)


def test_the_divider_of_the_test_signal() -> None:
    source = SimulatedSource(TIME_TAGGER_ULTRA)
    source.set_test_signal(-3, True)
    assert source.test_signal(3)
    assert source.test_divider == 504
    source.test_divider = 4032
    (times,) = heard(source, [3], SECOND // 10)
    assert abs(len(times) - 10_000) <= 1


def test_light_comes_back_after_the_test_signal() -> None:
    source = SimulatedSource(TIME_TAGGER_ULTRA)
    source.illuminate([1], PoissonLight(1e6))
    source.set_test_signal(1, True)
    (times,) = heard(source, [1], SECOND // 10)
    assert abs(len(times) - 80_000) <= 1
    source.set_test_signal(1, False)
    assert source.light(1) == PoissonLight(1e6)
    (times,) = heard(source, [1], SECOND // 5)
    assert abs(len(times) - 1e5) < 5 * np.sqrt(1e5)
    assert times.min() >= SECOND // 10
