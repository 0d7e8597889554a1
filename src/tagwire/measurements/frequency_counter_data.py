"""Results of a `FrequencyCounter`."""

from __future__ import annotations

from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.core.arrays import Float64Array2D, Int8Array2D, Int64Array1D, Int64Array2D

PS_PER_S = 10**12


class FrequencyCounterData:
    """The sampling points of a `FrequencyCounter` at one moment; comes from `FrequencyCounter.getDataObject` only.

    Two-dimensional results have the shape (channels, size), or (size, channels) if that was asked for. NaN stands for
    sampling points without a value.
    """

    _index: NDArray[np.int64]
    _mask: NDArray[np.int8]
    _whole: NDArray[np.int64]
    _fraction: NDArray[np.float64]
    _slope: NDArray[np.float64]
    _advance: NDArray[np.float64]
    _origin: int
    _interval: int
    _offset: int
    _affected: int
    _aligned: bool
    _last: bool

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @classmethod
    def _of(cls, index: NDArray[np.int64], mask: NDArray[np.int8], rows: NDArray[Any], divider: int) -> Self:
        """Sampling points whose phases are multiplied by `divider`."""
        data = cls.__new__(cls)
        data._index, data._mask = index.copy(), mask.copy()
        fraction = rows["fraction"] * divider
        carried = np.floor(fraction)
        data._whole = rows["whole"] * divider + np.nan_to_num(carried).astype(np.int64)
        data._fraction = fraction - carried
        data._slope, data._advance = rows["slope"] * divider, rows["advance"] * divider
        return data

    @property
    def size(self) -> int:
        """Number of sampling points."""
        return len(self._index)

    @property
    def overflow_samples(self) -> int:
        """Sampling points that an overflow touched, since the start or the last clear."""
        return self._affected

    @property
    def align_to_reference(self) -> bool:
        """Whether the sampling points lie on the grid of the reference clock."""
        return self._aligned

    @property
    def sampling_interval(self) -> int:
        """Distance of the sampling points in ps."""
        return self._interval

    @property
    def sample_offset(self) -> int:
        """Index of the first sampling point here; where there is none, of the next one."""
        return self._offset

    @property
    def channels_last_dim(self) -> bool:
        """Whether channels are the last dimension."""
        return self._last

    def getIndex(self) -> Int64Array1D:
        """Index of each sampling point, int64; the first of the measurement has index 1."""
        return self._index.copy()

    def getTime(self) -> Int64Array1D:
        """Stream time of each sampling point in ps, int64."""
        return self._origin + self._index * self._interval

    def getPeriodsCount(self) -> Int64Array2D:
        """Full periods since index 0, int64; 0 where there is no value."""
        return self._shaped(self._whole)

    def getPeriodsFraction(self) -> Float64Array2D:
        """Fraction of the period at the sampling point, float64, within [0, 1).

        The sum with `getPeriodsCount` soon exceeds the digits of a float; `getPhase` does not.
        """
        return self._shaped(self._fraction)

    def getPhase(self, reference_frequency: float = 0) -> Float64Array2D:
        """Phase in periods less that of an ideal signal whose phase is 0 at index 0, float64.

        Parameters
        ----------
        reference_frequency
            Frequency of the ideal signal in Hz, at most one period per ps to either side: within ±1e12.

        Raises
        ------
        ArgumentError
            (ValueError) A faster one.

        Notes
        -----
        Full periods are subtracted as integers, so the difference keeps its digits however long the measurement runs.
        """
        per_sample = (
            Fraction(real(reference_frequency, "reference_frequency", -PS_PER_S, PS_PER_S)) * self._interval / PS_PER_S
        )
        whole = round(per_sample)
        rest = float(per_sample - whole)
        periods = (self._whole - self._index * whole).astype(np.float64)
        return self._shaped(periods + (self._fraction - self._index * rest))

    def getFrequency(self, time_scale: int = PS_PER_S) -> Float64Array2D:
        """Mean frequency since the sampling point before, float64; NaN where that has no value, or there is none.

        Parameters
        ----------
        time_scale
            Span in ps that the frequency refers to: 10**12 for Hz; negative: the sampling interval.
        """
        scale = integer(time_scale, "time_scale")
        return self._shaped(self._advance * (scale / self._interval if scale >= 0 else 1.0))

    def getFrequencyInstantaneous(self) -> Float64Array2D:
        """Slope of the straight line fitted around each sampling point, in Hz, float64."""
        return self._shaped(self._slope * PS_PER_S)

    def getOverflowMask(self) -> Int8Array2D:
        """1 where an overflow touches the fitting window, else 0; int8."""
        return self._shaped(np.tile(self._mask, (len(self._whole), 1)))

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(values.T) if self._last else values.copy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""
