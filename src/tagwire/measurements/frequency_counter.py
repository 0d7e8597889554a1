"""Frequency and phase of periodic signals at evenly spaced times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, boolean, integer
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock
from tagwire.engine.device import DeviceChain
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.measurements.frequency_counter_data import FrequencyCounterData
from tagwire.measurements.frequency_counter_kernel import FIT, GRID, LANE, ROW, sample

INTERVAL_MAX = 10**17
"""Longest sampling interval and fitting window in ps, about 28 hours."""

OVERLAP_MAX = 10_000
"""Most fitting windows that may overlap at one time."""

CHUNK = 4096
"""Sampling points that are completed at once."""

DIVIDER_MAX = 65_535


class FrequencyCounter(IteratorBase):
    """Phase and frequency of one or several periodic signals, all at the same evenly spaced times.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels of the signals, each once.
    sampling_interval
        Distance of sampling points in ps, 1 to 10**17.
    fitting_window
        Width in ps of the window around each sampling point, 1 to 10**17 and at most 10,000 sampling intervals: a
        straight line is fitted to the phases of the time tags at most half of it away, both ends inclusive.
    n_values
        Largest number of sampling points kept, the oldest are dropped then; 0: all.

    Notes
    -----
    Index 0 stands for the begin of the capture, or with a reference clock for the first ideal clock tag after it; the
    sampling points 1, 2, ... follow at multiples of the interval. The n-th event from index 0 on has the phase n. A
    sampling point is seen when its whole window has passed. Where there are less than two tags at different times in a
    window, there is no value (NaN, and 0 periods).

    Time tags are fitted. Missed events count as periods, so that the phase goes on behind an overflow as far as the
    losses are known. A sampling point is marked, and has no value, if its window has a time in common with an overflow
    range, or holds an error tag or missed events. After a stop the sampling points go on where they would be by then;
    those whose window is cut by the stop or the start are left out, and no frequency is given across the gap.
    """

    _joined: bool
    _aligned: bool
    _chunks: list[tuple[NDArray[np.int64], NDArray[np.int8], NDArray[Any]]]

    def __init__(
        self,
        tagger: TimeTaggerBase,
        channels: Sequence[int],
        sampling_interval: int,
        fitting_window: int,
        n_values: int = 0,
    ) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        if len(set(numbers)) < len(numbers):
            raise ArgumentError(f"channels is {numbers}, but must name each channel only once")
        interval = integer(sampling_interval, "sampling_interval", 1, INTERVAL_MAX)
        window = integer(fitting_window, "fitting_window", 1, min(INTERVAL_MAX, OVERLAP_MAX * interval))
        self._limit = integer(n_values, "n_values", 0, INT32_MAX)
        params = {
            "channels": numbers,
            "sampling_interval": interval,
            "fitting_window": window,
            "n_values": self._limit,
        }
        super().__init__(tagger, numbers, params)
        self._index = ChannelIndex(numbers)
        self._grid = np.zeros(1, GRID)
        self._grid["interval"], self._grid["half"] = interval, window // 2
        size = 2 * (window // 2) // interval + 2
        self._fits = np.zeros((len(numbers), size), FIT)
        self._masks = np.zeros(size, np.int8)
        self._lanes = np.zeros(len(numbers), LANE)
        self._launch()

    def getDataObject(
        self, event_divider: int = 1, remove: bool = False, channels_last_dim: bool = False
    ) -> FrequencyCounterData:
        """The sampling points so far, oldest first.

        Parameters
        ----------
        event_divider
            Event divider of the channels, 1 to 65535: phases and frequencies are multiplied by it.
        remove
            Also take these sampling points out, so that the next call gives only those that follow.
        channels_last_dim
            Two-dimensional results have the shape (size, channels) instead of (channels, size).
        """
        divider = integer(event_divider, "event_divider", 1, DIVIDER_MAX)
        drop, last = boolean(remove, "remove"), boolean(channels_last_dim, "channels_last_dim")
        with self._lock:
            self._gather()
            index, mask, rows = self._chunks[0]
            data = FrequencyCounterData._of(index, mask, rows, divider)
            data._origin, data._interval = int(self._grid["origin"][0]), int(self._grid["interval"][0])
            data._offset = int(index[0]) if len(index) else max(1, int(self._grid["next"][0]))
            data._affected, data._aligned, data._last = int(self._grid["affected"][0]), self._aligned, last
            if drop:
                self._chunks = [self._no_rows(0)]
        return data

    def _no_rows(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[Any]]:
        return np.zeros(size, np.int64), np.zeros(size, np.int8), np.zeros((len(self._lanes), size), ROW)

    def _gather(self) -> None:
        """Bring all rows into one chunk, of which only the latest are kept."""
        index, mask, rows = (np.concatenate(columns, axis=-1) for columns in zip(*self._chunks, strict=True))
        keep = slice(max(0, len(index) - self._limit) if self._limit else 0, None)
        self._chunks = [(index[keep], mask[keep], rows[:, keep])]

    def _reset(self) -> None:
        self._chunks = [self._no_rows(0)]
        self._grid["next"], self._grid["affected"], self._grid["follows"] = 0, 0, 0
        self._lanes["cycles"] = 0
        self._aligned = self._joined = False

    def _forget(self) -> None:
        self._joined = False

    def _join(self, begin: int) -> None:
        """Begin to capture at `begin`: choose the sampling points, or find those that can still be had."""
        g = self._grid
        if g["next"][0] == 0:
            device = self._hub.device
            clock = device.clock.grid if isinstance(device, DeviceChain) else None
            self._aligned = clock is not None
            tick, period = clock or (begin, 1)
            g["origin"], g["next"] = tick + -((tick - begin) // period) * period, 1
        reach = min(int(g["half"][0]), int(g["interval"][0]))
        ahead = -(-(begin + reach - int(g["origin"][0])) // int(g["interval"][0]))
        g["next"] = max(int(g["next"][0]), ahead)
        g["follows"] = g["losing"] = 0
        self._fits[:] = np.zeros(1, FIT)
        self._masks[:] = 0
        self._joined = True

    def _process(self, block: TagBlock) -> None:
        if not self._joined:
            self._join(block.begin)
        tags = block.time, block.channel, block.types, block.missed_events
        place = 0
        while place <= len(block):
            rows = self._no_rows(self._room(block.end))
            self._grid["rows"] = 0
            place = sample(
                self._grid,
                tags,
                place,
                block.end,
                self._index.table,
                self._index.first,
                self._lanes,
                self._fits,
                self._masks,
                rows,
            )
            self._keep(rows, int(self._grid["rows"][0]))

    def _room(self, end: int) -> int:
        """Number of rows to make room for: those that can be complete at `end`, or a chunk of them."""
        g = self._grid[0]
        complete = (end - int(g["origin"]) - int(g["half"])) // int(g["interval"]) - int(g["next"]) + 2
        return min(max(complete, 1), CHUNK)

    def _keep(self, rows: tuple[NDArray[np.int64], NDArray[np.int8], NDArray[Any]], size: int) -> None:
        if size:
            self._chunks.append((rows[0][:size], rows[1][:size], rows[2][:, :size]))
        if len(self._chunks) > 64 and sum(len(c[0]) for c in self._chunks[1:]) > len(self._chunks[0][0]):
            self._gather()
