"""Time-difference histograms on a grid, each of whose dimensions is stepped through by markers of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import VALUES_MAX, integer, integers, sequence
from tagwire.core.arrays import Int32Array1D, Int32Array2D, Int64Array1D, UInt64Array1D
from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs import PairCounter, clipped, pair_up, require_span
from tagwire.measurements.timedifferences import WAITS_FOR_NEXT, WAITS_FOR_SYNC, follow


class TimeDifferencesND(IteratorBase):
    """Histograms of ``tau = t(click) - t(start)`` on a grid; markers choose the index in each dimension.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel of the clicks.
    start_channel
        Channel of the starts; unused or equal to `click_channel`: autocorrelation.
    next_channels
        For each dimension the channel whose tags lead to the next index.
    sync_channels
        For each dimension the channel whose tags lead back before the first index; unused: the indices follow each
        other in a ring.
    n_histograms
        Number of histograms along each dimension, at least 1.
    binwidth
        Width of a bin in ps, at least 1.
    n_bins
        Number of bins of a histogram, at least 1; of all together up to 2**27. A histogram may be up to 2**61 ps
        wide.

    Notes
    -----
    Each dimension follows its markers as `TimeDifferences` does, whether the others wait or not. A pair is counted when
    no dimension waits, and goes into the histogram that is current **when the click arrives**. Tags of equal time are
    handled in the order sync, next, then starts and clicks, however the stream orders them.

    Time tags are counted. Overflow begin, overflow end and error tags end what came before: no pair spans them.
    Dimensions with a sync channel then wait for its next tag; the others keep their index. Missed events change
    nothing. A capture that was stopped goes on as after an overflow.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int,
        next_channels: Sequence[int],
        sync_channels: Sequence[int],
        n_histograms: Sequence[int],
        binwidth: int,
        n_bins: int,
    ) -> None:
        owner = require_tagger(tagger)
        click = owner._channel(click_channel, "click_channel")
        start = owner._optional_channel(start_channel, "start_channel")
        nexts = owner._channels(next_channels, "next_channels")
        syncs = [
            owner._optional_channel(c, f"sync_channels[{i}]")
            for i, c in enumerate(_one_each(integers(sync_channels, "sync_channels"), "sync_channels", len(nexts)))
        ]
        rows = _counts(n_histograms, "n_histograms", 1, VALUES_MAX, len(nexts))
        width, bins = integer(binwidth, "binwidth", 1), integer(n_bins, "n_bins", 1, VALUES_MAX)
        require_span(width, bins)
        total = math.prod(rows)
        if total * bins > VALUES_MAX:
            raise ArgumentError(f"there are {total} histograms of {bins} bins, but at most {VALUES_MAX} bins together")
        params = {"click_channel": click, "start_channel": start, "next_channels": nexts, "sync_channels": syncs}
        params |= {"n_histograms": rows, "binwidth": width, "n_bins": bins}
        starts = click if start == CHANNEL_UNUSED else start
        markers = [*nexts, *(c for c in syncs if c != CHANNEL_UNUSED)]
        super().__init__(owner, [click, starts, *markers], params)
        self._width, self._bins = width, bins
        self._markers: Int32Array = np.array([nexts, syncs], np.int32).T.copy()
        self._index = ChannelIndex(dict.fromkeys(markers))
        self._shape: Int64Array = np.array(rows, np.int64)
        self._state: Int64Array = np.zeros((len(rows), 2), np.int64)
        self._max_rollovers: Int64Array = np.zeros(len(rows), np.int64)
        # One row more than there are histograms takes what arrives while a dimension waits.
        self._pairs = PairCounter(click, starts, width, bins, rows=total + 1)
        self._launch()

    def getData(self) -> Int32Array2D:
        """Pairs in each bin, int32, shape (product of n_histograms, n_bins); the first dimension runs fastest.

        ``numpy.reshape(data, (*n_histograms[::-1], n_bins))`` has one axis per dimension, the last dimension first. A
        count stays at 2**31 - 1 when it gets there.
        """
        with self._lock:
            return clipped(self._pairs.counts[:-1])

    def getIndex(self) -> Int64Array1D:
        """Left edge of each bin in ps, int64, shape (n_bins,): ``i * binwidth``."""
        return np.arange(self._bins, dtype=np.int64) * self._width

    def setMaxRollovers(self, max_rollovers: Sequence[int]) -> None:
        """End the capture at the tag that makes this many rollovers in any dimension.

        Parameters
        ----------
        max_rollovers
            For each dimension a number of rollovers since creation or `clear`; 0, the default: never end.
        """
        numbers = _counts(max_rollovers, "max_rollovers", 0, 2**63 - 1, len(self._shape))
        with self._lock:
            self._max_rollovers[:] = numbers

    def getHistogramIndex(self) -> Int32Array1D:
        """The current index of each dimension, int32; -1: waits for a `next` tag, -2: waits for a sync tag."""
        with self._lock:
            return self._state[:, 0].astype(np.int32)

    def getRollovers(self) -> UInt64Array1D:
        """Rollovers of each dimension since creation or `clear`, uint64."""
        with self._lock:
            return self._state[:, 1].astype(np.uint64)

    def _ended(self) -> bool:
        return bool(((self._max_rollovers > 0) & (self._state[:, 1] >= self._max_rollovers)).any())

    def _process(self, block: TagBlock) -> None:
        if self._ended():
            return self._finish(block.begin)
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self._forget()
            last = self._step_through(time, channel)
            if last >= 0:
                return self._finish(int(time[last]))

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
            self._state,
            self._max_rollovers,
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

    def _forget(self) -> None:
        self._pairs.forget()
        self._state[self._markers[:, 1] != CHANNEL_UNUSED, 0] = WAITS_FOR_SYNC

    def _reset(self) -> None:
        self._pairs.reset()
        self._state[:] = WAITS_FOR_NEXT, 0
        self._forget()


def _counts(values: Any, name: str, low: int, high: int, size: int) -> list[int]:
    """One int within ``[low, high]`` for each dimension."""
    numbers = [integer(v, f"{name}[{i}]", low, high) for i, v in enumerate(sequence(values, name, "integers"))]
    return _one_each(numbers, name, size)


def _one_each(values: list[int], name: str, size: int) -> list[int]:
    if len(values) != size:
        raise ArgumentError(f"{name} has {len(values)} values, but must have one for each of {size} next_channels")
    return values


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
            follow(channel[marker:i], markers[dimension], state[dimension], shape[dimension])
        for dimension in range(len(shape)):
            if 0 < max_rollovers[dimension] <= state[dimension, 1]:
                return marker


@kernel
def _marks(channel: int, table: NDArray[np.int16], first: int) -> bool:
    k = channel - first
    return 0 <= k < len(table) and table[k] >= 0


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
