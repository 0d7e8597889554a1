"""Phase noise of a periodic signal over a wide range of offset frequencies."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.core.arrays import Float64Array1D, UInt64Array1D
from tagwire.core.tags import Int64Array, TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.measurements.gaps import stretches
from tagwire.measurements.phase_noise_levels import UNITS_PER_PS, Level

PS_PER_S = 10**12
SAMPLES_MAX = 65_536
LEVELS_MAX = 48


class PhaseNoiseData:
    """A spectrum at one moment; comes from `PhaseNoise.getDataObject` only.

    Spectral samples are ordered by rising offset; where nothing was averaged yet, there is none.
    """

    _offset: NDArray[np.float64]
    _density: NDArray[np.float64]
    _sequences: NDArray[np.uint64]
    _frequency: float

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    def getOffset(self) -> Float64Array1D:
        """Distance of each spectral sample from the carrier in Hz, float64."""
        return self._offset.copy()

    def getPhaseNoise(self) -> Float64Array1D:
        """Phase noise L in dBc/Hz, float64: half of the one-sided spectral density of the phase (IEEE 1139)."""
        with np.errstate(divide="ignore"):
            return np.asarray(10 * np.log10((2 * np.pi * self._frequency) ** 2 * self._density / 2))

    def getIntegratedJitter(self, lower_bound: float = 12000.0, upper_bound: float = -1.0) -> float:
        """Rms jitter in s within a range of offset frequencies.

        Parameters
        ----------
        lower_bound
            Begin of the range in Hz, at least 0.
        upper_bound
            End of the range in Hz, not below the begin; negative: half of the carrier frequency.

        Returns
        -------
        float
            Root of the integral of the spectral density of the time error. Each spectral sample stands for the offsets
            that are nearer to it than to others; what lies below the lowest is left out. NaN without any sample.
        """
        low, high = real(lower_bound, "lower_bound", 0.0), real(upper_bound, "upper_bound")
        if 0 <= high < low:
            raise ArgumentError(f"upper_bound is {high:g} Hz, but must be at least lower_bound, {low:g} Hz")
        if not len(self._offset):
            return np.nan
        f = self._offset
        width = f[1] - f[0] if len(f) > 1 else f[0]
        edges = np.concatenate([[f[0] - width / 2], (f[1:] + f[:-1]) / 2, f[-1:]])
        inside = np.clip(edges, low, high if high >= 0 else np.inf)
        return float(np.sqrt(np.dot(self._density, np.diff(inside))))

    def getAveragedSequences(self) -> UInt64Array1D:
        """Number of sequences averaged in each spectral sample, uint64."""
        return self._sequences.copy()

    def getFrequency(self) -> float:
        """Mean carrier frequency in Hz; NaN before two tags."""
        return self._frequency

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""


class PhaseNoise(IteratorBase):
    """Spectrum of the phase of a periodic signal, evenly spaced within each octave of offset frequency.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channel
        Channel of the signal.
    samples_per_octave
        Spectral samples in each octave, 1 to 65536.

    Notes
    -----
    Welch's method: sequences of 4 * samples_per_octave time stamps, each overlapping the last by half, lose their
    straight line, are weighted with a Hann window and Fourier transformed, and the squared magnitudes are averaged. The
    upper half of that spectrum is the highest octave. The means of each two time stamps go through the same for the
    next octave below, and so on; one more octave opens whenever twice as many tags have come.

    A mean of two lets through white phase noise unchanged, while it lowers steeper noise by up to 3 dB at the upper end
    of each lower octave.

    Time tags are used. No sequence spans an overflow begin, overflow end or error tag, nor a stop; missed events change
    nothing. Times are resolved to 1 / 256 ps in the means.
    """

    def __init__(self, tagger: TimeTaggerBase, channel: int, samples_per_octave: int = 32) -> None:
        owner = require_tagger(tagger)
        self._channel = owner._channel(channel, "channel")
        self._samples = integer(samples_per_octave, "samples_per_octave", 1, SAMPLES_MAX)
        super().__init__(owner, [self._channel], {"channel": self._channel, "samples_per_octave": self._samples})
        self._launch()

    def getDataObject(self) -> PhaseNoiseData:
        """The spectrum at this moment."""
        data = PhaseNoiseData.__new__(PhaseNoiseData)
        with self._lock:
            carrier = self._periods / self._span * PS_PER_S if self._span else np.nan
            levels = [(i, level) for i, level in enumerate(self._levels) if level.sequences][::-1]
            bins = np.arange(self._samples + 1, 2 * self._samples + 1) / (4 * self._samples)
            empty = [np.zeros(0)]
            data._frequency = carrier
            data._offset = np.concatenate(empty + [bins * (carrier / 2**i) for i, _ in levels])
            densities = [level.density(carrier / 2**i) / PS_PER_S**2 for i, level in levels]
            data._density = np.concatenate(empty + densities)
            data._sequences = np.repeat(np.array([level.sequences for _, level in levels], np.uint64), self._samples)
        return data

    def _reset(self) -> None:
        self._levels = [Level(self._samples)]
        self._periods, self._span = 0, 0
        self._last: int | None = None

    def _forget(self) -> None:
        self._last = None
        for level in self._levels:
            level.forget()

    def _process(self, block: TagBlock) -> None:
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self._forget()
            mine = time[channel == self._channel]
            if len(mine):
                self._measure(mine)
                self._push(mine * UNITS_PER_PS)

    def _measure(self, times: Int64Array) -> None:
        """Carry on the mean period."""
        first = int(times[0]) if self._last is None else self._last
        self._periods += len(times) - (self._last is None)
        self._last = int(times[-1])
        self._span += self._last - first

    def _push(self, times: Int64Array) -> None:
        """Send samples down the levels, and open one below a level that has its first sequence."""
        for level in self._levels:
            if not len(times):
                return
            times = level.push(times)
        while len(times) and len(self._levels) < LEVELS_MAX:
            self._levels.append(Level(self._samples))
            times = self._levels[-1].push(times)
