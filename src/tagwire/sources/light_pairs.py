"""Photon pairs: two clicks at a time, but for what is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.sources.draws import exponential, gaussian, generator, uniform
from tagwire.sources.grid import CELL, PS_PER_S, REACH, derive
from tagwire.sources.kernels import merged, poisson, settle
from tagwire.sources.light import MAX_DELAY, Clicks

_PAIRS, _DARK, _AFTER = 21, 22, 23


@dataclass(frozen=True)
class PhotonPairs:
    """Pairs of photons, one on a signal and one on an idler arm, as spontaneous parametric down-conversion makes them.

    Parameters
    ----------
    signals
        How many of the channels are detectors of the signal arm; the rest, at least one, are those of the idler arm.
        The detectors of an arm share its photons equally.
    pair_rate
        Rate of the pairs in Hz, from 0 to 1e8.
    signal_efficiency, idler_efficiency
        Probability that the photon of the arm makes a detector click, from 0 to 1, all losses included.
    timing_jitter
        Rms of the detectors' Gaussian jitter in ps, from 0 to 500,000; the Time Tagger's own comes on top.
    dark_rate
        Rate of dark counts of each detector in Hz, from 0 to 1e7.
    detector_dead_time
        Time in ps for which a detector is blind after a click, from 0 to 1 ms; clicks in it do not prolong it.
    afterpulsing_probability
        Probability that a click is followed by another one without light, from 0 to 0.5; that one may have its own.
    afterpulsing_time
        Mean time in ps from the end of the dead time to the afterpulse, from 1 to 100 µs.
    idler_delay
        Delay of the idler arm in ps, from 0 to 1 ms.

    Notes
    -----
    The pump is continuous and of many modes, so the pairs are a Poisson process of rate R. With the efficiencies s and
    i, dark rates d and one detector in each arm the singles are ``S = R s + d`` and ``I = R i + d`` and the true
    coincidences ``C = R s i``. Each arm heralds the other: ``C / I`` is s, but for dark counts (Klyshko, Sov. J.
    Quantum Electron. 10, 1112 (1980)). Coincidences within a window w have accidentals ``A = S I w``, and ``CAR = C / A
    + 1`` counts both. The two photons' own distance, of less than a ps, is not simulated: the peak has the width of the
    jitter, ``sqrt(2)`` times that of one detector.

    Clicks that the dead time suppresses may have afterpulses all the same, which matters little as long as detectors
    are seldom blind.
    """

    signals: int = 1
    pair_rate: float = 1e6
    signal_efficiency: float = 0.2
    idler_efficiency: float = 0.2
    timing_jitter: float = 50.0
    dark_rate: float = 100.0
    detector_dead_time: int = 30_000
    afterpulsing_probability: float = 0.0
    afterpulsing_time: float = 50_000.0
    idler_delay: int = 0

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            object.__setattr__(self, name, real(getattr(self, name), name, low, high))
        for name in ("detector_dead_time", "idler_delay"):
            object.__setattr__(self, name, integer(getattr(self, name), name, 0, MAX_DELAY))
        object.__setattr__(self, "signals", integer(self.signals, "signals", 1))

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        if len(channels) <= self.signals:
            raise ArgumentError(
                f"channels is {list(channels)}, of which {self.signals} for the signal: none is left for the idler"
            )
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The detectors' dead time."""
        return (self.detector_dead_time,) * len(channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Clicks caused within a cell, see `Light.clicks`."""
        state = generator(derive(seed, _PAIRS, channels[0], cell))
        times, places = _pairs(
            state,
            cell * CELL,
            CELL,
            self.pair_rate / PS_PER_S,
            np.array([self.signal_efficiency, self.idler_efficiency]),
            np.array([0, self.signals, len(channels)]),
            np.array([0.0, self.idler_delay]),
            self.timing_jitter,
        )
        return [
            self._detected(settle(times[places == i]), seed, cell, channel) if use else times[:0]
            for i, (channel, use) in enumerate(zip(channels, needed, strict=True))
        ]

    def _detected(self, photons: NDArray[np.int64], seed: int, cell: int, channel: int) -> NDArray[np.int64]:
        """Photons together with dark counts and the afterpulses of both."""
        state = generator(derive(seed, _DARK, channel, cell))
        clicks = merged(photons, poisson(state, cell * CELL, CELL, self.dark_rate / PS_PER_S))
        if not self.afterpulsing_probability:
            return clicks
        state = generator(derive(seed, _AFTER, channel, cell))
        after = _afterpulses(
            state,
            clicks,
            self.afterpulsing_probability,
            self.detector_dead_time,
            self.afterpulsing_time,
            (cell + 1) * CELL + REACH,
        )
        after.sort()
        return merged(clicks, after)


_RANGES = (
    ("pair_rate", 0.0, 1e8),
    ("signal_efficiency", 0.0, 1.0),
    ("idler_efficiency", 0.0, 1.0),
    ("timing_jitter", 0.0, 5e5),
    ("dark_rate", 0.0, 1e7),
    ("afterpulsing_probability", 0.0, 0.5),
    ("afterpulsing_time", 1.0, 1e8),
)


@kernel
def _pairs(
    state: NDArray[np.uint64],
    begin: int,
    length: int,
    rate: float,
    efficiency: NDArray[np.float64],
    detectors: NDArray[np.int64],
    delays: NDArray[np.float64],
    jitter: float,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Detected photons of all pairs, in order of the pairs, and the detector of each.

    The arm ``a`` has the detectors from ``detectors[a]`` to below ``detectors[a + 1]``.
    """
    times, places = np.empty(1024, np.int64), np.empty(1024, np.int32)
    n = 0
    t = 0.0
    while rate > 0.0:
        t += exponential(state) / rate
        if t >= length:
            break
        for arm in range(2):
            if 1.0 - uniform(state) >= efficiency[arm]:
                continue
            if n == len(times):
                times = np.concatenate((times, times))
                places = np.concatenate((places, places))
            count = detectors[arm + 1] - detectors[arm]
            places[n] = detectors[arm] + min(int((1.0 - uniform(state)) * count), count - 1)
            times[n] = begin + math.floor(t + delays[arm] + jitter * gaussian(state) + 0.5)
            n += 1
    return times[:n], places[:n]


@kernel
def _afterpulses(
    state: NDArray[np.uint64], clicks: NDArray[np.int64], probability: float, dead_time: int, mean: float, limit: int
) -> NDArray[np.int64]:
    """Afterpulses of `clicks` and of themselves, before `limit`."""
    out = np.empty(256, np.int64)
    n = 0
    for i in range(len(clicks)):
        t = clicks[i]
        while 1.0 - uniform(state) < probability:
            t += dead_time + int(mean * exponential(state))
            if t >= limit:
                break
            if n == len(out):
                out = np.concatenate((out, out))
            out[n] = t
            n += 1
    return out[:n]
