"""Light that falls on detectors at the inputs of a simulated Time Tagger.

Lights are values: what they cause in a stretch of stream time depends on nothing but the light, a key and the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, integers, real
from tagwire.errors import ArgumentError
from tagwire.sources.draws import generator
from tagwire.sources.grid import CELL, PS_PER_S, derive, pulse_train
from tagwire.sources.kernels import emit, merged, poisson, settle

MAX_RATE = 1e9
"""Largest rate of clicks of one channel in Hz."""

MAX_DELAY = 10**9
"""Largest delay and dead time of a detector in ps."""

_POISSON, _EMITTER = 1, 2

Clicks = list[NDArray[np.int64]]


class Light(Protocol):
    """What a light must tell the simulation."""

    @property
    def memoryless(self) -> bool:
        """Whether the clicks of every channel are a Poisson process that no dead time disturbs."""
        ...

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """Every channel that carries pulses when the light falls on `channels`; raises where these do not fit."""
        ...

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """Dead time in ps of what feeds each of `channels` (from `outputs`); 0 for none."""
        ...

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """What the light causes within one cell of the time grid, before dead time.

        Parameters
        ----------
        seed
            Seed of the simulation.
        cell
            Number of the cell (see `tagwire.sources.grid`).
        channels
            From `outputs`.
        needed
            Which of them are asked for; the others may be left empty.

        Returns
        -------
        list of ndarray of int64
            Sorted times in ps for each of `channels`, at most `MARGIN` before the cell and `REACH` behind it.
        """
        ...


@dataclass(frozen=True)
class PoissonLight:
    """Steady light: clicks without any correlation, independent on every channel.

    Parameters
    ----------
    rate
        Mean rate of clicks on each channel in Hz, from 0 to 1e9.

    Notes
    -----
    The times between clicks are exponentially distributed with mean 1 / rate (Poisson process; e.g. Loudon, The Quantum
    Theory of Light, 3rd ed., ch. 3), so g2 is 1 everywhere.
    """

    rate: float

    memoryless: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", real(self.rate, "rate", 0.0, MAX_RATE))

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """None: always 0."""
        return (0,) * len(channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Clicks caused within a cell, see `Light.clicks`."""
        return [_poisson(self.rate if use else 0.0, seed, cell, c) for c, use in zip(channels, needed, strict=True)]


@dataclass(frozen=True)
class PulsedEmitter:
    """A single quantum emitter under pulsed excitation, its light split equally among the detectors.

    Parameters
    ----------
    repetition_rate
        Rate of the laser pulses in Hz, from 1e3 to 1e9.
    lifetime
        Mean time in ps from the pulse to the emission, from 0 to 100 µs and shorter than the pulse period.
    emission_efficiency
        Probability that a pulse makes the emitter emit, from 0 to 1.
    collection_efficiency
        Probability that an emitted photon reaches the beam splitter, from 0 to 1.
    detector_efficiency
        Probability that a photon at a detector makes it click, from 0 to 1; one value for all detectors, or one for
        each.
    timing_jitter
        Rms of the detectors' Gaussian jitter in ps, from 0 to 500,000; the Time Tagger's own comes on top.
    detector_dead_time
        Time in ps for which a detector is blind after a click, from 0 to 1 ms; clicks in it do not prolong it.
    dark_rate
        Rate of dark counts of each detector in Hz, from 0 to 1e7.
    second_photon_probability
        Probability that an emission is accompanied by a second photon, from 0 to 1; makes g2(0) larger than 0.
    delays
        Delay in ps of each detector's clicks, from 0 to 1 ms; empty for no delay.
    sync
        Channel that carries the laser pulses, or `None`.

    Notes
    -----
    R is the repetition rate, e, c and d are the three efficiencies, m is the probability of a second photon, and there
    are N detectors:

    - A detector clicks at the rate ``r = R e (1 + m) c d / N + dark_rate``, where at most few pulses give it two
      photons; its dead time D reduces that to about ``r / (1 + r D)`` (non-paralysable detector; Knoll, Radiation
      Detection and Measurement, ch. 4).
    - The emitted photon number n of a pulse has ``<n> = e (1 + m)`` and ``<n (n - 1)> = 2 e m``. The pairs of one
      pulse, relative to those of different pulses, are then ``g2(0) = <n (n - 1)> / <n>² = 2 m / (e (1 + m)²)``,
      whatever is lost on the way (Loudon, ch. 5 and 6; measured so by Michler et al., Science 290, 2282 (2000)).
      Dark counts add their own flat pairs.
    - Emission follows the pulse with the density ``exp(-t / lifetime) / lifetime`` (Lakowicz, Principles of
      Fluorescence Spectroscopy, ch. 4); both photons of a pulse have it, independently. The emitter is taken as
      relaxed before the next pulse.
    """

    repetition_rate: float = 80e6
    lifetime: float = 1_500.0
    emission_efficiency: float = 0.9
    collection_efficiency: float = 0.02
    detector_efficiency: float | tuple[float, ...] = 0.6
    timing_jitter: float = 50.0
    detector_dead_time: int = 30_000
    dark_rate: float = 100.0
    second_photon_probability: float = 0.0
    delays: tuple[int, ...] = ()
    sync: int | None = None

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            object.__setattr__(self, name, real(getattr(self, name), name, low, high))
        period = PS_PER_S / self.repetition_rate
        if self.lifetime >= period:
            raise ArgumentError(f"lifetime is {self.lifetime:g} ps, but must be below the pulse period {period:g} ps")
        dead_time = integer(self.detector_dead_time, "detector_dead_time", 0, MAX_DELAY)
        object.__setattr__(self, "detector_dead_time", dead_time)
        object.__setattr__(self, "detector_efficiency", _efficiency(self.detector_efficiency))
        delays = tuple(integer(d, f"delays[{i}]", 0, MAX_DELAY) for i, d in enumerate(integers(self.delays, "delays")))
        object.__setattr__(self, "delays", delays)
        if self.sync is not None:
            object.__setattr__(self, "sync", integer(self.sync, "sync"))

    @property
    def g2_zero(self) -> float:
        """g2(0) of the emitted light, without dark counts."""
        mean = self.emission_efficiency * (1 + self.second_photon_probability)
        pairs = 2 * self.emission_efficiency * self.second_photon_probability
        return pairs / mean**2 if mean > 0 else 0.0

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The detectors' channels, then the one of the laser pulses, if any."""
        for name in ("detector_efficiency", "delays"):
            values = getattr(self, name)
            if isinstance(values, tuple) and values and len(values) != len(channels):
                raise ArgumentError(f"{name} has {len(values)} values, but there are {len(channels)} detectors")
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
        detectors = channels if self.sync is None else channels[:-1]
        clicks = self._photons(seed, cell, detectors)
        for i, channel in enumerate(detectors):
            clicks[i] = merged(clicks[i], _poisson(self.dark_rate, seed, cell, channel))
        if self.sync is not None:
            clicks.append(periodic(cell, self._period) if needed[-1] else np.empty(0, np.int64))
        return clicks

    @property
    def _period(self) -> Fraction:
        return PS_PER_S / Fraction(self.repetition_rate)

    def _photons(self, seed: int, cell: int, detectors: Sequence[int]) -> Clicks:
        begin, period = cell * CELL, self._period
        first, count = pulse_train(begin, begin + CELL, period)
        detected = self._detected(len(detectors))
        total = float(detected.sum())
        both = self.second_photon_probability
        weights = np.array([total * (1 - both * total), both * total * (1 - total), both * total * total])
        shares = np.cumsum(detected) / total if total > 0 else np.ones(len(detectors))
        shares[-1] = 1.0
        delays = np.array(self.delays or [0] * len(detectors), np.float64)
        state = generator(derive(seed, _EMITTER, detectors[0], cell))
        times, places = emit(
            state,
            begin,
            first,
            float(period),
            count,
            self.emission_efficiency * weights,
            shares,
            delays,
            self.lifetime,
            self.timing_jitter,
        )
        return [settle(times[places == i]) for i in range(len(detectors))]

    def _detected(self, count: int) -> NDArray[np.float64]:
        """Probability of an emitted photon to be detected by each of `count` detectors."""
        efficiency = np.broadcast_to(np.array(self.detector_efficiency, np.float64), count)
        return efficiency * (self.collection_efficiency / count)


_RANGES = (
    ("repetition_rate", 1e3, MAX_RATE),
    ("lifetime", 0.0, 1e8),
    ("emission_efficiency", 0.0, 1.0),
    ("collection_efficiency", 0.0, 1.0),
    ("timing_jitter", 0.0, 5e5),
    ("dark_rate", 0.0, 1e7),
    ("second_photon_probability", 0.0, 1.0),
)


def _efficiency(value: object) -> float | tuple[float, ...]:
    """One efficiency, or one for each detector."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return real(value, "detector_efficiency", 0.0, 1.0)
    return tuple(real(v, f"detector_efficiency[{i}]", 0.0, 1.0) for i, v in enumerate(value))


def periodic(cell: int, period: Fraction) -> NDArray[np.int64]:
    """The multiples of `period` within a cell, rounded to ps."""
    begin = cell * CELL
    first, count = pulse_train(begin, begin + CELL, period)
    times: NDArray[np.float64] = np.floor(first + np.arange(count) * float(period) + 0.5)
    return begin + times.astype(np.int64)


def _poisson(rate: float, seed: int, cell: int, channel: int) -> NDArray[np.int64]:
    """Clicks without any correlation on one channel within a cell."""
    return poisson(generator(derive(seed, _POISSON, channel, cell)), cell * CELL, CELL, rate / PS_PER_S)
