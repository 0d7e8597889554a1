"""Counts between markers: a gated counter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, integer
from tagwire.core.arrays import Int32Array1D, Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)

OPEN, BEGIN, COUNT, STORED, SEEN, ORIGIN = range(6)
"""Places in the state of the kernel: whether a gate is open, when it began in ps, its clicks so far, number of values
stored, whether there was a begin marker yet, and the time in ps of the first."""


class CountBetweenMarkers(IteratorBase):
    """Clicks between a begin marker and the next one, or between a begin and an end marker.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel to count.
    begin_channel
        Marker that opens a gate; without an end channel it closes the one before as well.
    end_channel
        Marker that closes the gate and stores its value; `CHANNEL_UNUSED`: the next begin marker does.
    n_values
        Number of values, at least 1. When all are filled, the measurement stops by itself; `clear` and `start`, or
        `startFor`, begin anew.

    Notes
    -----
    A gate is open from its begin marker up to, but without, the marker that closes it. Tags act in the order of the
    stream, also at equal times; a tag that is several things at once first closes, then opens, then counts. With an end
    channel, begin markers within an open gate change nothing. A value is seen when its gate has closed; a gate that
    `stop` or `clear` finds open is given up.

    Missed clicks are counted while a gate is open. A missed marker of those that close the gate leaves its end unknown:
    the gate is given up, no value is stored, and the next begin marker goes on. Other tag types change nothing.
    """

    _values: NDArray[np.int32]
    _begins: NDArray[np.int64]
    _widths: NDArray[np.int64]
    _state: NDArray[np.int64]

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        begin_channel: int,
        end_channel: int = CHANNEL_UNUSED,
        n_values: int = 1000,
    ) -> None:
        source = require_tagger(tagger)
        self._click = source._channel(click_channel, "click_channel")
        self._begin_marker = source._channel(begin_channel, "begin_channel")
        end = source._optional_channel(end_channel, "end_channel")
        self._end_marker = self._begin_marker if end == CHANNEL_UNUSED else end
        self._size = integer(n_values, "n_values", 1, INT32_MAX)
        params = {
            "click_channel": self._click,
            "begin_channel": self._begin_marker,
            "end_channel": end,
            "n_values": self._size,
        }
        super().__init__(tagger, (self._click, self._begin_marker, self._end_marker), params)
        self._launch()

    def getData(self) -> Int32Array1D:
        """Clicks of each closed gate, int32, size n_values; zero where none is stored yet, at most 2147483647."""
        with self._lock:
            return self._values.copy()

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

    def _reset(self) -> None:
        self._values = np.zeros(self._size, np.int32)
        self._begins = np.zeros(self._size, np.int64)
        self._widths = np.zeros(self._size, np.int64)
        self._state = np.zeros(6, np.int64)

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
            self._click,
            self._begin_marker,
            self._end_marker,
            self._values,
            self._begins,
            self._widths,
            self._state,
        )
        if last >= 0:
            self._finish(int(block.time[last]))


@kernel
def _gate(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    click: int,
    begin: int,
    end: int,
    values: NDArray[np.int32],
    begins: NDArray[np.int64],
    widths: NDArray[np.int64],
    state: NDArray[np.int64],
) -> int:
    """Go through the tags of a block; gives the place of the one that filled the last value, or -1."""
    for i in range(len(channel)):
        c = channel[i]
        if len(kind) and kind[i] != TIME_TAG:
            if kind[i] == MISSED_EVENTS and c == end:
                state[OPEN] = 0
            elif kind[i] == MISSED_EVENTS and c == click:
                state[COUNT] += missed[i]
            continue
        if c == end and state[OPEN]:
            n = state[STORED]
            values[n] = min(state[COUNT], INT32_MAX)
            begins[n] = state[BEGIN] - state[ORIGIN]
            widths[n] = time[i] - state[BEGIN]
            state[OPEN] = 0
            state[STORED] = n + 1
            if n + 1 == len(values):
                return i
        if c == begin and not state[OPEN]:
            if not state[SEEN]:
                state[SEEN], state[ORIGIN] = 1, time[i]
            state[OPEN], state[BEGIN], state[COUNT] = 1, time[i], 0
        if c == click:
            state[COUNT] += 1
    return -1
