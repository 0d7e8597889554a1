"""Thermal light, pairs, fluorescence, diffusion against theory. Seeds are fixed; five standard errors unless said."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.models import TIME_TAGGER_X
from tagwire.core.tags import join
from tagwire.errors import ArgumentError
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.countrate import Countrate
from tagwire.sources.light import Light
from tagwire.sources.light_diffusion import Diffusion
from tagwire.sources.light_fluorescence import Fluorescence
from tagwire.sources.light_pairs import PhotonPairs
from tagwire.sources.light_thermal import ThermalLight
from tagwire.sources.ornstein import edge
from tagwire.sources.simulated import SimulatedSource
from tagwire.testing.simulated import SteppedTimeTagger, simulated_tagger

SECOND = 10**12
JITTER = TIME_TAGGER_X.jitter_rms

Times = NDArray[np.int64]


def clicks(light: Light, channels: list[int], listen: list[int], span: int = SECOND, seed: int = 3) -> list[Times]:
    """Times on each of `listen` while `light` falls on `channels`."""
    source = SimulatedSource(TIME_TAGGER_X, seed=seed)
    source.illuminate(channels, light)
    blocks = []
    while source.position < span:
        block = source.read(span - source.position, listen)
        assert block is not None
        blocks.append(block)
    whole = join(blocks)
    return [whole.time[whole.channel == c] for c in listen]


def pairs(a: Times, b: Times, edges: Times) -> NDArray[np.float64]:
    """Number of pairs with ``b - a`` between the edges."""
    return np.diff([np.searchsorted(b, a + e).sum() for e in edges.tolist()]).astype(np.float64)


def g2(a: Times, b: Times, edges: Times, span: int) -> NDArray[np.float64]:
    return pairs(a, b, edges) / (len(a) * len(b) / span * np.diff(edges))


@pytest.mark.parametrize("coherence", [1e5, 1e7, 1e9])
def test_thermal_light_is_bunched_within_its_coherence_time(coherence: float) -> None:
    one, two = clicks(ThermalLight(2e5, coherence), [1, 2], [1, 2])
    # the count of a time T has the variance <n> + <n>² coherence / T: Mandel's formula for T >> coherence
    spread = math.sqrt(2e5 + (2e5) ** 2 * coherence / SECOND)
    assert abs(len(one) - 2e5) < 5 * spread
    assert abs(len(two) - 2e5) < 5 * spread
    edges = (np.array([0.0, 0.02, 0.1, 0.3, 0.6, 1.0, 2.0, 4.0]) * coherence).astype(np.int64)
    low, high = edges[:-1] / coherence, edges[1:] / coherence
    theory = 1 + (np.exp(-2 * low) - np.exp(-2 * high)) / 2 / (high - low)
    # pairs that share a bunch are not independent, so chance is wider than the square root
    chance = 5 * np.sqrt(theory / (4e10 / SECOND * np.diff(edges))) + 10 * math.sqrt(coherence / SECOND)
    assert np.all(np.abs(g2(one, two, edges, SECOND) - theory) < chance)
    assert theory[0] > 1.97
    if coherence == 1e9:
        assert g2(one, two, edges, SECOND)[0] == pytest.approx(2.0, abs=0.2)
        assert g2(one, one, np.maximum(edges, 1), SECOND)[1:] == pytest.approx(theory[1:], abs=0.15)


def test_thermal_light_is_one_field_across_the_grid_of_time() -> None:
    # a coherence time as long as the cells of the simulation's grid: their edges must not be seen
    one, two = clicks(ThermalLight(5e3, 5e9), [1, 2], [1, 2], 40 * SECOND)
    edges = np.array([0, 1, 2, 4, 6, 9, 14]) * 10**9
    low, high = edges[:-1] / 5e9, edges[1:] / 5e9
    theory = 1 + (np.exp(-2 * low) - np.exp(-2 * high)) / 2 / (high - low)
    assert g2(one, two, edges, 40 * SECOND) == pytest.approx(theory, abs=0.12)


@pytest.mark.parametrize("relaxation", [1e8, 1e10, 1e11])
def test_processes_have_variance_one_and_forget_exponentially(relaxation: float) -> None:
    edges = np.stack([edge(7, cell, 400, relaxation) for cell in range(100)])
    kept = math.exp(-1e10 / relaxation)
    independent = edges.size * (1 - kept) / (1 + kept)
    assert abs(edges.var() - 1) < 5 * math.sqrt(2 / independent)
    assert abs((edges[1:] * edges[:-1]).mean() - kept) < 5 / math.sqrt(independent)


def test_pairs_have_singles_coincidences_and_klyshko_efficiencies() -> None:
    light = PhotonPairs(1, 1e6, 0.3, 0.2, 0.0, 500.0, 0)
    signal, idler = clicks(light, [1, 2], [1, 2])
    assert abs(len(signal) - 300_500) < 5 * math.sqrt(300_500)
    assert abs(len(idler) - 200_500) < 5 * math.sqrt(200_500)
    (both,) = pairs(signal, idler, np.array([-500, 500]))
    accidental = len(signal) * len(idler) * 1_000 / SECOND
    true = both - accidental
    assert abs(true - 60_000) < 5 * math.sqrt(60_000 + accidental)
    assert true / (len(idler) - 500) == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 200_000))
    assert true / (len(signal) - 500) == pytest.approx(0.2, abs=5 * math.sqrt(0.16 / 300_000))


def test_coincidences_to_accidentals() -> None:
    light = PhotonPairs(1, 2e6, 0.25, 0.25, 100.0, 1_000.0, 0)
    signal, idler = clicks(light, [1, 2], [1, 2])
    window = 20_000
    (peak,) = pairs(signal, idler, np.array([-window // 2, window // 2]))
    beside = pairs(signal, idler, np.arange(10, 60) * window)
    singles = 2e6 * 0.25 + 1_000
    accidental = singles**2 * window / SECOND
    assert abs(beside.mean() - accidental) < 5 * math.sqrt(accidental / len(beside))
    ratio = 1 + 2e6 * 0.25**2 / accidental
    assert abs(peak / beside.mean() - ratio) < 5 * ratio * math.sqrt(1 / peak + 1 / beside.sum())


def test_the_peak_of_pairs_has_the_width_of_the_jitter_and_the_delay() -> None:
    light = PhotonPairs(1, 5e5, 0.5, 0.5, 300.0, 0.0, 0, idler_delay=7_000)
    signal, idler = clicks(light, [1, 2], [1, 2])
    near = np.searchsorted(idler, signal + 7_000 - 3_000)
    difference = idler[np.minimum(near, len(idler) - 1)] - signal
    difference = difference[np.abs(difference - 7_000) < 3_000]
    width = math.sqrt(2 * (300**2 + JITTER**2))
    # about 0.3 % of them are accidental and make the width larger by a few percent
    assert abs(difference.mean() - 7_000) < 5 * width / math.sqrt(len(difference)) + 5
    assert difference.std() == pytest.approx(width, rel=0.05)


def test_detectors_of_an_arm_share_its_photons() -> None:
    light = PhotonPairs(2, 1e6, 0.4, 0.3, 10.0, 0.0, 0)
    one, two, herald = clicks(light, [1, 2, 3], [1, 2, 3])
    for times, rate in ((one, 2e5), (two, 2e5), (herald, 3e5)):
        assert abs(len(times) - rate) < 5 * math.sqrt(rate)
    window = np.array([-200, 200])
    accidental = 2e5 * 2e5 * 400 / SECOND
    # a single photon is in one arm of the beam splitter: only accidentals are in both
    assert pairs(one, two, window)[0] < accidental + 5 * math.sqrt(accidental) + 1
    assert abs(pairs(herald, one, window)[0] - 6e4) < 5 * math.sqrt(6e4) + 3e5 * 2e5 * 400 / SECOND


def test_dead_time_and_dark_counts_of_pairs() -> None:
    light = PhotonPairs(1, 0.0, dark_rate=1e6, detector_dead_time=500_000)
    (times,) = clicks(light, [1, 2], [1])
    assert np.diff(times).min() >= 500_000 - 20 * JITTER
    rate = 1e6 / (1 + 1e6 * 5e-7)
    assert abs(len(times) - rate) < 5 * math.sqrt(rate)


def test_afterpulses_have_their_probability_and_time() -> None:
    light = PhotonPairs(1, 0.0, dark_rate=1e4, detector_dead_time=50_000, afterpulsing_probability=0.1)
    (times,) = clicks(light, [1, 2], [1], 10 * SECOND)
    # each click has 0.1 of its own, and these again: 1e4 / (1 - 0.1)
    primary, total = 1e5, 1e5 / 0.9
    assert abs(len(times) - total) < 5 * math.sqrt(primary) / 0.9 + 5 * math.sqrt(total * 0.1)
    gaps = np.diff(times)
    after = gaps[gaps < 800_000]
    chance = total * primary / (10 * SECOND) * 750_000
    assert abs(len(after) - 0.1 * total - chance) < 5 * math.sqrt(0.1 * total)
    # the chance ones are flat and few, the others exponential behind the dead time
    mean = (0.1 * total * 50_000 + chance * 375_000) / (0.1 * total + chance)
    assert (after - 50_000).mean() == pytest.approx(mean, rel=0.05)
    assert after.min() > 50_000 - 20 * JITTER


@pytest.mark.parametrize(
    ("lifetimes", "amplitudes"),
    [((3_000.0,), (1.0,)), ((4_000.0, 500.0), (1.0, 3.0)), ((2_000.0, 8_000.0), (5.0, 0.0))],
)
def test_fluorescence_decays_with_its_lifetimes(lifetimes: tuple[float, ...], amplitudes: tuple[float, ...]) -> None:
    light = Fluorescence(2e5, 1e6, lifetimes, amplitudes, 0.0, 0.0, 0, delay=20_000, sync=8)
    photons, laser = clicks(light, [1], [1, 8])
    assert len(laser) == 10**6
    assert abs(len(photons) - 2e5) < 5 * math.sqrt(2e5)
    delay = photons - laser[np.searchsorted(laser, photons) - 1] - 20_000
    share = np.array(amplitudes) * lifetimes / np.dot(amplitudes, lifetimes)
    mean, square = share @ lifetimes, 2 * share @ np.square(lifetimes)
    assert abs(delay.mean() - mean) < 5 * math.sqrt((square - mean**2) / len(delay))
    for t in (500, 2_000, 6_000):
        later = float(share @ np.exp(-t / np.array(lifetimes)))
        assert abs(np.mean(delay > t) - later) < 5 * math.sqrt(later / len(delay)) + 1e-3
    # a Poisson distribution of photons over pulses
    numbers = np.bincount((photons - 20_000) // 10**6, minlength=10**6)
    assert abs(numbers.var() / numbers.mean() - 1) < 5 * math.sqrt(2 / 10**6) + 1e-3


def test_fluorescence_has_the_width_of_its_jitter() -> None:
    light = Fluorescence(2e5, 1e6, (0.0,), (1.0,), 200.0, 0.0, 0, delay=20_000, sync=8)
    photons, laser = clicks(light, [1], [1, 8])
    delay = photons - laser[np.searchsorted(laser, photons - 10_000) - 1]
    width = math.sqrt(200**2 + 2 * JITTER**2)
    assert abs(delay.mean() - 20_000) < 5 * width / math.sqrt(len(delay))
    assert abs(delay.std() - width) < 5 * width / math.sqrt(2 * len(delay))


@pytest.mark.parametrize(("molecules", "time"), [(0.5, 1e9), (2.0, 1e9), (2.0, 1e8)])
def test_diffusion_has_amplitude_and_time(molecules: float, time: float) -> None:
    light = Diffusion(5e4, molecules, time)
    span = 10 * SECOND if time == 1e9 else 2 * SECOND
    one, two = clicks(light, [1, 2], [1, 2], span)
    assert light.g2(0) - 1 == pytest.approx(1 / molecules)
    edges = (np.array([0.0, 0.1, 0.3, 0.6, 1.0, 2.0, 5.0]) * time).astype(np.int64)
    centers = (edges[1:] + edges[:-1]) / 2
    measured = g2(one, two, edges, span)
    exact = np.array([light.g2(t) for t in centers])
    # about span / time independent visits of bright molecules: relative chance of their fluctuation
    chance = 10 * math.sqrt(time / span) / molecules + 0.01
    assert np.all(np.abs(measured - exact) < chance)
    free = 1 + 1 / molecules / (1 + centers / time)
    assert np.abs(exact - free).max() < 0.04 / molecules
    # the amplitude by extrapolation, and the time at which half of it is left
    amplitude, inverse = np.polyfit(centers[:5], 1 / (measured[:5] - 1), 1)[::-1]
    assert 1 / amplitude == pytest.approx(1 / molecules, rel=0.15)
    assert amplitude / inverse == pytest.approx(time, rel=0.3)


def test_users_set_lights_and_measure_them() -> None:
    tagger = simulated_tagger(seed=1)
    tagger.simulateThermal([1, 2], 1e6, 1e6)
    correlation = Correlation(tagger, 1, 2, 100_000, 41)
    tagger.advance(SECOND // 4)
    assert correlation.getDataNormalized()[20] == pytest.approx(1.9, abs=0.1)
    tagger.simulatePairs([1], [2], 1e6, 0.5, 0.5)
    tagger.simulateFluorescence([3], 1e5, sync_channel=4)
    tagger.simulateDiffusion([5], 1e5)
    rates = Countrate(tagger, [1, 2, 3, 4, 5])
    tagger.advance(SECOND // 10)
    assert rates.getData() == pytest.approx([5e5, 5e5, 1e5, 4e7, 1e5], rel=0.25)


WRONG: dict[str, tuple[type[ValueError], Callable[[SteppedTimeTagger], Any]]] = {
    "rate": (ArgumentError, lambda t: t.simulateThermal([1], -1.0)),
    "coherence_time": (ArgumentError, lambda t: t.simulateThermal([1], 1.0, 0.0)),
    "channels": (ArgumentError, lambda t: t.simulatePairs([1], [])),
    "twice": (ArgumentError, lambda t: t.simulatePairs([1], [1])),
    "signals": (ArgumentError, lambda t: t.simulatePairs([], [1])),
    "signal_efficiency": (ArgumentError, lambda t: t.simulatePairs([1], [2], 1.0, 1.5)),
    "afterpulsing_probability": (ArgumentError, lambda t: t.simulatePairs([1], [2], afterpulsing_probability=0.6)),
    "idler_delay": (ArgumentError, lambda t: t.simulatePairs([1], [2], idler_delay=-1)),
    "lifetimes": (ArgumentError, lambda t: t.simulateFluorescence([1], lifetimes=[-1.0])),
    "amplitudes": (ArgumentError, lambda t: t.simulateFluorescence([1], lifetimes=[1.0, 2.0])),
    "sync": (ArgumentError, lambda t: t.simulateFluorescence([1], sync_channel=1)),
    "molecules": (ArgumentError, lambda t: t.simulateDiffusion([1], 1.0, 0.0)),
    "diffusion_time": (ArgumentError, lambda t: t.simulateDiffusion([1], 1.0, 1.0, 1.0)),
    f"{CHANNEL_UNUSED}": (ArgumentError, lambda t: t.simulateThermal([CHANNEL_UNUSED], 1.0)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_light_is_refused_by_name(name: str) -> None:
    tagger = simulated_tagger()
    error, call = WRONG[name]
    with pytest.raises(error, match=name):
        call(tagger)
    assert tagger._hub.source.light(1) is None
