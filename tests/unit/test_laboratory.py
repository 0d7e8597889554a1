"""Simulated instruments with clocks of their own in one world."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError, ArgumentKindError, TagwireError
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.stream import TimeTagStream
from tagwire.testing import SteppedTimeTagger, simulated_tagger

S = 10**12
MIDNIGHT = 86_400 * S

# Channels of the clock signal, of the pulses per second, and of the photons.
CLOCK, PULSE, PHOTONS = 8, 7, 1


def laboratory(seed: int, frequency_error: float, random_walk: float, start: int) -> SteppedTimeTagger:
    tagger = simulated_tagger(seed=seed)
    tagger.simulateClock(frequency_error, random_walk, start, seed)
    tagger.simulateReference(CLOCK, PULSE, clock_frequency=1e5)
    return tagger


def times(tagger: SteppedTimeTagger, channel: int, span: int) -> np.ndarray:
    stream = TimeTagStream(tagger, 10**6, [channel])
    tagger.advance(span)
    return stream.getData().getTimestamps()


def test_a_second_takes_longer_by_a_clock_that_is_too_fast() -> None:
    pulses = times(laboratory(1, 1e-5, 0.0, MIDNIGHT - S // 2), PULSE, 3 * S)
    assert len(pulses) == 3
    assert pulses[0] == pytest.approx(0.5 * S + 5_000_000, abs=100)
    assert np.diff(pulses) == pytest.approx([S + 10_000_000] * 2, abs=100)


def test_a_random_walk_adds_up_by_chance() -> None:
    gained = []
    for seed in range(40):
        tagger = simulated_tagger(seed=seed)
        tagger.simulateClock(0.0, 1_000.0, 0, seed)
        tagger.simulateReference(pulse_channel=PULSE)
        gained.append(times(tagger, PULSE, 42 * S // 10)[-1] - 4 * S)
    assert np.std(gained) == pytest.approx(2_000, rel=0.5)
    assert abs(np.mean(gained)) < 5 * 2_000 / np.sqrt(40)


def test_a_reference_clock_brings_stream_time_to_laboratory_time() -> None:
    for seed, error in ((1, 8e-6), (2, -3e-6)):
        tagger = laboratory(seed, error, 30.0, MIDNIGHT + 300_000_000_000)
        tagger.setReferenceClock(CLOCK, 1e5, 1e-2, PULSE, wait_until_locked=False)
        tagger.advance(S)
        state = tagger.getReferenceClockState()
        assert state.is_locked
        assert state.is_synchronized
        pulses = times(tagger, PULSE, 3 * S)
        assert pulses == pytest.approx(MIDNIGHT + S * np.arange(2, 2 + len(pulses)), abs=100)
        assert len(pulses) == 3


def test_laboratories_far_apart_have_the_photons_of_a_pair_at_the_same_time() -> None:
    found = []
    for seed, error, arm in ((1, 8e-6, "signal"), (2, -3e-6, "idler")):
        tagger = laboratory(seed, error, 30.0, MIDNIGHT + seed * 200_000_000_000)
        tagger.simulateSharedPairs(PHOTONS, arm, seed=5, pair_rate=1e4, signal_efficiency=0.5, idler_efficiency=0.5)
        tagger.setReferenceClock(CLOCK, 1e5, 1e-2, PULSE, wait_until_locked=False)
        tagger.advance(S)
        found.append(times(tagger, PHOTONS, S))
    begin, end = max(t[0] for t in found), min(t[-1] for t in found)
    first, second = (t[(t >= begin) & (t <= end)] for t in found)
    places = np.clip(np.searchsorted(second, first), 1, len(second) - 1)
    nearest = np.where(np.abs(second[places] - first) < np.abs(second[places - 1] - first), places, places - 1)
    apart = second[nearest] - first
    paired = apart[np.abs(apart) < 1_000]
    seconds = (end - begin) / S
    assert len(paired) == pytest.approx(2_500 * seconds, abs=5 * np.sqrt(2_500))
    # Two detectors of 50 ps and two inputs of 9 ps, and two clocks that follow theirs to some ps.
    assert paired.std() == pytest.approx(np.hypot(50, 9) * np.sqrt(2), rel=0.15)
    assert abs(paired.mean()) < 20


def test_the_computers_time_is_where_clocks_begin() -> None:
    tagger = simulated_tagger()
    before = time.time_ns() * 1000 % 10**18
    tagger.simulateClock()
    assert 0 <= (tagger._hub.source.laboratory_time - before) % 10**18 < 60 * S  # type: ignore[attr-defined]


def test_stream_time_goes_on_where_it_is() -> None:
    tagger = simulated_tagger()
    tagger.simulatePoisson([1], 1e5)
    correlation = Correlation(tagger, 1)
    tagger.advance(S // 10)
    tagger.simulateClock(1e-4, start=5 * S)
    tagger.advance(S // 10)
    assert tagger._hub.position == S // 5
    assert correlation.getCaptureDuration() == S // 5


WRONG: dict[str, tuple[type[TagwireError], Callable[[SteppedTimeTagger], object]]] = {
    "frequency_error": (ArgumentError, lambda t: t.simulateClock(2e-3)),
    "random_walk": (ArgumentError, lambda t: t.simulateClock(0.0, -1.0)),
    "start": (ArgumentError, lambda t: t.simulateClock(start=-2)),
    "seed": (ArgumentKindError, lambda t: t.simulateClock(seed="x")),  # type: ignore[arg-type]
    "clock_channel is 19": (ArgumentError, lambda t: t.simulateReference(19)),
    "pulse_channel is -3": (ArgumentError, lambda t: t.simulateReference(2, -3)),
    "both 2": (ArgumentError, lambda t: t.simulateReference(2, 2)),
    "frequency": (ArgumentError, lambda t: t.simulateReference(2, 3, 0.5)),
    "missing": (ArgumentError, lambda t: t.simulateReference(2, 3, missing=1.1)),
    "arm is 'left'": (ArgumentError, lambda t: t.simulateSharedPairs(2, "left")),
    "pair_rate": (ArgumentError, lambda t: t.simulateSharedPairs(2, "idler", pair_rate=-1.0)),
    "names -2": (ArgumentError, lambda t: t.simulateSharedPairs(-2, "idler")),
}


@pytest.mark.parametrize("named", WRONG)
def test_what_does_not_fit_is_named_and_changes_nothing(named: str) -> None:
    tagger = simulated_tagger()
    error, call = WRONG[named]
    with pytest.raises(error, match=named):
        call(tagger)
    source = tagger._hub.source
    assert source.light(2) is None  # type: ignore[attr-defined]
    assert source.laboratory_time == 0  # type: ignore[attr-defined]


def test_no_signal_at_all_is_fine() -> None:
    simulated_tagger().simulateReference(CHANNEL_UNUSED, CHANNEL_UNUSED)
