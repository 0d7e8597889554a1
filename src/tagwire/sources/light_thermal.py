"""Chaotic light: bunched within its coherence time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import real
from tagwire.kernel import kernel
from tagwire.sources.draws import exponential, gaussian, generator, uniform
from tagwire.sources.grid import CELL, PS_PER_S, derive
from tagwire.sources.light import Clicks
from tagwire.sources.ornstein import bridge, edge

MAX_RATE = 1e8
"""Largest rate of clicks of one channel in Hz."""

BRIGHTEST = 16.0
"""Intensity relative to the mean above which it is cut off: a share of ``exp(-16)``, about 1e-7, of the time."""

_FIELD, _PHOTONS = 11, 12


@dataclass(frozen=True)
class ThermalLight:
    """Light of one mode of a thermal source, split equally among detectors.

    Parameters
    ----------
    rate
        Mean rate of clicks on each channel in Hz, from 0 to 1e8.
    coherence_time
        Coherence time in ps, from 1 to 1e10.

    Notes
    -----
    The field is a complex Gaussian process with ``g1(tau) = exp(-|tau| / coherence_time)``, a Lorentzian spectrum, and
    the photons are a Poisson process that follows its intensity. So ``g2(tau) = 1 + exp(-2 |tau| / coherence_time)``,
    on a detector and between any two of them (Loudon, The Quantum Theory of Light, 3rd ed., ch. 3; Hanbury Brown and
    Twiss, Nature 177, 27 (1956)).

    The field is evaluated at 16 candidates for each photon, of which as many stay as the intensity asks for; the cost
    does not depend on the coherence time.
    """

    rate: float
    coherence_time: float = 1e6

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", real(self.rate, "rate", 0.0, MAX_RATE))
        object.__setattr__(self, "coherence_time", real(self.coherence_time, "coherence_time", 1.0, 1e10))

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """None: always 0."""
        return (0,) * len(channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Clicks caused within a cell, see `Light.clicks`."""
        key = derive(seed, _FIELD, channels[0])
        start, goal = (edge(key, k, 2, self.coherence_time) for k in (cell, cell + 1))
        state = generator(derive(seed, _PHOTONS, channels[0], cell))
        rate = len(channels) * self.rate / PS_PER_S
        times, places = _bunched(state, cell * CELL, CELL, rate, self.coherence_time, start, goal, len(channels))
        return [times[places == i] for i in range(len(channels))]


@kernel
def _bunched(
    state: NDArray[np.uint64],
    begin: int,
    length: int,
    rate: float,
    coherence: float,
    start: NDArray[np.float64],
    goal: NDArray[np.float64],
    detectors: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Photons of a field that goes from `start` to `goal`, and the detector of each."""
    times, places = np.empty(1024, np.int64), np.empty(1024, np.int32)
    n = 0
    t = 0.0
    x, y = start[0], start[1]
    while rate > 0.0:
        step = exponential(state) / (rate * BRIGHTEST)
        t += step
        if t >= length:
            break
        here, there, spread = bridge(step / coherence, (length - t) / coherence)
        x = here * x + there * goal[0] + spread * gaussian(state)
        y = here * y + there * goal[1] + spread * gaussian(state)
        if uniform(state) * BRIGHTEST < 0.5 * (x * x + y * y):
            if n == len(times):
                times = np.concatenate((times, times))
                places = np.concatenate((places, places))
            times[n] = begin + int(t)
            places[n] = min(int((1.0 - uniform(state)) * detectors), detectors - 1)
            n += 1
    return times[:n], places[:n]
