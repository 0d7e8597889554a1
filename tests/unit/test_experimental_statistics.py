"""Simulated signals against theory. Seeds are fixed; bounds are five standard errors unless said."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.simulation.experimental import Experimental
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap

SECOND = 10**12
E = Experimental

Times = NDArray[np.int64]


def times(make: Callable[[SteppedTagger], object], span: int = SECOND, clicks: Times | None = None) -> dict[int, Times]:
    """Times on every channel behind what `make` puts on a tagger whose channel 1 has `clicks`."""
    given = np.zeros(0, np.int64) if clicks is None else clicks
    tagger = SteppedTagger(TagBlock(0, span, given, np.ones(len(given), np.int32)), (1, 2))
    made = make(tagger)
    tap = Tap(tagger)
    tagger.play(range(0, span, span // 20))
    whole = tap.block()
    del made
    return {int(c): whole.time[whole.channel == c] for c in np.unique(whole.channel)}


def only(make: Callable[[SteppedTagger], object], span: int = SECOND) -> Times:
    ((_, found),) = times(make, span).items()
    return found


def g2(a: Times, b: Times, edges: Times, span: int) -> NDArray[np.float64]:
    """Pairs with ``b - a`` between the edges, relative to chance."""
    counts = np.diff([np.searchsorted(b, a + e).sum() for e in edges.tolist()])
    return counts / (len(a) * len(b) / span * np.diff(edges))


MOMENTS = {
    "exponential": (lambda t: E.ExponentialSignalGenerator(t, 2e5, seed=1), 5e6, 5e6),
    "gamma, bunched": (lambda t: E.GammaSignalGenerator(t, 0.5, 1e-5, seed=1), 5e6, math.sqrt(0.5) * 1e7),
    "gamma, regular": (lambda t: E.GammaSignalGenerator(t, 4, 2e-6, seed=1), 8e6, 2 * 2e6),
    "gaussian": (lambda t: E.GaussianSignalGenerator(t, 5e-6, 1e-6, seed=1), 5e6, 1e6),
    "two states": (lambda t: E.TwoStateExponentialSignalGenerator(t, 4e-6, 2e-6, seed=1), 6e6, math.hypot(4e6, 2e6)),
    "uniform": (lambda t: E.UniformSignalGenerator(t, 9_000_000, 1_000_000, seed=1), 5e6, 8e6 / math.sqrt(12)),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_distances_have_the_mean_and_width_of_their_distribution(name: str) -> None:
    make, mean, width = MOMENTS[name]
    gaps = np.diff(only(make)).astype(np.float64)
    assert abs(gaps.mean() - mean) < 5 * width / math.sqrt(len(gaps))
    kurtosis = ((gaps - gaps.mean()) ** 4).mean() / gaps.var() ** 2
    assert abs(gaps.var() / width**2 - 1) < 5 * math.sqrt((kurtosis - 1) / len(gaps))
    # a renewal process forgets: neighbours are not correlated
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 5 / math.sqrt(len(gaps))


def test_bounds_of_uniform_distances_occur() -> None:
    gaps = np.diff(only(lambda t: E.UniformSignalGenerator(t, 12, 10, seed=1), 10**5))
    assert sorted(set(gaps.tolist())) == [10, 11, 12]


def test_a_single_emitter_is_antibunched() -> None:
    clicks = only(lambda t: E.TwoStateExponentialSignalGenerator(t, 1e-6, 1e-6, seed=2))
    edges = np.arange(1, 20) * 100_000
    centers = (edges[1:] + edges[:-1]) / 2
    theory = 1 - np.exp(-centers * 2e-6)
    pairs = theory * len(clicks) ** 2 / SECOND * 100_000
    assert np.all(np.abs(g2(clicks, clicks, edges, SECOND) - theory) < 5 * theory / np.sqrt(pairs) + 0.005)


def test_a_markov_chain_has_its_rates() -> None:
    def make(tagger: SteppedTagger) -> object:
        rates = [0, 3e5, 1e5, 2e5, 0, 0, 0, 4e5, 0]
        chain = E.MarkovProcessGenerator(tagger, 3, rates, [-1, 0, 1, 2, -1, -1, -1, 3, -1], seed=1)
        assert chain.getChannels() == (1001, 1002, 1003, 1004)
        assert chain.getChannel() == 1001
        return chain

    found = times(make)
    # stationary: out of 0 with 4e5, of which 1/4 to 2; 2 to 1 with 4e5; 1 to 0 with 2e5
    weights = np.array([1 / 4e5, 1 / 2e5, 0.25 / 4e5])
    share = weights / weights.sum()
    for place, rate in enumerate((share[0] * 3e5, share[0] * 1e5, share[1] * 2e5, share[2] * 4e5)):
        assert abs(len(found[1001 + place]) - rate) < 5 * math.sqrt(rate)
    # what goes into a state comes out of it, but for the one that is there in the end
    assert abs(len(found[1002]) - len(found[1004])) <= 1


def allan(ticks: Times, period: float, m: int) -> float:
    """Allan deviation of ticks at `m` periods, not overlapping."""
    x = (ticks - np.arange(1, len(ticks) + 1) * period)[::m]
    return float(np.sqrt(np.mean((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2) / 2) / (m * period))


@pytest.mark.parametrize("m", [1, 10, 100])
def test_noise_of_an_oscillator(m: int) -> None:
    tau = m * 1e-5
    cases = [
        ({"coeff_phase_white": 1e-9}, math.sqrt(3) * 1e-9 / tau),
        ({"coeff_freq_white": 1e-8}, 1e-8 / math.sqrt(tau)),
        ({"coeff_random_drift": 1e-2}, 1e-2 * math.sqrt(tau / 3)),
    ]
    for parameters, theory in cases:
        ticks = only(lambda t, p=parameters: E.OscillatorSimulation(t, 1e5, **p, seed=1))
        # a sampled random walk of the frequency lacks the part within the first period
        slack = 0.25 / m if "coeff_random_drift" in parameters else 1e-3
        assert allan(ticks, 1e7, m) == pytest.approx(theory, rel=slack + 5 / math.sqrt(len(ticks) / m))


def test_flicker_noise_has_the_same_power_in_every_octave() -> None:
    ticks = only(lambda t: E.OscillatorSimulation(t, 1e5, coeff_freq_flicker=1e-4, seed=1))
    deviations = [allan(ticks, 1e7, m) for m in (4, 16, 64, 256)]
    assert max(deviations) < 1.5 * min(deviations)
    assert 0.3e-4 < min(deviations) < 3e-4
    ticks = only(lambda t: E.OscillatorSimulation(t, 1e5, coeff_phase_flicker=1e-9, seed=1))
    error = ticks - np.arange(1, len(ticks) + 1) * 1e7
    # an octave of the ticks' differences after the other: the same rms, for white noise it falls by sqrt(2) each
    means = [error[: len(error) // m * m].reshape(-1, m).mean(axis=1) for m in (4, 16, 64)]
    widths = [np.diff(mean).std() for mean in means]
    assert max(widths) < 1.5 * min(widths)


def test_linear_drift_and_the_quiet_oscillator() -> None:
    quiet = only(lambda t: E.OscillatorSimulation(t, 3e5, seed=1))
    assert np.all(np.abs(quiet - np.arange(1, len(quiet) + 1) * (1e7 / 3)) <= 1)
    ticks = only(lambda t: E.OscillatorSimulation(t, 1e5, coeff_linear_drift=1e-4, seed=1))
    seconds = np.arange(1, len(ticks) + 1) * 1e-5
    assert np.abs(ticks / 1e12 - seconds - 0.5e-4 * seconds**2).max() < 2e-9


def test_scattered_light_is_thermal() -> None:
    span = 4 * SECOND
    clicks = only(lambda t: E.DlsSignalGenerator(t, 1e-4, 1e5, seed=1), span)
    assert len(clicks) == pytest.approx(4e5, rel=0.03)
    edges = np.array([1, 10, 30, 60, 100, 200, 500]) * 10**6
    centers = (edges[1:] + edges[:-1]) / 2
    assert g2(clicks, clicks, edges, span) == pytest.approx(1 + np.exp(-2 * centers / 1e8), abs=0.04)
    several = only(lambda t: E.DlsSignalGenerator(t, [1e-4, 1e-3], 1e5, seed=1), span)
    theory = 1 + ((np.exp(-centers / 1e8) + np.exp(-centers / 1e9)) / 2) ** 2
    assert g2(several, several, edges, span) == pytest.approx(theory, abs=0.1)


def test_fluctuating_numbers_of_particles() -> None:
    span = 4 * SECOND

    def make(tagger: SteppedTagger) -> object:
        light = E.FcsSignalGenerator(tagger, 1e-4, 1e5, 2.0, seed=1)
        assert light.get_N() == 200
        return light

    clicks = only(make, span)
    edges = np.array([1, 10, 30, 60, 100, 200, 500]) * 10**6
    centers = (edges[1:] + edges[:-1]) / 2
    theory = 1 + (1 / 2 - 1 / 200) * np.exp(-centers / 1e8)
    assert g2(clicks, clicks, edges, span) == pytest.approx(theory, abs=0.02)


def test_a_small_boundary_leaves_less_fluctuation() -> None:
    span = 4 * SECOND

    def make(tagger: SteppedTagger) -> object:
        light = E.FcsSignalGenerator(tagger, 1e-4, 1e5, 2.0, seed=1)
        light.set_boundary_limit(2.0)
        assert light.get_N() == 4
        return light

    clicks = only(make, span)
    edges = np.array([1, 10, 30]) * 10**6
    theory = 1 + (1 / 2 - 1 / 4) * np.exp(-np.array([5.5, 20]) / 100)
    assert g2(clicks, clicks, edges, span) == pytest.approx(theory, abs=0.02)


def test_lifetime_and_number_of_photons() -> None:
    pulses = np.arange(1, 100_000, dtype=np.int64) * 10**6
    found = times(lambda t: E.SimLifetime(t, 1, 4e-9, 0.3, seed=1), 10**11 + 10**6, pulses)
    delay = found[1001] % 10**6
    assert abs(len(delay) - 3e4) < 5 * math.sqrt(3e4)
    # times are cut to whole ps
    assert abs(delay.mean() + 0.5 - 4_000) < 5 * 4_000 / math.sqrt(len(delay))
    numbers = np.bincount(found[1001] // 10**6, minlength=100_000)[1:]
    assert abs(numbers.var() / numbers.mean() - 1) < 5 * math.sqrt(2 / len(numbers))


def test_reactors_change_lifetime_and_emission() -> None:
    pulses = np.arange(1, 1_001, dtype=np.int64) * 10**9

    def make(tagger: SteppedTagger, repeat: bool) -> object:
        life = E.SimLifetime(tagger, 1, 0.0, 0.0, seed=1)
        life.registerEmissionReactor(1, [50.0, 0.0], repeat)
        return life

    for repeat, expected in ((True, 500), (False, 1)):
        found = times(lambda t, r=repeat: make(t, r), 10**12 + 10**10, pulses)
        # every other pulse finds the emission that the one before it has set
        numbers = np.bincount(found[1001] // 10**9, minlength=1_001)
        assert np.count_nonzero(numbers) == expected
        assert numbers[2] > 0
        assert numbers[1] == numbers[3] == 0


def test_a_detector_loses_blurs_and_makes_counts() -> None:
    light = np.arange(1, 200_000, dtype=np.int64) * 5 * 10**6
    found = times(lambda t: E.SimDetector(t, 1, 0.4, 2e4, 1e-9, 0.0, seed=1), SECOND, light)
    clicks = found[1001]
    assert abs(len(clicks) - 1e5) < 5 * math.sqrt(0.4 * 0.6 * 2e5 + 2e4)
    error = clicks - np.round(clicks / 5e6) * 5 * 10**6
    photons = error[np.abs(error) < 5_000]
    # few dark counts come by chance within 5 ns of a photon's time; those within 5 sigma are flat
    dark = 2e4 * 10_000 / 5e6
    assert abs(len(photons) - 0.4 * 2e5 - dark) < 5 * math.sqrt(0.24 * 2e5 + dark)
    width = math.sqrt((0.4 * 2e5 * 1_000**2 + dark * 5_000**2 / 3) / (0.4 * 2e5 + dark))
    assert abs(photons.std() - width) < 5 * width / math.sqrt(2 * len(photons))
    blind = times(lambda t: E.SimDetector(t, 1, 1.0, 0.0, 0.0, 12e-6, seed=1), SECOND, light)[1001]
    assert set(np.diff(blind).tolist()) == {15 * 10**6}


def test_the_splitter_has_its_ratio() -> None:
    light = np.arange(1, 100_000, dtype=np.int64) * 10**6
    found = times(lambda t: E.SimSignalSplitter(t, 1, 0.3, seed=1), 10**11 + 10**6, light)
    assert abs(len(found[1001]) - 3e4) < 5 * math.sqrt(0.21 * 1e5)
    assert len(found[1001]) + len(found[1002]) == len(light)


WRONG = {
    "rate": lambda t: E.ExponentialSignalGenerator(t, 0.0),
    "alpha": lambda t: E.GammaSignalGenerator(t, 0.0, 1.0),
    r"alpha \* beta": lambda t: E.GammaSignalGenerator(t, 1.0, 1e-12),
    "mean": lambda t: E.GaussianSignalGenerator(t, -1.0, 1.0),
    "excitation_time": lambda t: E.TwoStateExponentialSignalGenerator(t, 0.0, 0.0),
    "lower_bound": lambda t: E.UniformSignalGenerator(t, 10, 0),
    "upper_bound": lambda t: E.UniformSignalGenerator(t, 10, 11),
    "seed": lambda t: E.ExponentialSignalGenerator(t, 1.0, seed=2**31),
    "base_channel": lambda t: E.ExponentialSignalGenerator(t, 1.0, 77),
    "sequence": lambda t: E.PatternSignalGenerator(t, []),
    "sequence and spacing": lambda t: E.PatternSignalGenerator(t, [0, 0]),
    "nominal_frequency": lambda t: E.OscillatorSimulation(t, 0.0),
    "coeff_phase_white": lambda t: E.OscillatorSimulation(t, 1.0, -1.0),
    "frequencies": lambda t: E.MarkovProcessGenerator(t, 2, [1.0], [0]),
    "ref_channels": lambda t: E.MarkovProcessGenerator(t, 1, [1.0], [1], [CHANNEL_UNUSED]),
    "countrate": lambda t: E.PhotonGenerator(t, -1.0, CHANNEL_UNUSED),
    "new_T": lambda t: E.PhotonGenerator(t, 1.0, CHANNEL_UNUSED).set_T_PERIOD(0),
    "decay_time": lambda t: E.DlsSignalGenerator(t, [], 1.0),
    "output_channel is 9": lambda t: E.DlsSignalGenerator(t, 1e-4, 1e5, 9),
    "output_channel is 8": lambda t: E.FcsSignalGenerator(t, 1e-4, 1e5, 2.0, 8),
    "N_focus": lambda t: E.FcsSignalGenerator(t, 1.0, 1.0, 0.0),
    r"new_boundary is 1, but must be within \[1.001, 1000\]": lambda t: E.FcsSignalGenerator(
        t, 1.0, 1.0, 1.0
    ).set_boundary_limit(1.0),
    "efficiency": lambda t: E.TransformEfficiency(t, 1, 1.5),
    "deadtime": lambda t: E.TransformDeadtime(t, 1, -1.0),
    "standard_deviation": lambda t: E.TransformGaussianBroadening(t, 1, 1.0),
    "tau": lambda t: E.TransformCrosstalk(t, 1, 2, 1.0, 0.0),
    "input_channel": lambda t: E.SimSignalSplitter(t, 9),
    "ratio": lambda t: E.SimSignalSplitter(t, 1, -0.1),
    "emission_rate": lambda t: E.SimLifetime(t, 1, 1.0, -1.0),
    "lifetimes": lambda t: E.SimLifetime(t, 1, 1.0).registerLifetimeReactor(2, [-1.0], True),
    "jitter": lambda t: E.SimDetector(t, 1, jitter=1.0),
    "slope": lambda t: E.PhotonNumber(t, 1, 2, 3, 0.0, [1.0], 100),
    "x_intercepts": lambda t: E.PhotonNumber(t, 1, 2, 3, 1.0, [1.0, 2.0], 100),
    "trigger": lambda t: E.PhotonNumber(t, 1, 1, 3, 1.0, [1.0], 100),
    "tagger": lambda t: E.SimDetector(None, 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name: str) -> None:
    tagger = SteppedTagger(TagBlock.empty(0, 1), (1, 2, 3))
    with pytest.raises(ValueError, match=name):
        WRONG[name](tagger)


def test_the_channels_of_a_markov_process_are_a_sequence() -> None:
    tagger = SteppedTagger(TagBlock.empty(0, 1), (1,))
    with pytest.raises(TypeError, match="base_channels must be a sequence of integers, not 1"):
        E.MarkovProcessGenerator(tagger, 1, [1.0], [0], 1)


def test_bases_cannot_be_made() -> None:
    tagger = SteppedTagger(TagBlock.empty(0, 1), (1,))
    with pytest.raises(AttributeError, match="No constructor"):
        E.SignalGeneratorBase(tagger, {}, CHANNEL_UNUSED, 1)
