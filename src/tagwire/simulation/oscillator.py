"""A real clock: a periodic signal with the noise of oscillators."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import real
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int64Array
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.kernel import kernel
from tagwire.simulation.clock import Clock, clock_at, doubled, move
from tagwire.simulation.generator import MAX_RATE, PS_PER_S, SignalGeneratorBase
from tagwire.simulation.seeds import FROM_TIME
from tagwire.sources.draws import gaussian

OCTAVES = 40
"""Octaves of flicker noise, from the tick rate down: at 10 MHz the slowest takes more than a day."""

LOWEST = 1e-6
"""Lowest frequency in Hz."""

_COEFFICIENTS = (
    "coeff_phase_white",
    "coeff_phase_flicker",
    "coeff_freq_white",
    "coeff_freq_flicker",
    "coeff_random_drift",
)


class OscillatorSimulation(SignalGeneratorBase):
    """The ticks of an oscillator with phase noise, frequency noise and drift.

    Parameters
    ----------
    tagger
        Time Tagger object.
    nominal_frequency
        Frequency in Hz, from 1e-6 to 1e9.
    coeff_phase_white
        Rms of an independent error of each tick in s.
    coeff_phase_flicker
        Rms of 1/f noise of the ticks' error in s per octave.
    coeff_freq_white
        White noise of the relative frequency in sqrt(s): averaged over T it has the rms ``coeff / sqrt(T)``.
    coeff_freq_flicker
        Rms of 1/f noise of the relative frequency per octave.
    coeff_random_drift
        Random walk of the relative frequency in sqrt(Hz): after T it has the rms ``coeff * sqrt(T)``.
    coeff_linear_drift
        Steady change of the relative frequency in Hz: after T it is ``coeff * T``; may be negative.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    The five kinds of power-law noise of oscillators (IEEE Std 1139; Riley, NIST SP 1065). The Allan deviation at T is
    ``sqrt(3) coeff_phase_white / T``, ``coeff_freq_white / sqrt(T)`` and ``coeff_random_drift * sqrt(T / 3)`` of those
    alone. Flicker noise is a sum of white noises, each held for twice as many ticks as the one before (Voss and Clarke,
    in the form of McCartney), 40 of them. The first tick comes one period after the start. No tick comes before the one
    ahead of it, however large the noise.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        nominal_frequency: float,
        coeff_phase_white: float = 0.0,
        coeff_phase_flicker: float = 0.0,
        coeff_freq_white: float = 0.0,
        coeff_freq_flicker: float = 0.0,
        coeff_random_drift: float = 0.0,
        coeff_linear_drift: float = 0.0,
        base_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        frequency = real(nominal_frequency, "nominal_frequency", LOWEST, MAX_RATE)
        given = (coeff_phase_white, coeff_phase_flicker, coeff_freq_white, coeff_freq_flicker, coeff_random_drift)
        noise = [real(v, n, 0.0, 1.0) for v, n in zip(given, _COEFFICIENTS, strict=True)]
        drift = real(coeff_linear_drift, "coeff_linear_drift", -1.0, 1.0)
        params = {"nominal_frequency": frequency} | dict(zip(_COEFFICIENTS, noise, strict=True))
        super().__init__(tagger, params | {"coeff_linear_drift": drift}, base_channel, seed)
        self._period = PS_PER_S / frequency
        self._scales: NDArray[np.float64] = _scales(noise, drift, 1.0 / frequency)
        self._clock: Clock = clock_at(0)
        self._flicker: NDArray[np.float64] = np.zeros((2, OCTAVES))
        self._state: NDArray[np.int64] = np.zeros(3, np.int64)
        self._errors: NDArray[np.float64] = np.zeros(3)
        self._launch()

    def _begin_signal(self, begin: int) -> None:
        self._clock = clock_at(begin)
        self._errors[:] = 0.0
        self._state[:] = 0, begin, begin
        _warm_up(self._random, self._flicker)
        _tick(self._random, self._period, self._scales, *self._clock, self._flicker, self._errors, self._state)

    def _times(self, end: int) -> Int64Array:
        return _ticks(
            self._random, self._period, self._scales, *self._clock, self._flicker, self._errors, self._state, end
        )


def _scales(noise: Sequence[float], drift: float, period: float) -> NDArray[np.float64]:
    """What each noise adds to the time error in ps, or to the frequency error in ps per period, at a tick."""
    phase_white, phase_flicker, frequency_white, frequency_flicker, walk = noise
    step = period * PS_PER_S
    return np.array(
        [
            phase_white * PS_PER_S,
            phase_flicker * PS_PER_S,
            frequency_white * math.sqrt(period) * PS_PER_S,
            frequency_flicker * step,
            walk * math.sqrt(period) * step,
            drift * period * step,
        ]
    )


@kernel
def _warm_up(random: NDArray[np.uint64], flicker: NDArray[np.float64]) -> None:
    """Flicker noise as if it had been there for ever."""
    for kind in range(2):
        for octave in range(OCTAVES):
            flicker[kind, octave] = gaussian(random)


@kernel
def _renewed(random: NDArray[np.uint64], flicker: NDArray[np.float64], kind: int, tick: int) -> float:
    """Flicker noise of a tick: the octave whose turn it is gets a new value."""
    octave = 0
    while octave < OCTAVES - 1 and not (tick >> octave) & 1:
        octave += 1
    flicker[kind, octave] = gaussian(random)
    total = 0.0
    for i in range(OCTAVES):
        total += flicker[kind, i]
    return total


@kernel
def _tick(
    random: NDArray[np.uint64],
    period: float,
    scales: NDArray[np.float64],
    ps: NDArray[np.int64],
    fraction: NDArray[np.float64],
    flicker: NDArray[np.float64],
    errors: NDArray[np.float64],
    state: NDArray[np.int64],
) -> None:
    """Make the next tick.

    `errors` holds the accumulated time error in ps, and the random and the steady part of the frequency error in ps per
    period; `state` the number of the tick, its time, and the time of the one before.
    """
    state[0] += 1
    move(ps, fraction, period)
    errors[0] += errors[1] + errors[2]
    if scales[2] > 0.0:
        errors[0] += scales[2] * gaussian(random)
    if scales[3] > 0.0:
        errors[0] += scales[3] * _renewed(random, flicker, 1, state[0])
    if scales[4] > 0.0:
        errors[1] += scales[4] * gaussian(random)
    errors[2] += scales[5]
    off = errors[0]
    if scales[0] > 0.0:
        off += scales[0] * gaussian(random)
    if scales[1] > 0.0:
        off += scales[1] * _renewed(random, flicker, 0, state[0])
    state[2] = state[1]
    state[1] = max(state[2], _shifted(ps[0], fraction[0] + off))


@kernel
def _shifted(time: int, by: float) -> int:
    """`time` moved by a rounded number of ps, kept within stream time."""
    shift = math.floor(by + 0.5)
    if shift > 0 and (shift >= 2.0**62 or time > 2**63 - 1 - int(shift)):
        return 2**63 - 1
    return time + int(max(shift, -(2.0**62)))


@kernel
def _ticks(
    random: NDArray[np.uint64],
    period: float,
    scales: NDArray[np.float64],
    ps: NDArray[np.int64],
    fraction: NDArray[np.float64],
    flicker: NDArray[np.float64],
    errors: NDArray[np.float64],
    state: NDArray[np.int64],
    end: int,
) -> NDArray[np.int64]:
    """Ticks before `end`; the one that comes next is in the state."""
    out = np.empty(64, np.int64)
    n = 0
    while state[1] < end:
        if n == len(out):
            out = doubled(out)
        out[n] = state[1]
        n += 1
        _tick(random, period, scales, ps, fraction, flicker, errors, state)
    return out[:n]
