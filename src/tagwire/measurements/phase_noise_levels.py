"""Spectra of phase at ever lower offset frequencies: Welch's method on one stream of samples, halved level by level.

Welch: P. D. Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967). Times are int64 in units of 1 / 256 ps, which may
wrap round, since only differences within a sequence are used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import NO_TIMES
from tagwire.kernel import kernel

UNITS_PER_PS = 256


class Level:
    """One level of decimation: the upper half of its spectrum, and the samples of the next level.

    Parameters
    ----------
    samples
        Number of spectral samples; a sequence has four times as many.

    Attributes
    ----------
    sequences
        Number of sequences in the sum.
    """

    def __init__(self, samples: int) -> None:
        self.sequences = 0
        self._length = 4 * samples
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self._length) / self._length)
        self._place = np.arange(self._length) - (self._length - 1) / 2
        self._power = np.zeros(samples)
        self._waiting: NDArray[np.int64] = NO_TIMES
        self._odd: NDArray[np.int64] = NO_TIMES

    def push(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take samples; give those of the next level: the means of each two."""
        waiting, hop = np.concatenate([self._waiting, times]), self._length // 2
        if len(waiting) >= self._length:
            frames = np.lib.stride_tricks.sliding_window_view(waiting, self._length)[::hop]
            self.sequences += len(frames)
            add_rows(self._spectra(frames), self._power)
            waiting = waiting[len(frames) * hop :]
        self._waiting = waiting.copy()
        both = np.concatenate([self._odd, times])
        even = len(both) // 2 * 2
        self._odd = both[even:].copy()
        return np.asarray(both[:even:2] + ((both[1:even:2] - both[:even:2]) >> 1))

    def forget(self) -> None:
        """Let no sequence and no mean span this point."""
        self._waiting = self._odd = NO_TIMES

    def density(self, rate: float) -> NDArray[np.float64]:
        """One-sided spectral density of the time error in ps**2 / Hz, when samples come at `rate` Hz."""
        weight = float(np.dot(self._window, self._window))
        return np.asarray(2 * self._power / (self.sequences * rate * weight * UNITS_PER_PS**2))

    def _spectra(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Squared magnitudes of the upper half of the spectrum of each sequence, without its straight line."""
        since = frames - frames[:, :1]
        steps = since[:, -1:] // (self._length - 1)
        errors = (since - steps * np.arange(self._length)).astype(np.float64)
        errors -= errors.mean(axis=1, keepdims=True)
        slopes = errors @ self._place / (self._place @ self._place)
        errors -= slopes[:, None] * self._place
        spectra = np.fft.rfft(errors * self._window, axis=1)[:, self._length // 4 + 1 :]
        return np.asarray(spectra.real**2 + spectra.imag**2)


@kernel
def add_rows(rows: NDArray[np.float64], total: NDArray[np.float64]) -> None:
    """Add one row after the other, so that the sum does not depend on how many come at once."""
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            total[j] += rows[i, j]
