"""Counts within gates that markers open and close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, VALUES_MAX, integer
from tagwire.core.arrays import Int32Array2D, Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)

OPEN, BEGIN, STORED, SEEN, ORIGIN = range(5)
"""Places in the state of the kernel: whether a gate is open, when it began in ps, number of values stored, whether
there was a begin marker yet, and the time in ps of the first."""


class GatedCounts(IteratorBase):
    """Base of the measurements that count within gates; see `GatedCounter` for how they count.

    Parameters
    ----------
    tagger
        Time Tagger object.
    clicks
        Channels to count; a channel may be named more than once.
    begin_channel, end_channel, n_values
        As for `GatedCounter`.
    params
        Further parameters for `getConfiguration`.
    """

    _stored: NDArray[np.int32]
    _begins: NDArray[np.int64]
    _widths: NDArray[np.int64]
    _counts: NDArray[np.int64]
    _state: NDArray[np.int64]

    def __init__(
        self,
        tagger: TimeTaggerBase,
        clicks: Sequence[int],
        begin_channel: int,
        end_channel: int,
        n_values: int,
        params: dict[str, Any],
    ) -> None:
        source = require_tagger(tagger)
        self._begin_marker = source._channel(begin_channel, "begin_channel")
        end = source._optional_channel(end_channel, "end_channel")
        self._end_marker = self._begin_marker if end == CHANNEL_UNUSED else end
        self._size = integer(n_values, "n_values", 1, VALUES_MAX // len(clicks))
        self._index = ChannelIndex(dict.fromkeys(clicks))
        self._rows = np.array([self._index.channels.index(c) for c in clicks])
        markers = {"begin_channel": self._begin_marker, "end_channel": end, "n_values": self._size}
        super().__init__(tagger, (*clicks, self._begin_marker, self._end_marker), {**params, **markers})
        self._launch()

    def getIndex(self) -> Int64Array1D:
        """Begin of each stored gate in ps after the very first begin marker, int64; zero where none is stored yet."""
        with self._lock:
            return self._begins.copy()

    def getBinWidths(self) -> Int64Array1D:
        """How long each stored gate was open in ps, int64; zero where none is stored yet."""
        with self._lock:
            return self._widths.copy()

    def ready(self) -> bool:
        """Whether all `n_values` values are stored."""
        with self._lock:
            return int(self._state[STORED]) == self._size

    def _values(self) -> NDArray[np.int32]:
        """A copy of the clicks: a row for each channel in the order it was named, a column for each gate."""
        with self._lock:
            return np.take(self._stored, self._rows, axis=0)

    def _reset(self) -> None:
        self._stored = np.zeros((len(self._index), self._size), np.int32)
        self._begins = np.zeros(self._size, np.int64)
        self._widths = np.zeros(self._size, np.int64)
        self._counts = np.zeros(len(self._index), np.int64)
        self._state = np.zeros(5, np.int64)

    def _forget(self) -> None:
        self._state[OPEN] = 0

    def _process(self, block: TagBlock) -> None:
        if self.ready():
            return self._finish(block.begin)
        last = _gate(
            block.time,
            block.channel,
            block.type,
            block.missed,
            self._index.table,
            self._index.first,
            self._begin_marker,
            self._end_marker,
            self._stored,
            self._begins,
            self._widths,
            self._counts,
            self._state,
        )
        if last >= 0:
            self._finish(int(block.time[last]))


class GatedCounter(GatedCounts):
    """Clicks on several channels between a begin marker and the next one, or between a begin and an end marker.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channels
        Channels to count; a channel may be named more than once.
    begin_channel
        Marker that opens a gate; without an end channel it closes the one before as well.
    end_channel
        Marker that closes the gate and stores its values; `CHANNEL_UNUSED`: the next begin marker does.
    n_values
        Number of gates, at least 1; up to 2**27 values on all channels together. When all are filled, the measurement
        stops by itself; `clear` and `start`, or `startFor`, begin anew.

    Raises
    ------
    ArgumentError
        (ValueError) No click channel, a channel that does not exist, no values, or too many.

    Notes
    -----
    A gate is open from its begin marker up to, but without, the marker that closes it. Tags act in the order of the
    stream, also at equal times; a tag that is several things at once first closes, then opens, then counts. With an end
    channel, begin markers within an open gate change nothing. A value is seen when its gate has closed; a gate that
    `stop` or `clear` finds open is given up.

    Missed clicks are counted while a gate is open. A missed marker of those that close the gate leaves its end unknown:
    the gate is given up, no value is stored, and the next begin marker goes on. Other tag types change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channels: Sequence[int],
        begin_channel: int,
        end_channel: int = CHANNEL_UNUSED,
        n_values: int = 1000,
    ) -> None:
        clicks = require_tagger(tagger)._channels(click_channels, "click_channels")
        super().__init__(tagger, clicks, begin_channel, end_channel, n_values, {"click_channels": clicks})

    def getData(self) -> Int32Array2D:
        """Clicks of each channel in each closed gate, int32, number of channels by n_values.

        Zero where none is stored yet, at most 2147483647.
        """
        return self._values()


@kernel
def _gate(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    table: NDArray[np.int16],
    first: int,
    begin: int,
    end: int,
    values: NDArray[np.int32],
    begins: NDArray[np.int64],
    widths: NDArray[np.int64],
    counts: NDArray[np.int64],
    state: NDArray[np.int64],
) -> int:
    """Go through the tags of a block; gives the place of the one that filled the last value, or -1."""
    size = len(table)
    for i in range(len(channel)):
        c = channel[i]
        k = c - first
        clicks = 0 <= k < size and table[k] >= 0
        if len(kind) and kind[i] != TIME_TAG:
            if kind[i] == MISSED_EVENTS and c == end:
                state[OPEN] = 0
            elif kind[i] == MISSED_EVENTS and clicks:
                counts[table[k]] += missed[i]
            continue
        if c == end and state[OPEN]:
            n = state[STORED]
            for row in range(len(counts)):
                values[row, n] = min(counts[row], INT32_MAX)
            begins[n] = state[BEGIN] - state[ORIGIN]
            widths[n] = time[i] - state[BEGIN]
            state[OPEN] = 0
            state[STORED] = n + 1
            if n + 1 == len(begins):
                return i
        if c == begin and not state[OPEN]:
            if not state[SEEN]:
                state[SEEN], state[ORIGIN] = 1, time[i]
            state[OPEN], state[BEGIN] = 1, time[i]
            counts[:] = 0
        if clicks:
            counts[table[k]] += 1
    return -1
