"""The scan behind a FLIM measurement: which pixel is under way, and a histogram for each.

Markers cut the stream into pieces; the clicks of each piece belong to one pixel, or to none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int32Array, Int64Array, TagBlock
from tagwire.kernel import kernel
from tagwire.measurements.flim_frame import Frame, UInt32Array
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs import PairCounter, pair_up
from tagwire.measurements.pairs_rare import UInt64Array

ACTIVE, PIXEL, OPEN, SPOILED, STEP, BEGAN, GIVEN_UP = range(7)
"""Places in the state of the kernel: whether a frame is under way, how many of its pixels have begun, whether the last
of them is open, whether there was a gap in it, the marker to go on with when tags of equal time are under way, when it
began in ps, and the number of frames that were given up."""

PIXEL_END, FRAME_BEGIN, PIXEL_BEGIN = range(3)
"""Markers in the order in which they act at equal times."""


class PixelScan:
    """Sorts clicks into pixels; see `tagwire.measurements.flim_base.FlimAbstract` for the rules.

    Parameters
    ----------
    click, start
        Channels of the clicks and starts.
    markers
        Channels of pixel end, frame begin and pixel begin; the first two may be `CHANNEL_UNUSED`.
    n_pixels, n_bins, binwidth
        Pixels of a frame, bins of a histogram and width of a bin in ps.
    """

    def __init__(
        self, click: int, start: int, markers: tuple[int, int, int], n_pixels: int, n_bins: int, binwidth: int
    ) -> None:
        self._pairs = PairCounter(click, start, binwidth, n_bins)
        self._markers: Int32Array = np.array(markers, np.int32)
        self._shape = n_pixels, n_bins
        self.reset()

    @property
    def given_up(self) -> int:
        """Frames that did not become complete, or not without a gap."""
        return int(self._state[GIVEN_UP])

    @property
    def spoiled(self) -> bool:
        """Whether there is a gap in the frame that is under way."""
        return bool(self._state[SPOILED])

    def fold(self, block: TagBlock) -> Iterator[Frame]:
        """The frames that become complete within the next block, each before the tags behind it are looked at."""
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self.gap()
            self._pairs.reserve(len(time))
            place = self._scan(time, channel, 0)
            while place >= 0:
                frame = self._completed(int(time[place]))
                if frame is not None:
                    yield frame
                place = self._scan(time, channel, place)
            self._pairs.retire(time)

    def gap(self) -> None:
        """Tags may be missing here."""
        self._pairs.forget()
        self._state[SPOILED] = self._state[ACTIVE]

    def reset(self) -> None:
        """Back to the state after creation."""
        self._pairs.reset()
        self._state: Int64Array = np.zeros(7, np.int64)
        self._renew()

    def current(self, now: int) -> Frame:
        """The frame that is under way, up to the stream time `now`."""
        pixels, ends = self._shape[0], self._ends.copy()
        begun, open_ = int(self._state[PIXEL]), int(self._state[OPEN])
        if open_:
            ends[begun - 1] = max(now, self._begins[begun - 1])
        began = int(self._state[BEGAN]) if self._state[ACTIVE] else 0
        end = int(ends[begun - 1]) if begun else began
        counts, begins = self._counts[:pixels].copy(), self._begins.copy()
        return Frame(counts, ends - begins, begins, ends, began, end, begun - open_)

    def _renew(self) -> None:
        """Arrays for the next frame; one row more than there are pixels takes the clicks outside of them."""
        pixels, bins = self._shape
        self._counts: UInt32Array = np.zeros((pixels + 1, bins), np.uint32)
        self._begins: Int64Array = np.zeros(pixels, np.int64)
        self._ends: Int64Array = np.zeros(pixels, np.int64)

    def _completed(self, end: int) -> Frame | None:
        """Take the frame whose last pixel has ended; nothing when there was a gap in it."""
        pixels, began = self._shape[0], int(self._state[BEGAN])
        counts, begins, ends = self._counts[:pixels], self._begins, self._ends
        frame = Frame(counts, ends - begins, begins, ends, began, end, pixels)
        for array in (frame.counts, frame.exposures, frame.begins, frame.ends):
            array.flags.writeable = False
        spoiled = self.spoiled
        self._state[GIVEN_UP] += spoiled
        self._state[ACTIVE] = self._state[PIXEL] = self._state[SPOILED] = 0
        self._renew()
        return None if spoiled else frame

    def _scan(self, time: Int64Array, channel: Int32Array, place: int) -> int:
        pairs = self._pairs
        return _scan(
            time.view(np.uint64),
            channel,
            place,
            self._markers,
            self._state,
            self._counts,
            self._begins,
            self._ends,
            pairs.channels,
            pairs.grid,
            pairs.events,
            pairs.clicks,
            pairs.starts,
            pairs.sizes,
            pairs.work,
        )


@kernel
def _scan(
    time: UInt64Array,
    channel: Int32Array,
    place: int,
    markers: Int32Array,
    state: Int64Array,
    counts: UInt32Array,
    begins: Int64Array,
    ends: Int64Array,
    channels: Int32Array,
    grid: UInt64Array,
    events: Int64Array,
    clicks: UInt64Array,
    starts: UInt64Array,
    sizes: Int64Array,
    work: UInt64Array,
) -> int:
    """Go on from a place until a frame is complete; gives the place to go on from then, or -1 at the end."""
    begin = i = place
    while True:
        while i < len(time) and channel[i] != markers[0] and channel[i] != markers[1] and channel[i] != markers[2]:
            i += 1
        marker = i
        # Tags at the time of the marker come after it, also those that stand before it in the stream.
        while i < len(time) and marker > begin and time[marker - 1] == time[i]:
            marker -= 1
        row = counts[state[PIXEL] - 1 if state[OPEN] else len(counts) - 1]
        pair_up(time[begin:marker], channel[begin:marker], channels, grid, events, clicks, starts, sizes, work, row)
        if i == len(time):
            return -1
        begin = marker
        while i < len(time) and time[i] == time[marker]:
            i += 1
        if _follow(np.int64(time[marker]), channel[marker:i], markers, state, counts, begins, ends):
            return marker


@kernel
def _follow(
    now: np.int64,
    channel: Int32Array,
    markers: Int32Array,
    state: Int64Array,
    counts: UInt32Array,
    begins: Int64Array,
    ends: Int64Array,
) -> bool:
    """Change the state by the markers among tags of equal time, up to where a frame is complete; whether one is."""
    for step in range(state[STEP], 3):
        if not np.any(channel == markers[step]):
            continue
        if state[OPEN]:
            state[OPEN] = 0
            ends[state[PIXEL] - 1] = now
            if state[PIXEL] == len(begins):
                state[STEP] = max(step, FRAME_BEGIN)
                return True
        if step == FRAME_BEGIN:
            _begin_frame(now, state, counts, begins, ends)
        elif step == PIXEL_BEGIN:
            if not state[ACTIVE] and markers[FRAME_BEGIN] == CHANNEL_UNUSED:
                _begin_frame(now, state, counts, begins, ends)
            if state[ACTIVE]:
                begins[state[PIXEL]] = now
                state[PIXEL] += 1
                state[OPEN] = 1
    state[STEP] = 0
    return False


@kernel
def _begin_frame(now: np.int64, state: Int64Array, counts: UInt32Array, begins: Int64Array, ends: Int64Array) -> None:
    """Start a frame, and give up one that is under way."""
    if state[PIXEL] or state[SPOILED]:
        state[GIVEN_UP] += 1
        counts[: state[PIXEL]] = 0
        begins[:] = 0
        ends[:] = 0
    state[ACTIVE], state[PIXEL], state[SPOILED], state[BEGAN] = 1, 0, 0, now
