"""Pairs of tags counted in several histograms, of which markers in the stream choose the current one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs import PairCounter, pair_up

WAITS_FOR_SYNC = -2
WAITS_FOR_NEXT = -1


class MarkedPairs:
    """Histograms on a grid, as `PairCounter` counts them; each dimension follows its own markers.

    Parameters
    ----------
    markers
        For each dimension the channel of its `next` and that of its sync tags; both may be `CHANNEL_UNUSED`.
    shape
        Number of histograms along each dimension.
    click_channel, start_channel, binwidth, n_bins
        As for `PairCounter`.

    Attributes
    ----------
    state : ndarray of int64, shape (dimensions, 2)
        The current index of each dimension, or what it waits for, and its rollovers.
    max_rollovers : ndarray of int64, shape (dimensions,)
        Rollovers that end the capture; 0: none do.
    """

    def __init__(
        self,
        markers: Sequence[tuple[int, int]],
        shape: Sequence[int],
        click_channel: int,
        start_channel: int,
        binwidth: int,
        n_bins: int,
    ) -> None:
        self._markers: Int32Array = np.array(markers, np.int32)
        self._index = ChannelIndex(dict.fromkeys(self._markers.ravel().tolist()))
        self._shape: Int64Array = np.array(shape, np.int64)
        self.state: Int64Array = np.zeros((len(shape), 2), np.int64)
        self.max_rollovers: Int64Array = np.zeros(len(shape), np.int64)
        # One row more than there are histograms takes what arrives while a dimension waits.
        rows = int(np.prod(self._shape)) + 1
        self._pairs = PairCounter(click_channel, start_channel, binwidth, n_bins, rows=rows)

    @property
    def counts(self) -> Int64Array:
        """The histograms, int64, shape (product of the shape, n_bins); the first dimension runs fastest."""
        return self._pairs.counts[:-1]

    @property
    def ended(self) -> bool:
        """Whether some dimension has made the rollovers that end the capture."""
        return bool(((self.max_rollovers > 0) & (self.state[:, 1] >= self.max_rollovers)).any())

    def fold(self, block: TagBlock) -> int | None:
        """Count the pairs that the next block completes; give the stream time at which the capture ends, if it does."""
        if self.ended:
            return block.begin
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self.forget()
            last = self._step_through(time, channel)
            if last >= 0:
                return int(time[last])
        return None

    def forget(self) -> None:
        """Let no pair span this point of the stream; dimensions with a sync channel wait for its next tag."""
        self._pairs.forget()
        self.state[self._markers[:, 1] != CHANNEL_UNUSED, 0] = WAITS_FOR_SYNC

    def reset(self) -> None:
        """Back to the state after creation."""
        self._pairs.reset()
        self.state[:, 0] = np.where(self._markers[:, 0] == CHANNEL_UNUSED, 0, WAITS_FOR_NEXT)
        self.state[:, 1] = 0
        self.forget()

    def _step_through(self, time: Int64Array, channel: Int32Array) -> int:
        pairs = self._pairs
        pairs.reserve(len(time))
        last = _step_through(
            time.view(np.uint64),
            channel,
            self._markers,
            self._index.table,
            self._index.first,
            self._shape,
            self.state,
            self.max_rollovers,
            pairs.channels,
            pairs.grid,
            pairs.events,
            pairs.clicks,
            pairs.starts,
            pairs.sizes,
            pairs.work,
            pairs.counts,
        )
        pairs.retire(time)
        return last


@kernel
def _step_through(
    time: UInt64Array,
    channel: Int32Array,
    markers: Int32Array,
    table: NDArray[np.int16],
    first: int,
    shape: Int64Array,
    state: Int64Array,
    max_rollovers: Int64Array,
    channels: Int32Array,
    grid: UInt64Array,
    events: Int64Array,
    clicks: UInt64Array,
    starts: UInt64Array,
    sizes: Int64Array,
    work: UInt64Array,
    counts: Int64Array,
) -> int:
    """Count pairs and follow the markers; gives the place of the first tag after the end of the capture, or -1."""
    begin = i = 0
    while True:
        while i < len(time) and not _marks(channel[i], table, first):
            i += 1
        marker = i
        # Tags at the time of the marker come after it, also those that stand before it in the stream.
        while i < len(time) and marker > begin and time[marker - 1] == time[i]:
            marker -= 1
        row = counts[_row(shape, state, len(counts) - 1)]
        pair_up(time[begin:marker], channel[begin:marker], channels, grid, events, clicks, starts, sizes, work, row)
        if i == len(time):
            return -1
        begin = marker
        while i < len(time) and time[i] == time[marker]:
            i += 1
        for dimension in range(len(shape)):
            _follow(channel, marker, i, dimension, markers, state, shape[dimension])
        for dimension in range(len(shape)):
            if 0 < max_rollovers[dimension] <= state[dimension, 1]:
                return marker


@kernel
def _marks(channel: np.int32, table: NDArray[np.int16], first: int) -> bool:
    k = np.uint64(channel - first)
    return bool(k < np.uint64(len(table)) and table[k] >= 0)


@kernel
def _row(shape: Int64Array, state: Int64Array, waiting: int) -> int:
    """Row of the current histogram."""
    row, stride = 0, 1
    for dimension in range(len(shape)):
        if state[dimension, 0] < 0:
            return waiting
        row += stride * state[dimension, 0]
        stride *= shape[dimension]
    return row


@kernel
def _follow(
    channel: Int32Array,
    begin: int,
    end: int,
    dimension: int,
    markers: Int32Array,
    state: Int64Array,
    histograms: int,
) -> None:
    """Change the state of a dimension by the markers among tags of equal time, which stand from `begin` to `end`."""
    to_next, sync = markers[dimension, 0], markers[dimension, 1]
    place = state[dimension, 0]
    for i in range(begin, end):
        if channel[i] == sync:
            place = WAITS_FOR_NEXT if to_next != CHANNEL_UNUSED else 0
    for i in range(begin, end):
        if channel[i] != to_next or place == WAITS_FOR_SYNC:
            continue
        place += 1
        if place == histograms:
            place = 0 if sync == CHANNEL_UNUSED else WAITS_FOR_SYNC
            state[dimension, 1] += 1
    state[dimension, 0] = place
