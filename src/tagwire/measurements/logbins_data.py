"""What a histogram in bins of any width has gathered, and its normalisation to g2."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from tagwire.core.arrays import Float64Array1D, UInt64Array1D


class HistogramLogBinsData:
    """Counts and normalisation at one moment; comes from `HistogramLogBins.getDataObject` only."""

    _counts: UInt64Array1D
    _areas: Float64Array1D
    _events: tuple[int, int]
    _durations: tuple[int, int]
    _captured: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @property
    def accumulation_time_start(self) -> int:
        """How long starts were evaluated, in ps: the capture without what gates and overflows excluded."""
        return self._durations[1]

    @property
    def accumulation_time_click(self) -> int:
        """How long clicks were evaluated, in ps: the capture without what gates and overflows excluded."""
        return self._durations[0]

    @property
    def capture_duration(self) -> int:
        """Stream time captured since creation or `clear` in ps, as `getCaptureDuration` gives it."""
        return self._captured

    def getCounts(self) -> UInt64Array1D:
        """Pairs in each bin, uint64, shape (bins,)."""
        return self._counts.copy()

    def getG2Normalization(self) -> Float64Array1D:
        """Pairs that independent channels would give in each bin, float64, shape (bins,).

        ``I * C_click * C_start`` with the rates ``C = events / accumulation time`` and I the integral of the time from
        which pairs of that lag can come: without interruption the integral of ``capture_duration - tau`` over the bin.
        NaN while a channel has not been evaluated for any time.
        """
        (clicks, starts), (click_time, start_time) = self._events, self._durations
        if not (click_time and start_time):
            return np.full(len(self._areas), np.nan)
        return self._areas * (clicks / click_time) * (starts / start_time)

    def getG2(self) -> Float64Array1D:
        """Second-order correlation g2: counts by normalisation, float64, shape (bins,); NaN where that is 0 / 0."""
        expected = self.getG2Normalization()
        g2: Float64Array1D = np.full(len(expected), np.nan)
        np.divide(self._counts, expected, out=g2, where=expected > 0)
        return g2

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""
