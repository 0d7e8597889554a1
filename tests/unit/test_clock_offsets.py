"""Offset and drift of two clocks are found with the error that is said, through missing pulses and foreign light."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.errors import ArgumentError
from tagwire.network.offsets import ClockOffset, fit_offset, match_pulses, offset_from_pulses
from tagwire.network.offsets_light import offset_from_light

S = 10**12
START = 86_400 * S


def seconds(count: int, seed: int, jitter: float = 20.0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return START + np.arange(count) * S + np.rint(chance.normal(0, jitter, count)).astype(np.int64)


def drifted(times: np.ndarray, offset: float, drift: float, origin: int = START) -> np.ndarray:
    return times + np.rint(offset + drift * (times - origin)).astype(np.int64)


def assert_found(found: ClockOffset, offset: float, drift: float, origin: int = START) -> None:
    """The truth lies within five standard errors, and these are not simply large."""
    truth = offset + drift * (found.time - origin)
    assert abs(found.offset - truth) < 5 * found.offset_error + 1
    assert abs(found.drift - drift) < 5 * found.drift_error + 1e-15
    assert found.offset_error < 3 * found.rms + 1
    assert float(found.at(np.array([origin]))[0]) == pytest.approx(offset, abs=5 * found.offset_error + 5)


@pytest.mark.parametrize(("offset", "drift"), [(0.0, 0.0), (123_456.0, 3e-9), (-4e11, -1e-5), (4.9e11, 1e-6)])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_pulses_per_second(offset: float, drift: float, missing: float) -> None:
    chance = np.random.default_rng(7)
    reference, other = seconds(200, 1), drifted(seconds(200, 2), offset, drift)
    reference, other = (t[chance.random(200) >= missing] for t in (reference, other))
    found = offset_from_pulses(reference, other)
    assert_found(found, offset, drift)
    assert found.rms == pytest.approx(20 * 2**0.5, rel=0.3)
    assert found.used + found.rejected > 80


def test_foreign_pulses_are_left_out() -> None:
    chance = np.random.default_rng(3)
    other = drifted(seconds(100, 2), 5_000.0, 1e-9)
    foreign = START + chance.integers(0, 100 * S, 15)
    found = offset_from_pulses(seconds(100, 1), np.sort(np.concatenate([other, foreign])))
    assert_found(found, 5_000.0, 1e-9)
    assert found.used >= 95


def test_which_second_is_which_can_be_told() -> None:
    found = offset_from_pulses(seconds(20, 1), drifted(seconds(20, 2), 3.25 * S, 0.0), around=3 * S)
    assert found.offset == pytest.approx(3.25 * S, abs=50)
    assert offset_from_pulses(seconds(20, 1), drifted(seconds(20, 2), 3.25 * S, 0.0)).offset == pytest.approx(
        0.25 * S, abs=50
    )


def test_each_pulse_has_one_partner_at_most() -> None:
    first, second = match_pulses(np.array([0, 100, 200]), np.array([1, 3, 98, 160, 340]), 50)
    assert (first.tolist(), second.tolist()) == ([0, 1, 2], [0, 2, 3])
    assert match_pulses(np.array([], np.int64), np.array([1]), 5)[0].tolist() == []


def test_outliers_do_not_move_the_line() -> None:
    times, offsets = np.arange(50) * S, np.arange(50) * 2.0 + 7
    offsets[[3, 20, 44]] = [1e9, -1e9, 5e5]
    found = fit_offset(times, offsets)
    assert found.drift == pytest.approx(2e-12)
    assert (found.offset, found.used, found.rejected) == (pytest.approx(105), 47, 3)


def test_too_few_pulses_are_refused() -> None:
    with pytest.raises(ArgumentError, match="there are 2 comparisons"):
        offset_from_pulses(seconds(2, 1), seconds(2, 2))
    with pytest.raises(ArgumentError, match="there are 0 comparisons"):
        offset_from_pulses(seconds(5, 1), np.array([], np.int64))
    with pytest.raises(ArgumentError, match="period is 0"):
        offset_from_pulses(seconds(5, 1), seconds(5, 2), 0)


def photons(pairs: float, dark: float, duration: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clicks of two detectors, of which each sees three tenths of the pairs, with a jitter of 80 ps each."""
    chance = np.random.default_rng(seed)
    when = START + np.sort(chance.uniform(0, duration * S, round(pairs * duration)))
    arms = []
    for _ in range(2):
        seen = when[chance.random(len(when)) < 0.3]
        noise = START + chance.uniform(0, duration * S, round(dark * duration))
        clicks = np.concatenate([seen + chance.normal(0, 80, len(seen)), noise])
        arms.append(np.sort(np.rint(clicks).astype(np.int64)))
    return arms[0], arms[1]


@pytest.mark.parametrize(("offset", "drift"), [(0.0, 0.0), (123_456_789.0, 7e-6), (-9e8, -1.9e-5)])
def test_photon_pairs(offset: float, drift: float) -> None:
    reference, other = photons(3e5, 2e4, 1.0, 5)
    found = offset_from_light(reference, drifted(other, offset, drift))
    assert_found(found, offset, drift)
    assert found.offset_error < 10
    assert found.drift_error < 2e-11


def test_short_light_is_enough() -> None:
    reference, other = photons(1e6, 1e4, 0.004, 6)
    assert_found(offset_from_light(reference, drifted(other, -5_000.0, 1e-6), 10**7, 1e-5), -5_000.0, 1e-6)


def test_light_that_is_not_common_is_refused() -> None:
    reference, _ = photons(3e5, 2e4, 0.3, 5)
    _, other = photons(3e5, 2e4, 0.3, 6)
    with pytest.raises(ArgumentError, match="there is no common light"):
        offset_from_light(reference, other)
    with pytest.raises(ArgumentError, match="no clicks"):
        offset_from_light(reference, other[:0])
    with pytest.raises(ArgumentError, match="no time in common"):
        offset_from_light(reference, other + 10 * S)
    with pytest.raises(ArgumentError, match="width is 0"):
        offset_from_light(reference, other, width=0)
