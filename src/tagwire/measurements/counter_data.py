"""What a `Counter` hands out: its completed bins at one moment."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, integer
from tagwire.core.arrays import Float64Array2D, Int8Array1D, Int32Array1D, Int32Array2D, Int64Array1D, UInt64Array1D

PS_PER_S = 10**12


class CounterData:
    """The completed bins of a `Counter` at one moment; comes from `Counter.getDataObject` only."""

    _binwidth: int
    _channels: tuple[int, ...]
    _counts: NDArray[np.int64]
    _begins: NDArray[np.int64]
    _mask: NDArray[np.int8]
    _totals: NDArray[np.uint64]
    _dropped: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self._begins)

    @property
    def dropped_bins(self) -> int:
        """Completed bins that were overwritten, because more than `n_values` came, since the last `clear` or removal.

        4294967295 stands for that many or more.
        """
        return self._dropped

    @property
    def overflow(self) -> bool:
        """Whether any of the bins lies in an overflow."""
        return bool(self._mask.any())

    def getIndex(self) -> Int64Array1D:
        """Begin of each bin relative to the first in ps, int64: multiples of the bin width."""
        return np.arange(self.size, dtype=np.int64) * self._binwidth

    def getData(self) -> Int32Array2D:
        """Events of each channel in each bin, missed ones included, int32, shape (channels, size)."""
        return np.minimum(self._counts, INT32_MAX).astype(np.int32)

    def getDataNormalized(self) -> Float64Array2D:
        """Count rates in Hz, float64, shape (channels, size); NaN for bins in an overflow."""
        return self.getFrequency()

    def getFrequency(self, time_scale: int = PS_PER_S) -> Float64Array2D:
        """Events per `time_scale`, float64, shape (channels, size); NaN for bins in an overflow.

        Parameters
        ----------
        time_scale
            Span in ps that the counts are scaled to; negative: the bin width.
        """
        scale = integer(time_scale, "time_scale")
        per_count = scale / self._binwidth if scale >= 0 else 1.0
        return np.where(self._mask != 0, np.nan, self._counts * per_count)

    def getDataTotalCounts(self) -> UInt64Array1D:
        """Events of each channel in all bins completed since creation or `clear`, missed ones included, uint64."""
        return self._totals.copy()

    def getTime(self) -> Int64Array1D:
        """Begin of each bin as stream time in ps, int64."""
        return self._begins.copy()

    def getOverflowMask(self) -> Int8Array1D:
        """1 for each bin in an overflow, 0 for the others, int8."""
        return self._mask.copy()

    def getChannels(self) -> Int32Array1D:
        """Channel of each row, int32."""
        return np.array(self._channels, np.int32)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""
