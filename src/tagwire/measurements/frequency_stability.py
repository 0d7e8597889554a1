"""Stability of a periodic signal: Allan deviation and its relatives, and the traces of phase and frequency."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, integers, real
from tagwire.core.arrays import Float64Array1D
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.measurements.frequency_stability_kernel import ADEV, HDEV, MDEV, STATE, STDD, STEP, fold
from tagwire.measurements.gaps import stretches

PS_PER_S = 10**12
STEP_MAX = 2**26
"""Largest step; three times as many samples of 8 bytes are kept."""

STEPS_MAX = 100_000
AVERAGE_MAX = 10**9
TRACE_MAX = 2**26


class FrequencyStabilityData:
    """Metrics and traces at one moment; comes from `FrequencyStability.getDataObject` only.

    Notes
    -----
    The metrics have one value for each entry of `steps`, NaN while there are too few samples. x(i) are the averaged
    time stamps, N their number, T their mean distance, m the step, and tau = m T. The formulas are those of
    W. J. Riley, Handbook of Frequency Stability Analysis, NIST Special Publication 1065 (2008), ch. 5; sums go over all
    overlapping samples.
    """

    _tau: NDArray[np.float64]
    _deviations: dict[int, NDArray[np.float64]]
    _samples: NDArray[np.float64]
    _length: int
    _distance: float
    _average: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    def getTau(self) -> Float64Array1D:
        """Averaging time of each metric in s, float64: step times the measured distance of averaged time stamps."""
        return self._tau.copy()

    def getADEV(self) -> Float64Array1D:
        """Overlapping Allan deviation, float64, dimensionless.

        Root of ``sum (x(i) - 2 x(i + m) + x(i + 2 m))**2 / (2 tau**2 (N - 2 m))``.
        """
        return self._deviations[ADEV].copy()

    def getMDEV(self) -> Float64Array1D:
        """Modified Allan deviation, float64, dimensionless.

        As `getADEV`, with the mean of m neighbouring second differences in the place of each: root of
        ``sum S(j)**2 / (2 m**2 tau**2 (N - 3 m + 1))``, where S(j) is the sum of second differences j to j + m - 1.
        """
        return self._deviations[MDEV].copy()

    def getHDEV(self) -> Float64Array1D:
        """Overlapping Hadamard deviation, float64, dimensionless; a steady frequency drift does not change it.

        Root of ``sum (x(i + 3 m) - 3 x(i + 2 m) + 3 x(i + m) - x(i))**2 / (6 tau**2 (N - 3 m))``.
        """
        return self._deviations[HDEV].copy()

    def getSTDD(self) -> Float64Array1D:
        """Standard deviation of the time that m periods take, in s, float64.

        Of the N - m overlapping differences ``x(i + m) - x(i)``, divided by their number less one. It does not converge
        for a drifting frequency.
        """
        return self._deviations[STDD].copy()

    def getADEVScaled(self) -> Float64Array1D:
        """Allan deviation in the time domain in s, float64: `getADEV` * tau / sqrt(3)."""
        return np.asarray(self._deviations[ADEV] * self._tau / np.sqrt(3))

    def getTDEV(self) -> Float64Array1D:
        """Time deviation in s, float64: `getMDEV` * tau / sqrt(3)."""
        return np.asarray(self._deviations[MDEV] * self._tau / np.sqrt(3))

    def getHDEVScaled(self) -> Float64Array1D:
        """Hadamard deviation in the time domain in s, float64: `getHDEV` * tau / sqrt(10 / 3)."""
        return np.asarray(self._deviations[HDEV] * self._tau / np.sqrt(10 / 3))

    def getTraceIndex(self) -> Float64Array1D:
        """Time axis of the traces in s, float64: multiples of the mean distance of averaged time stamps."""
        return np.asarray(np.arange(self._length) * (self._distance / PS_PER_S), np.float64)

    def getTracePhase(self) -> Float64Array1D:
        """The latest averaged time stamps less the straight line that fits them best, in s, float64, oldest first."""
        x = self._samples[1:]
        i = np.arange(len(x)) - (len(x) - 1) / 2
        spread = np.dot(i, i)
        slope = np.dot(i, x) / spread if spread else 0.0
        return np.asarray((x - x.sum() / max(1, len(x)) - slope * i) / PS_PER_S, np.float64)

    def getTraceFrequency(self) -> Float64Array1D:
        """Frequency between each of these time stamps and the one before, relative to the mean, less 1; float64."""
        distances = self._distances()
        return np.asarray(distances.sum() / max(1, len(distances)) / distances - 1)

    def getTraceFrequencyAbsolute(self, input_frequency: float = 0.0) -> Float64Array1D:
        """Frequency between each of these time stamps and the one before, less a given one, in Hz, float64.

        Parameters
        ----------
        input_frequency
            Expected frequency in Hz.
        """
        expected = real(input_frequency, "input_frequency")
        return np.asarray(self._average * PS_PER_S / self._distances() - expected)

    def _distances(self) -> NDArray[np.float64]:
        """Of the neighbouring samples of the trace in ps; NaN where their times are equal."""
        distances = np.diff(self._samples)
        return np.where(distances > 0, distances, np.nan)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""


class FrequencyStability(IteratorBase):
    """How stable a periodic signal is over different spans of time.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channel
        Channel of the signal.
    steps
        Spans in averaged periods for which the metrics are worked out, each 1 to 2**26; one may occur more than once.
    average
        Number of time tags of which the mean is one sample, 1 to 10**9.
    trace_len
        Number of samples in the traces, 1 to 2**26.

    Notes
    -----
    The sums are carried along exactly: every sample since the start is part of every metric, whatever the cuts of the
    stream. The work per sample grows with the number of steps, the memory with three times the largest.

    Time tags are used. No difference spans an overflow begin, overflow end or error tag, nor a stop: a new run of
    samples begins there, whose differences are added to the same sums; the traces show only the latest run. Missed
    events change nothing. The sum of `average` time stamps must not deviate by 2**63 ps from an even grid.
    """

    def __init__(
        self, tagger: TimeTaggerBase, channel: int, steps: Sequence[int], average: int = 1000, trace_len: int = 1000
    ) -> None:
        owner = require_tagger(tagger)
        self._channel = owner._channel(channel, "channel")
        numbers = integers(steps, "steps")
        if not 1 <= len(numbers) <= STEPS_MAX:
            raise ArgumentError(f"steps has {len(numbers)} entries, but must have 1 to {STEPS_MAX}")
        self._steps = [integer(m, f"steps[{i}]", 1, STEP_MAX) for i, m in enumerate(numbers)]
        self._average = integer(average, "average", 1, AVERAGE_MAX)
        self._trace = integer(trace_len, "trace_len", 1, TRACE_MAX)
        params = {"channel": self._channel, "steps": self._steps, "average": self._average, "trace_len": self._trace}
        super().__init__(owner, [self._channel], params)
        self._ring = np.zeros(max(3 * max(self._steps), self._trace) + 1, np.uint64)
        self._state = np.zeros(1, STATE)
        self._sums = np.zeros(len(numbers), STEP)
        self._sums["step"] = self._steps
        self._squares = np.zeros((4, len(numbers)))
        self._counts = np.zeros((4, len(numbers)), np.int64)
        self._launch()

    def getDataObject(self) -> FrequencyStabilityData:
        """Metrics and traces at this moment."""
        data = FrequencyStabilityData.__new__(FrequencyStabilityData)
        with self._lock:
            count, spans = int(self._state["count"][0]), int(self._state["spans"][0])
            squares, counts = self._squares.copy(), self._counts.copy()
            kept = min(count, self._trace + 1)
            latest = self._ring[np.arange(count - kept, count) % len(self._ring)]
            distance = float(self._state["span"][0]) / spans / self._average if spans else np.nan
        data._average, data._distance, data._length = self._average, distance, max(0, kept - 1)
        data._samples = (latest - latest[:1]).view(np.int64) / self._average
        data._tau = np.array(self._steps) * distance / PS_PER_S
        data._deviations = self._deviations(squares, counts, data._tau * PS_PER_S)
        return data

    def _deviations(
        self, squares: NDArray[np.float64], counts: NDArray[np.int64], tau: NDArray[np.float64]
    ) -> dict[int, NDArray[np.float64]]:
        terms = np.where(counts > 0, counts, np.nan)
        per = np.where(tau > 0, tau, np.nan) * self._average
        return {
            ADEV: np.sqrt(squares[ADEV] / (2 * terms[ADEV])) / per,
            MDEV: np.sqrt(squares[MDEV] / (2 * terms[MDEV])) / (per * np.array(self._steps)),
            HDEV: np.sqrt(squares[HDEV] / (6 * terms[HDEV])) / per,
            STDD: np.sqrt(squares[STDD] / np.where(counts[STDD] > 1, counts[STDD] - 1, np.nan))
            / (self._average * PS_PER_S),
        }

    def _reset(self) -> None:
        self._squares[:] = 0
        self._counts[:] = 0
        self._sums["mean"] = 0
        self._state["span"] = self._state["spans"] = 0
        self._forget()

    def _forget(self) -> None:
        for name in ("total", "filled", "count"):
            self._state[name] = 0
        self._sums["low"] = self._sums["high"] = 0

    def _process(self, block: TagBlock) -> None:
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self._forget()
            mine = time[channel == self._channel]
            fold(mine, self._average, self._state, self._ring, self._sums, self._squares, self._counts)
