"""Fluorescence of many molecules after laser pulses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.sources.draws import exponential, gaussian, generator, uniform
from tagwire.sources.grid import CELL, PS_PER_S, derive, pulse_train
from tagwire.sources.kernels import merged, poisson, settle
from tagwire.sources.light import MAX_DELAY, MAX_RATE, Clicks, periodic

_PHOTONS, _DARK = 31, 32


@dataclass(frozen=True)
class Fluorescence:
    """Photons of many molecules that a pulsed laser excites, decaying with one or several lifetimes.

    Parameters
    ----------
    rate
        Mean rate of photons that each detector detects in Hz, from 0 to 1e8.
    repetition_rate
        Rate of the laser pulses in Hz, from 1e3 to 1e9.
    lifetimes
        Lifetimes in ps, each from 0 to 100 µs.
    amplitudes
        Amplitude of each lifetime, at least 0; in any unit.
    timing_jitter
        Rms of the detectors' Gaussian jitter in ps, from 0 to 500,000; the Time Tagger's own comes on top.
    dark_rate
        Rate of dark counts of each detector in Hz, from 0 to 1e7.
    detector_dead_time
        Time in ps for which a detector is blind after a click, from 0 to 1 ms; clicks in it do not prolong it.
    delay
        Delay of the photons against the laser pulses in ps, from 0 to 1 ms.
    sync
        Channel that carries the laser pulses, or `None`.

    Notes
    -----
    The intensity after a pulse is ``sum of a_k exp(-t / tau_k)``, so the share of photons with the lifetime ``tau_k``
    is ``a_k tau_k`` of the sum of those (Lakowicz, Principles of Fluorescence Spectroscopy, ch. 4). The number of
    photons of a pulse has a Poisson distribution. Photons may come after the next pulse.
    """

    rate: float = 1e5
    repetition_rate: float = 40e6
    lifetimes: tuple[float, ...] = (4_000.0,)
    amplitudes: tuple[float, ...] = (1.0,)
    timing_jitter: float = 50.0
    dark_rate: float = 100.0
    detector_dead_time: int = 30_000
    delay: int = 0
    sync: int | None = None

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            object.__setattr__(self, name, real(getattr(self, name), name, low, high))
        for name in ("detector_dead_time", "delay"):
            object.__setattr__(self, name, integer(getattr(self, name), name, 0, MAX_DELAY))
        for name, high in (("lifetimes", 1e8), ("amplitudes", 1e12)):
            values = tuple(real(v, f"{name}[{i}]", 0.0, high) for i, v in enumerate(getattr(self, name)))
            object.__setattr__(self, name, values)
        if len(self.lifetimes) != len(self.amplitudes) or not sum(self.amplitudes):
            raise ArgumentError(
                f"amplitudes is {self.amplitudes}, but must have {len(self.lifetimes)} values, one for each lifetime, "
                "which are not all 0"
            )
        if self.sync is not None:
            object.__setattr__(self, "sync", integer(self.sync, "sync"))

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The detectors' channels, then the one of the laser pulses, if any."""
        if self.sync is None:
            return tuple(channels)
        if self.sync in channels:
            raise ArgumentError(f"sync is {self.sync}, but must not be one of the detectors' channels {channels}")
        return (*channels, self.sync)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The detectors' dead time; 0 for the laser pulses."""
        return tuple(0 if c == self.sync else self.detector_dead_time for c in channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Clicks caused within a cell, see `Light.clicks`."""
        return [
            self._one(seed, cell, c) if use else np.empty(0, np.int64) for c, use in zip(channels, needed, strict=True)
        ]

    def _one(self, seed: int, cell: int, channel: int) -> NDArray[np.int64]:
        """Laser pulses, or clicks of one detector, within a cell."""
        period = PS_PER_S / Fraction(self.repetition_rate)
        if channel == self.sync:
            return periodic(cell, period)
        begin = cell * CELL
        first, count = pulse_train(begin, begin + CELL, period)
        photons = _fluoresce(
            generator(derive(seed, _PHOTONS, channel, cell)),
            begin,
            first + self.delay,
            float(period),
            count,
            self.rate / self.repetition_rate,
            self._shares(),
            np.array(self.lifetimes),
            self.timing_jitter,
        )
        dark = poisson(generator(derive(seed, _DARK, channel, cell)), begin, CELL, self.dark_rate / PS_PER_S)
        return merged(settle(photons), dark)

    def _shares(self) -> NDArray[np.float64]:
        """Cumulative share of each lifetime in the photons."""
        weights = np.array(self.amplitudes) * np.array(self.lifetimes)
        if not weights.sum():
            weights = np.array(self.amplitudes)
        shares: NDArray[np.float64] = np.cumsum(weights) / weights.sum()
        shares[-1] = 1.0
        return shares


_RANGES = (
    ("rate", 0.0, 1e8),
    ("repetition_rate", 1e3, MAX_RATE),
    ("timing_jitter", 0.0, 5e5),
    ("dark_rate", 0.0, 1e7),
)


@kernel
def _fluoresce(
    state: NDArray[np.uint64],
    begin: int,
    first: float,
    period: float,
    count: int,
    mean: float,
    shares: NDArray[np.float64],
    lifetimes: NDArray[np.float64],
    jitter: float,
) -> NDArray[np.int64]:
    """Photons of `count` pulses with a `mean` number each, in order of the pulses."""
    out = np.empty(1024, np.int64)
    n = 0
    pulse = 0.0
    while mean > 0.0:
        # A Poisson process along the pulses: as many fall on each as a Poisson distribution has.
        pulse += exponential(state) / mean
        if pulse >= count:
            break
        k = 0
        u = uniform(state)
        while u > shares[k]:
            k += 1
        t = first + math.floor(pulse) * period + lifetimes[k] * exponential(state) + jitter * gaussian(state)
        if n == len(out):
            out = np.concatenate((out, out))
        out[n] = begin + math.floor(t + 0.5)
        n += 1
    return out[:n]
