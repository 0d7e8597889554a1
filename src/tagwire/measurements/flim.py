"""FLIM images: frames that are stored, summed and looked at while they are acquired."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import VALUES_MAX, boolean, integer
from tagwire.core.arrays import Float32Array1D, Int64Array1D, UInt32Array2D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError
from tagwire.measurements.flim_base import FlimAbstract
from tagwire.measurements.flim_frame import FlimFrameInfo, Frame, FrameSum

View = tuple[Frame, int, bool]
"""A frame, its number, and whether it is valid."""


class Flim(FlimAbstract):
    """Fluorescence lifetime images: a histogram for each pixel of a scan, frame by frame.

    Parameters
    ----------
    tagger, start_channel, click_channel, pixel_begin_channel, n_pixels, n_bins, binwidth
        As for `FlimBase`.
    pixel_end_channel, frame_begin_channel
        As for `FlimBase`.
    finish_after_outputframe
        Number of output frames that are stored, after which the measurement stops; together up to 2**27 values. 0: the
        last frame is stored, and the measurement goes on.
    n_frame_average, pre_initialize
        As for `FlimBase`.

    Raises
    ------
    ArgumentError
        (ValueError) A channel that does not exist, or a number out of its range.

    Notes
    -----
    What makes a pixel and a frame, and what becomes of overflows, stands in `FlimAbstract`.

    The ``getCurrentFrame`` methods look at the output frame that is being acquired, also while there is a gap in it;
    the ``getReadyFrame`` methods at those that are complete, the ``getSummedFrames`` methods at their sum since
    creation, `clear`, or a call with `clear_summed`. Where no frame is ready the histograms are zero, and the frame's
    info is not valid.

    Histograms have the shape (n_bins, n_pixels), as the vendor documents it: ``histograms[:, i]`` is pixel i.
    Intensities are counts per second.
    """

    _frames: deque[Frame]
    _sum: FrameSum

    def __init__(
        self,
        tagger: TimeTaggerBase,
        start_channel: int,
        click_channel: int,
        pixel_begin_channel: int,
        n_pixels: int,
        n_bins: int,
        binwidth: int,
        pixel_end_channel: int = CHANNEL_UNUSED,
        frame_begin_channel: int = CHANNEL_UNUSED,
        finish_after_outputframe: int = 0,
        n_frame_average: int = 1,
        pre_initialize: bool = True,
    ) -> None:
        super().__init__(
            tagger,
            start_channel,
            click_channel,
            pixel_begin_channel,
            n_pixels,
            n_bins,
            binwidth,
            pixel_end_channel,
            frame_begin_channel,
            finish_after_outputframe,
            n_frame_average,
        )
        self._open(pre_initialize)

    def initialize(self) -> None:
        """Begin to measure, after ``pre_initialize=False``; else, and the second time, nothing happens."""
        self._initialize()

    def frameReady(
        self,
        frame_number: int,
        data: NDArray[np.uint32],
        pixel_begin_times: NDArray[np.int64],
        pixel_end_times: NDArray[np.int64],
        frame_begin_time: int,
        frame_end_time: int,
    ) -> None:
        """Called with each output frame once it is stored; for subclasses, see `FlimBase.frameReady`."""

    def getIndex(self) -> Int64Array1D:
        """Left edge of each bin in ps, int64, shape (n_bins,): ``i * binwidth``."""
        return np.arange(self._bins, dtype=np.int64) * self._width

    def getFramesAcquired(self) -> int:
        """Output frames that are complete, since creation or `clear`."""
        with self._lock:
            return self._acquired

    def getCurrentFrame(self) -> UInt32Array2D:
        """Histograms of the frame under way, uint32, shape (n_bins, n_pixels)."""
        return self._current()[0].histograms()

    def getCurrentFrameEx(self) -> FlimFrameInfo:
        """The frame under way; valid as long as there is no gap in it."""
        return FlimFrameInfo._of(*self._current())

    def getCurrentFrameIntensity(self) -> Float32Array1D:
        """Counts per second of each pixel of the frame under way, float32; NaN for pixels that did not begin yet."""
        return self._current()[0].intensities()

    def getReadyFrame(self, index: int = -1) -> UInt32Array2D:
        """Histograms of a complete frame, uint32, shape (n_bins, n_pixels); zero when there is none yet.

        Parameters
        ----------
        index
            Number of a stored frame from 0 on, below `finish_after_outputframe`; -1: the latest.
        """
        return self._ready(index)[0].histograms()

    def getReadyFrameEx(self, index: int = -1) -> FlimFrameInfo:
        """A complete frame, by its index as for `getReadyFrame`; not valid when there is none yet."""
        return FlimFrameInfo._of(*self._ready(index))

    def getReadyFrameIntensity(self, index: int = -1) -> Float32Array1D:
        """Counts per second of each pixel, float32, by index as for `getReadyFrame`; NaN when there is none yet."""
        return self._ready(index)[0].intensities()

    def getSummedFrames(self, only_ready_frames: bool = True, clear_summed: bool = False) -> UInt32Array2D:
        """Histograms summed over all frames, uint32, shape (n_bins, n_pixels); counts stay at 2**32 - 1.

        Parameters
        ----------
        only_ready_frames
            Leave out the frame under way; False adds it, unless there is a gap in it.
        clear_summed
            Begin a new sum behind this one, without the complete frames so far.
        """
        return self._summed(only_ready_frames, clear_summed)[0].histograms()

    def getSummedFramesEx(self, only_ready_frames: bool = True, clear_summed: bool = False) -> FlimFrameInfo:
        """The sum of all frames; parameters as for `getSummedFrames`. Not valid when no frame is in it."""
        return FlimFrameInfo._of(*self._summed(only_ready_frames, clear_summed))

    def getSummedFramesIntensity(self, only_ready_frames: bool = True, clear_summed: bool = False) -> Float32Array1D:
        """Counts per second of integration time of each pixel over all frames, float32, as `getSummedFrames`."""
        return self._summed(only_ready_frames, clear_summed)[0].intensities()

    def _most_frames(self, values: int) -> int:
        return VALUES_MAX // values

    def _nothing(self) -> View:
        return Frame.empty(self._pixels, self._bins), -1, False

    def _current(self) -> View:
        with self._lock:
            frame = self._scan.current(self._now)
            done = self._partial.frame
            return done.plus(frame) if done else frame, self._acquired, not self._scan.spoiled

    def _ready(self, index: int) -> View:
        place = integer(index, "index", -1)
        if place >= self._finish_after:
            allowed = (
                f"-1 to {self._finish_after - 1}" if self._finish_after else "-1, as finish_after_outputframe is 0"
            )
            raise ArgumentError(f"index is {place}, but must be {allowed}")
        with self._lock:
            if place >= len(self._frames) or not self._frames:
                return self._nothing()
            return self._frames[place], self._acquired - 1 if place < 0 else place, True

    def _summed(self, only_ready_frames: bool, clear_summed: bool) -> View:
        ready, clear = boolean(only_ready_frames, "only_ready_frames"), boolean(clear_summed, "clear_summed")
        with self._lock:
            total, number = self._sum.frame, self._acquired - 1
            if clear:
                self._sum = FrameSum()
            elif total:
                total = replace(total, counts=total.counts.copy())
            if not ready and (under_way := self._recorded()):
                total, number = total.plus(under_way) if total else under_way, self._acquired
            return (total, number, True) if total else self._nothing()

    def _recorded(self) -> Frame | None:
        """The output frame under way, if anything was recorded in it and there is no gap."""
        frame, _, whole = self._current()
        return frame if whole and frame.exposures.any() else None

    def _keep(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._sum.add(frame)

    def _notify(self, *frame: Any) -> None:
        self.frameReady(*frame)

    def _reset(self) -> None:
        super()._reset()
        self._frames = deque(maxlen=self._finish_after or 1)
        self._sum = FrameSum()
