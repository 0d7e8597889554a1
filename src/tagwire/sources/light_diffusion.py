"""Fluorescence of molecules that diffuse through a laser focus."""

from __future__ import annotations

import math
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

WIDTH = 16.0
"""Smallest variance of the molecules' places, in squared focus radii."""

STEPS = 20
"""Steps of the motion in a diffusion time."""

_PLACES, _PATHS, _PHOTONS = 41, 42, 43


@dataclass(frozen=True)
class Diffusion:
    """Molecules that diffuse in two dimensions through a Gaussian focus, their light split equally among detectors.

    Parameters
    ----------
    rate
        Mean rate of clicks on each channel in Hz, from 0 to 1e8.
    molecules
        Mean number N of molecules in the focus, from 0.05 to 20: the correlation has the amplitude 1 / N.
    diffusion_time
        Mean time tau_D in ps that a molecule stays in the focus, from 1e7 to 1e10 (10 µs to 10 ms).

    Notes
    -----
    The focus is ``exp(-2 r² / w²)``, and ``tau_D = w² / (4 D)``: ``g2(tau) = 1 + (1 / N) / (1 + tau / tau_D)`` for
    molecules that diffuse freely (Magde, Elson and Webb, Phys. Rev. Lett. 29, 705 (1972); Elson and Magde, Biopolymers
    13, 1 (1974)). Here M of them are kept near the focus by a weak spring, which gives each coordinate the variance ``q
    w²`` and the relaxation time ``4 q tau_D``, q at least 16. From the Gaussian integrals over one molecule's places at
    two times follows, with ``rho = exp(-tau / (4 q tau_D))``, exactly ``g2(tau) = 1 + ((1 + 4 q)² / ((1 + 4 q)² - (4 q
    rho)²) - 1) / M``; it has the amplitude 1 / N, differs from the free one by at most 0.04 / N, and goes to 1.

    Molecules move in steps of tau_D / 20; the cost grows with ``molecules / diffusion_time``.
    """

    rate: float = 1e5
    molecules: float = 2.0
    diffusion_time: float = 1e9

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", real(self.rate, "rate", 0.0, 1e8))
        object.__setattr__(self, "molecules", real(self.molecules, "molecules", 0.05, 20.0))
        object.__setattr__(self, "diffusion_time", real(self.diffusion_time, "diffusion_time", 1e7, 1e10))

    @property
    def count(self) -> int:
        """Number M of simulated molecules."""
        return math.ceil(self.molecules * 16 * WIDTH**2 / (1 + 8 * WIDTH))

    @property
    def variance(self) -> float:
        """Variance q of each coordinate in squared focus radii, for which M molecules have the amplitude 1 / N."""
        m, n = self.count, self.molecules
        return (m + math.sqrt(m * m + m * n)) / (4 * n)

    def g2(self, tau: float) -> float:
        """Correlation of the simulated light at the lag `tau` in ps."""
        q = self.variance
        whole = (1 + 4 * q) ** 2
        return (
            1 + (whole / (whole - (4 * q * math.exp(-abs(tau) / (4 * q * self.diffusion_time))) ** 2) - 1) / self.count
        )

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """None: always 0."""
        return (0,) * len(channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Clicks caused within a cell, see `Light.clicks`."""
        q, first = self.variance, channels[0]
        relaxation = 4 * q * self.diffusion_time
        key = derive(seed, _PLACES, first)
        start, goal = (edge(key, k, 2 * self.count, relaxation) for k in (cell, cell + 1))
        steps = math.ceil(CELL * STEPS / self.diffusion_time)
        # One molecule has the mean intensity 1 / (1 + 4 q).
        scale = (1 + 4 * q) / self.count
        state = generator(derive(seed, _PATHS, first, cell))
        intensity = _paths(state, start, goal, q, CELL / relaxation, steps) * scale
        state = generator(derive(seed, _PHOTONS, first, cell))
        mean = intensity * (len(channels) * self.rate / PS_PER_S * CELL / steps)
        times, places = _photons(state, cell * CELL, CELL, mean, len(channels))
        return [times[places == i] for i in range(len(channels))]


@kernel
def _paths(
    state: NDArray[np.uint64],
    start: NDArray[np.float64],
    goal: NDArray[np.float64],
    variance: float,
    span: float,
    steps: int,
) -> NDArray[np.float64]:
    """Sum of the molecules' intensities at the middle of each of `steps` steps, `span` relaxation times in all."""
    out = np.zeros(steps)
    places = start.copy()
    for i in range(steps):
        step = span / steps * (0.5 if i == 0 else 1.0)
        here, there, spread = bridge(step, span * (1.0 - (i + 0.5) / steps))
        for k in range(0, len(places), 2):
            places[k] = here * places[k] + there * goal[k] + spread * gaussian(state)
            places[k + 1] = here * places[k + 1] + there * goal[k + 1] + spread * gaussian(state)
            r = variance * (places[k] * places[k] + places[k + 1] * places[k + 1])
            if r < 18.0:
                out[i] += math.exp(-2.0 * r)
    return out


@kernel
def _photons(
    state: NDArray[np.uint64], begin: int, length: int, mean: NDArray[np.float64], detectors: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Photons of equal steps that expect `mean` of them, and the detector of each."""
    times, places = np.empty(1024, np.int64), np.empty(1024, np.int32)
    n = 0
    left = exponential(state)
    for i in range(len(mean)):
        used = 0.0
        while left < mean[i] - used:
            used += left
            if n == len(times):
                times = np.concatenate((times, times))
                places = np.concatenate((places, places))
            t = (i + used / mean[i]) / len(mean) * length
            times[n] = begin + min(int(t), length - 1)
            places[n] = min(int((1.0 - uniform(state)) * detectors), detectors - 1)
            n += 1
            left = exponential(state)
        left -= mean[i] - used
    return times[:n], places[:n]
