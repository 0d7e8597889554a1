"""Counts per time bin, as a trace that runs with the stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import VALUES_MAX, boolean, integer
from tagwire.core.arrays import Float64Array2D, Int32Array2D, Int64Array1D, UInt64Array1D
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.measurements.counter_data import CounterData
from tagwire.measurements.counter_kernel import BEGIN, DROPPED, HEAD, KEPT, LOSING, MARKED, count
from tagwire.measurements.tally import numbers_of, places_of, sums_of

UINT64_MASK = 2**64 - 1


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

    _concurrent = True

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
        self._places, self._numbers, self._sums = places_of(self._index), numbers_of(self._index), sums_of(self._index)
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
            self._sums[:] = 0
            self._state[[BEGIN, LOSING, MARKED]] = block.begin & UINT64_MASK, 0, 0
        count(
            block.time.view(np.uint64),
            block.channel,
            block.type,
            block.missed,
            np.uint64(block.end & UINT64_MASK),
            self._places,
            self._numbers,
            self._index.first,
            np.uint64(self._binwidth),
            self._sums,
            self._ring,
            self._begins,
            self._mask,
            self._totals,
            self._state,
        )
