"""What a FLIM measurement hands out: the histograms of all pixels of a frame, and when each was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arrays import Float32Array1D, Int64Array1D, UInt32Array2D, UInt64Array1D
from tagwire.core.tags import Int64Array
from tagwire.kernel import kernel

UInt32Array = NDArray[np.uint32]

PS_PER_S = 1e12
UINT32_MAX = np.uint32(2**32 - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, or the sum of several; its arrays are never changed.

    Attributes
    ----------
    counts
        Histogram of each pixel, shape (pixels, bins).
    exposures
        Integration time of each pixel in ps.
    begins, ends
        When each pixel began and ended, in ps of stream time; of the last frame that was added, in a sum.
    begin, end
        When the frame began and ended, in ps of stream time.
    position
        Number of pixels that have ended.
    """

    counts: UInt32Array
    exposures: Int64Array
    begins: Int64Array
    ends: Int64Array
    begin: int
    end: int
    position: int

    @classmethod
    def empty(cls, pixels: int, bins: int) -> Frame:
        """A frame in which nothing was recorded."""
        zeros = np.zeros(pixels, np.int64)
        return cls(np.zeros((pixels, bins), np.uint32), zeros, zeros, zeros, 0, 0, 0)

    def histograms(self) -> UInt32Array2D:
        """A copy of the counts with the dimensions of the API, (bins, pixels)."""
        return self.counts.copy().T

    def totals(self) -> UInt64Array1D:
        """Counts of each pixel, uint64."""
        totals: UInt64Array1D = self.counts.sum(axis=1, dtype=np.uint64)
        return totals

    def intensities(self) -> Float32Array1D:
        """Counts of each pixel per second of its integration time, float32; NaN where that is zero."""
        seconds = np.where(self.exposures > 0, self.exposures / PS_PER_S, np.nan)
        return (self.totals() / seconds).astype(np.float32)

    def plus(self, other: Frame) -> Frame:
        """The sum with a later frame."""
        counts = self.counts.copy()
        add_counts(counts.ravel(), other.counts.ravel())
        return self.extended(counts, other)

    def extended(self, counts: UInt32Array, other: Frame) -> Frame:
        """The sum with a later frame, whose counts are given."""
        seen = other.begins != other.ends
        return Frame(
            counts,
            self.exposures + other.exposures,
            np.where(seen, other.begins, self.begins),
            np.where(seen, other.ends, self.ends),
            self.begin,
            other.end if seen.any() else self.end,
            other.position,
        )


class FrameSum:
    """A running sum of frames."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.size = 0

    def add(self, frame: Frame) -> None:
        """Add a frame that is later than those before."""
        self.size += 1
        if self.frame is None:
            self.frame = frame
        elif self.size == 2:  # the first frame belongs to others
            self.frame = self.frame.plus(frame)
        else:
            add_counts(self.frame.counts.ravel(), frame.counts.ravel())
            self.frame = self.frame.extended(self.frame.counts, frame)


class FlimFrameInfo:
    """A frame of a FLIM measurement as it was at one moment; comes from the ``get...Ex`` methods of `Flim` only.

    Every getter returns an array of its own.

    Attributes
    ----------
    pixels, bins : int
        Number of pixels, and of bins of each histogram.
    frame_number : int
        Number of the frame from 0 on; -1 where there is none.
    pixel_position : int
        Number of pixels that have ended.
    valid : bool
        Whether there is a frame, and no gap in it.
    """

    pixels: int
    bins: int
    frame_number: int
    pixel_position: int
    valid: bool
    _frame: Frame

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @classmethod
    def _of(cls, frame: Frame, number: int, valid: bool) -> Self:
        info = cls.__new__(cls)
        info._frame = frame
        info.pixels, info.bins = frame.counts.shape
        info.frame_number, info.pixel_position, info.valid = number, frame.position, valid
        return info

    def getFrameNumber(self) -> int:
        """Number of the frame from 0 on, in a sum of the last one; -1 where there is none."""
        return self.frame_number

    def isValid(self) -> bool:
        """Whether there is a frame, and no overflow, error or stop in it."""
        return self.valid

    def getPixelPosition(self) -> int:
        """Number of pixels that have ended."""
        return self.pixel_position

    def getHistograms(self) -> UInt32Array2D:
        """Histograms of all pixels, uint32, shape (bins, pixels)."""
        return self._frame.histograms()

    def getIntensities(self) -> Float32Array1D:
        """Counts of each pixel per second of its integration time, float32; NaN where nothing was integrated yet."""
        return self._frame.intensities()

    def getSummedCounts(self) -> UInt64Array1D:
        """Counts of each pixel in all its bins, uint64."""
        return self._frame.totals()

    def getPixelBegins(self) -> Int64Array1D:
        """When each pixel began, in ps of stream time, int64; 0 before it did, the latest time in a sum."""
        return self._frame.begins.copy()

    def getPixelEnds(self) -> Int64Array1D:
        """When each pixel ended, int64, as `getPixelBegins`; for the pixel under way: how far it has come."""
        return self._frame.ends.copy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""


@kernel
def add_counts(total: UInt32Array, counts: UInt32Array) -> None:
    """Add counts, which stay at 2**32 - 1 when they get there."""
    for i in range(len(total)):
        total[i] += min(counts[i], UINT32_MAX - total[i])
