"""FLIM frames from pixel and frame markers, handed to a method of a subclass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.abstract import for_subclasses
from tagwire.core.arguments import INT32_MAX, VALUES_MAX, boolean, integer
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import StateError
from tagwire.measurements.flim_frame import Frame, FrameSum
from tagwire.measurements.flim_scan import PixelScan
from tagwire.measurements.pairs import require_span


class FlimAbstract(IteratorBase):
    """Base of `FlimBase` and `Flim`: how markers and clicks become frames; not created by itself.

    Notes
    -----
    **Pixels.** A pixel lasts from its begin marker up to, but without, the marker that ends it: its end marker, or the
    next begin or frame marker, whichever comes first. Clicks outside of pixels are not counted. Tags of equal time are
    handled in the order pixel end, frame begin, pixel begin, starts and clicks, however the stream orders them; several
    markers of one channel at the same time are one.

    **Histograms.** As in `Histogram`, every start is paired with every click that is not earlier, and bin k holds
    ``k * binwidth <= t(click) - t(start) < (k + 1) * binwidth``. A pair goes into the pixel that is open when the click
    arrives, also if its start came before that pixel.

    **Frames.** A frame is complete when its last pixel ends. Without a frame marker the next pixel then is the first of
    the next frame. With one, a frame begins at the marker, and pixel markers between the last pixel and the next frame
    marker change nothing. A frame marker that comes before the last pixel ends gives the frame up: none of its counts
    is kept. `n_frame_average` frames are added to an output frame: counts and integration times are summed, so that
    intensities are averages.

    **Gaps.** Overflow begin, overflow end and error tags, and a stop, spoil the frame that is under way: no pair spans
    them, pixels are counted on, but the frame is given up when it becomes complete. What is handed out as ready is
    whole. Markers that a gap swallowed shift the pixels until the next frame marker; without frame markers there is
    nothing to set that right but `clear`. Missed events change nothing. `getConfiguration` counts the frames that were
    given up.
    """

    _partial: FrameSum
    _acquired: int
    _now: int

    @for_subclasses
    def __init__(
        self,
        tagger: TimeTaggerBase,
        start_channel: int,
        click_channel: int,
        pixel_begin_channel: int,
        n_pixels: int,
        n_bins: int,
        binwidth: int,
        pixel_end_channel: int,
        frame_begin_channel: int,
        finish_after_outputframe: int,
        n_frame_average: int,
    ) -> None:
        owner = require_tagger(tagger)
        start = owner._channel(start_channel, "start_channel")
        click = owner._channel(click_channel, "click_channel")
        pixel_begin = owner._channel(pixel_begin_channel, "pixel_begin_channel")
        bins = integer(n_bins, "n_bins", 1, VALUES_MAX)
        pixels = integer(n_pixels, "n_pixels", 1, VALUES_MAX // bins)
        width = integer(binwidth, "binwidth", 1)
        require_span(width, bins)
        pixel_end = owner._optional_channel(pixel_end_channel, "pixel_end_channel")
        frame_begin = owner._optional_channel(frame_begin_channel, "frame_begin_channel")
        most = self._most_frames(pixels * bins)
        self._finish_after = integer(finish_after_outputframe, "finish_after_outputframe", 0, most)
        self._average = integer(n_frame_average, "n_frame_average", 1, INT32_MAX)
        self._bins, self._pixels, self._width = bins, pixels, width
        params: dict[str, Any] = {"start_channel": start, "click_channel": click, "pixel_begin_channel": pixel_begin}
        params |= {"n_pixels": pixels, "n_bins": bins, "binwidth": width}
        params |= {"pixel_end_channel": pixel_end, "frame_begin_channel": frame_begin}
        params |= {"finish_after_outputframe": self._finish_after, "n_frame_average": self._average}
        markers = pixel_end, frame_begin, pixel_begin
        super().__init__(owner, [c for c in (start, click, *markers) if c != CHANNEL_UNUSED], params)
        self._scan = PixelScan(click, start, markers, pixels, bins, width)
        self._initialized = False
        self._reset()

    def isAcquiring(self) -> bool:
        """Whether frames are still to come: False once all those of `finish_after_outputframe` were acquired.

        The measurement has then stopped by itself. `clear` and `start`, or `startFor`, begin anew.
        """
        with self._lock:
            return not 0 < self._finish_after <= self._acquired

    def getConfiguration(self) -> dict[str, Any]:
        """Name, parameters, channels, and the number of ``frames given up``, as values that JSON can hold."""
        with self._lock:
            return super().getConfiguration() | {"frames given up": self._scan.given_up}

    def _most_frames(self, values: int) -> int:
        """Largest `finish_after_outputframe` when a frame has this many values."""
        return INT32_MAX

    def _open(self, pre_initialize: bool) -> None:
        """At the end of the constructor: begin at once, or leave that to `initialize`."""
        if boolean(pre_initialize, "pre_initialize"):
            self._initialize()

    def _initialize(self) -> None:
        if not self._initialized:
            self._initialized = True
            self._launch()

    def _begin(self, now: int, duration: int | None, wipe: bool) -> None:
        if not self._initialized:
            raise StateError("this measurement waits for initialize(), because of pre_initialize=False")
        super()._begin(now, duration, wipe)

    def _process(self, block: TagBlock) -> None:
        if not self.isAcquiring():
            return self._finish(block.begin)
        for frame in self._scan.fold(block):
            self._partial.add(frame)
            if self._partial.size == self._average:
                self._hand_on()
                if not (self._running and self.isAcquiring()):
                    return self._finish(frame.end)
        self._now = block.end

    def _hand_on(self) -> None:
        frame, number = self._partial.frame, self._acquired
        assert frame is not None
        self._partial = FrameSum()
        self._acquired += 1
        self._keep(frame)
        self._notify(number, frame.counts.ravel(), frame.begins, frame.ends, frame.begin, frame.end)

    def _keep(self, frame: Frame) -> None:
        """Store an output frame, if that is wanted."""

    def _notify(
        self,
        number: int,
        data: NDArray[np.uint32],
        pixel_begins: NDArray[np.int64],
        pixel_ends: NDArray[np.int64],
        begin: int,
        end: int,
    ) -> None:
        """Call `frameReady`."""
        raise NotImplementedError(type(self).__name__)

    def _forget(self) -> None:
        self._scan.gap()

    def _reset(self) -> None:
        self._scan.reset()
        self._partial = FrameSum()
        self._acquired = 0
        self._now = 0


class FlimBase(FlimAbstract):
    """FLIM frames for a subclass that handles each of them in `frameReady`; stores none.

    Parameters
    ----------
    tagger
        Time Tagger object.
    start_channel, click_channel
        Channels of the starts (laser pulses) and of the clicks (photons).
    pixel_begin_channel
        Marker that begins a pixel, and ends the one before.
    n_pixels, n_bins
        Pixels of a frame and bins of a histogram, at least 1; together up to 2**27 values.
    binwidth
        Width of a bin in ps, at least 1. A histogram may be up to 2**61 ps wide.
    pixel_end_channel
        Marker that ends a pixel; unused: pixels follow each other without a pause.
    frame_begin_channel
        Marker that begins a frame; unused: frames follow each other.
    finish_after_outputframe
        Number of output frames after which the measurement stops; 0: never.
    n_frame_average
        Number of frames that are added to one output frame, at least 1.
    pre_initialize
        Begin at once. A subclass with a constructor of its own passes False, and calls `initialize` at the end of it,
        so that no frame arrives before it is ready.

    Raises
    ------
    ArgumentError
        (ValueError) A channel that does not exist, or a number out of its range.

    Notes
    -----
    What makes a pixel and a frame stands in `FlimAbstract`.

    Examples
    --------
    >>> class Brightest(FlimBase):
    ...     def frameReady(self, frame_number, data, pixel_begin_times, *times):
    ...         counts = data.reshape(len(pixel_begin_times), -1).sum(axis=1)
    ...         print(f"frame {frame_number}: pixel {counts.argmax()} is the brightest")
    """

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
        """Called with each output frame as soon as it is complete, from the thread that drives the stream.

        The stream waits meanwhile, so be quick. An exception ends this measurement, and no other.

        Parameters
        ----------
        frame_number
            Number of the output frame, from 0 on.
        data
            Counts, uint32: bin j of pixel i at ``i * n_bins + j``. This array and the next two are read-only, may be
            kept, and are not changed later.
        pixel_begin_times, pixel_end_times
            When each pixel began and ended, in ps of stream time, int64; of the last frame where several are added.
        frame_begin_time, frame_end_time
            When the frame began, at its frame marker or first pixel, and when its last pixel ended, in ps.
        """

    def _notify(self, *frame: Any) -> None:
        self.frameReady(*frame)
