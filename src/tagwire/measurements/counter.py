"""Counts per time bin, as a trace that runs with the stream."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, VALUES_MAX, boolean, integer
from tagwire.core.arrays import Float64Array2D, Int8Array1D, Int32Array1D, Int32Array2D, Int64Array1D, UInt64Array1D
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TIME_MAX, TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel

PS_PER_S = 10**12
TIME_TAG = int(TagType.TimeTag)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
OVERFLOW_END = int(TagType.OverflowEnd)
MISSED_EVENTS = int(TagType.MissedEvents)
UINT32_MAX = 2**32 - 1
UINT64_MASK = 2**64 - 1

BEGIN, HEAD, KEPT, DROPPED, LOSING, MARKED = range(6)
"""Places in the state of the kernel: begin of the running bin in ps (two's complement), slot of the ring that is
written next, filled slots, overwritten bins, whether an overflow goes on, and whether the running bin saw one."""


class CounterData:
    """The completed bins of a `Counter` at one moment; comes from `Counter.getDataObject` only.

    Attributes
    ----------
    size : int
        Number of bins.
    dropped_bins : int
        Completed bins that were overwritten, because more than `n_values` came, since the last `clear` or removal
        (4294967295 stands for that many or more).
    overflow : bool
        Whether any of the bins lies in an overflow.
    """

    _binwidth: int
    _channels: tuple[int, ...]
    _counts: NDArray[np.int64]
    _begins: NDArray[np.int64]
    _mask: NDArray[np.int8]
    _totals: NDArray[np.uint64]
    _dropped: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @property
    def size(self) -> int:
        return len(self._begins)

    @property
    def dropped_bins(self) -> int:
        return self._dropped

    @property
    def overflow(self) -> bool:
        return bool(self._mask.any())

    def getIndex(self) -> Int64Array1D:
        """Begin of each bin relative to the first in ps, int64: multiples of the bin width."""
        return np.arange(self.size, dtype=np.int64) * self._binwidth

    def getData(self) -> Int32Array2D:
        """Events of each channel in each bin, missed ones included, int32, shape (channels, size)."""
        return np.minimum(self._counts, INT32_MAX).astype(np.int32)

    def getDataNormalized(self) -> Float64Array2D:
        """Count rates in Hz, float64, shape (channels, size); NaN for bins in an overflow."""
        return self.getFrequency()

    def getFrequency(self, time_scale: int = PS_PER_S) -> Float64Array2D:
        """Events per `time_scale`, float64, shape (channels, size); NaN for bins in an overflow.

        Parameters
        ----------
        time_scale
            Span in ps that the counts are scaled to; negative: the bin width.
        """
        scale = integer(time_scale, "time_scale")
        per_count = scale / self._binwidth if scale >= 0 else 1.0
        return np.where(self._mask != 0, np.nan, self._counts * per_count)

    def getDataTotalCounts(self) -> UInt64Array1D:
        """Events of each channel in all bins completed since creation or `clear`, missed ones included, uint64."""
        return self._totals.copy()

    def getTime(self) -> Int64Array1D:
        """Begin of each bin as stream time in ps, int64."""
        return self._begins.copy()

    def getOverflowMask(self) -> Int8Array1D:
        """1 for each bin in an overflow, 0 for the others, int8."""
        return self._mask.copy()

    def getChannels(self) -> Int32Array1D:
        """Channel of each row, int32."""
        return np.array(self._channels, np.int32)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""


class Counter(IteratorBase):
    """Events per time bin on one or several channels; the latest `n_values` completed bins are kept.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels to count, each once.
    binwidth
        Width of a bin in ps, at least 1; `n_values` bins together span at most 2**63 - 1 ps.
    n_values
        Number of bins kept, at least 1; up to 2**27 on all channels together.

    Notes
    -----
    The first bin begins with the capture: at creation, `clear`, or a `start` after `stop`. A bin is complete, and seen,
    when its whole span has passed, whether tags came or not; so ``startFor(binwidth * n_values)`` gives exactly
    `n_values` bins. A bin that `stop` cuts short is never seen.

    Time tags and missed events are counted. Every bin from the one in which an overflow begins to the one in which it
    ends is marked as in an overflow, and so is one with missed events on any channel. A capture that begins within an
    overflow knows of it from the first missed events on. Error tags change nothing.
    """

    _aligned: bool

    def __init__(
        self, tagger: TimeTaggerBase, channels: Sequence[int], binwidth: int = 1_000_000_000, n_values: int = 1
    ) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        if len(set(numbers)) < len(numbers):
            raise ArgumentError(f"channels is {numbers}, but must name each channel only once")
        self._size = integer(n_values, "n_values", 1, VALUES_MAX // len(numbers))
        self._binwidth = integer(binwidth, "binwidth", 1, TIME_MAX // self._size)
        params = {"channels": numbers, "binwidth": self._binwidth, "n_values": self._size}
        super().__init__(tagger, numbers, params)
        self._index = ChannelIndex(numbers)
        self._ring = np.zeros((len(numbers), self._size), np.int64)
        self._begins = np.zeros(self._size, np.int64)
        self._mask = np.zeros(self._size, np.int8)
        self._bin = np.zeros(len(numbers), np.int64)
        self._totals = np.zeros(len(numbers), np.int64)
        self._state = np.zeros(6, np.uint64)
        self._launch()

    def getData(self, rolling: bool = True) -> Int32Array2D:
        """Events of each channel in each completed bin, missed ones included, int32, shape (channels, n_values).

        Parameters
        ----------
        rolling
            True: the newest bin stands last, and bins not yet filled stand before the others. False: bins are filled
            from the left, and when the last is reached, from the left again.

        Returns
        -------
        ndarray
            Zero for bins not yet filled; counts beyond 2147483647 are given as that.
        """
        data, slots = self._snapshot(boolean(rolling, "rolling"))
        trace = np.zeros(self._ring.shape, np.int32)
        trace[:, slots] = data.getData()
        return trace

    def getIndex(self) -> Int64Array1D:
        """Begin of each bin relative to the first in ps, int64: multiples of the bin width."""
        return np.arange(self._size, dtype=np.int64) * self._binwidth

    def getDataNormalized(self, rolling: bool = True) -> Float64Array2D:
        """Count rates in Hz, float64, shape (channels, n_values).

        Parameters
        ----------
        rolling
            As for `getData`.

        Returns
        -------
        ndarray
            NaN for bins not yet filled and bins in an overflow.
        """
        data, slots = self._snapshot(boolean(rolling, "rolling"))
        trace = np.full(self._ring.shape, np.nan)
        trace[:, slots] = data.getDataNormalized()
        return trace

    def getDataTotalCounts(self) -> UInt64Array1D:
        """Events of each channel in all bins completed since creation or `clear`, missed ones included, uint64."""
        with self._lock:
            return self._totals.astype(np.uint64)

    def getDataObject(self, remove: bool = False) -> CounterData:
        """The completed bins, oldest first.

        Parameters
        ----------
        remove
            Also take these bins out, so that the next call gives only those that follow; `getData` then begins with no
            filled bins again. No bin is given twice, and the sizes and dropped bins of all objects together account for
            every bin completed.
        """
        with self._lock:
            data, _ = self._snapshot(rolling=True, remove=boolean(remove, "remove"))
        return data

    def _snapshot(self, rolling: bool, remove: bool = False) -> tuple[CounterData, NDArray[np.int64]]:
        """The completed bins, and their places in an array of `n_values`."""
        with self._lock:
            head, kept = int(self._state[HEAD]), int(self._state[KEPT])
            slots = np.arange(head - kept, head) % self._size
            data = CounterData.__new__(CounterData)
            data._binwidth, data._channels = self._binwidth, self._index.channels
            data._counts, data._begins, data._mask = self._ring[:, slots], self._begins[slots], self._mask[slots]
            data._totals, data._dropped = self._totals.astype(np.uint64), int(self._state[DROPPED])
            if remove:
                self._empty()
        return data, np.arange(self._size - kept, self._size) if rolling else slots

    def _reset(self) -> None:
        self._totals[:] = 0
        self._empty()
        self._aligned = False

    def _empty(self) -> None:
        self._state[[HEAD, KEPT, DROPPED]] = 0

    def _forget(self) -> None:
        self._aligned = False

    def _process(self, block: TagBlock) -> None:
        if not self._aligned:
            self._aligned = True
            self._bin[:] = 0
            self._state[[BEGIN, LOSING, MARKED]] = block.begin & UINT64_MASK, 0, 0
        _count(
            block.time,
            block.channel,
            block.type,
            block.missed,
            block.end,
            self._index.table,
            self._index.first,
            self._binwidth,
            self._ring,
            self._begins,
            self._mask,
            self._bin,
            self._totals,
            self._state,
        )


@kernel
def _count(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    end: int,
    table: NDArray[np.int16],
    first: int,
    binwidth: int,
    ring: NDArray[np.int64],
    begins: NDArray[np.int64],
    mask: NDArray[np.int8],
    running: NDArray[np.int64],
    totals: NDArray[np.int64],
    state: NDArray[np.uint64],
) -> None:
    """Count the tags of a block, and complete every bin that ends within it.

    Times are subtracted as uint64, which is right over the whole range of int64.
    """
    width = np.uint64(binwidth)
    for i in range(len(channel)):
        if np.uint64(time[i]) - state[BEGIN] >= width:
            _complete(np.uint64(time[i]), width, ring, begins, mask, running, totals, state)
        k = channel[i] - first
        place = table[k] if 0 <= k < len(table) else -1
        if len(kind) == 0 or kind[i] == TIME_TAG:
            if place >= 0:
                running[place] += 1
        elif kind[i] == MISSED_EVENTS:
            state[MARKED] = 1
            if place >= 0:
                running[place] += missed[i]
        elif kind[i] in (OVERFLOW_BEGIN, OVERFLOW_END):
            state[MARKED] = 1
            state[LOSING] = 1 if kind[i] == OVERFLOW_BEGIN else 0
    if np.uint64(end) - state[BEGIN] >= width:
        _complete(np.uint64(end), width, ring, begins, mask, running, totals, state)


@kernel
def _complete(
    now: np.uint64,
    width: np.uint64,
    ring: NDArray[np.int64],
    begins: NDArray[np.int64],
    mask: NDArray[np.int8],
    running: NDArray[np.int64],
    totals: NDArray[np.int64],
    state: NDArray[np.uint64],
) -> None:
    """Complete the running bin and the empty ones after it that end up to `now`; only those that stay are written."""
    size = np.uint64(len(mask))
    bins = (now - state[BEGIN]) // width
    skipped = bins - size if bins > size else np.uint64(0)
    for j in range(skipped, bins):
        slot = (state[HEAD] + j) % size
        for place in range(len(running)):
            ring[place, slot] = running[place] if j == 0 else 0
        begins[slot] = np.int64(state[BEGIN] + j * width)
        mask[slot] = state[MARKED] if j == 0 else state[LOSING]
    dropped = skipped + (state[KEPT] + (bins - skipped) - min(size, state[KEPT] + (bins - skipped)))
    state[DROPPED] = min(np.uint64(UINT32_MAX), state[DROPPED] + min(np.uint64(UINT32_MAX), dropped))
    state[KEPT] = min(size, state[KEPT] + (bins - skipped))
    state[HEAD] = (state[HEAD] + bins % size) % size
    state[BEGIN] += bins * width
    state[MARKED] = state[LOSING]
    for place in range(len(running)):
        totals[place] += running[place]
        running[place] = 0
