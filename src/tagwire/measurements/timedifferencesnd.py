"""Time-difference histograms on a grid, each of whose dimensions is stepped through by markers of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tagwire.core.arguments import VALUES_MAX, integer, integers, sequence
from tagwire.core.arrays import Int32Array1D, Int32Array2D, Int64Array1D, UInt64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.measurements.marked_pairs import MarkedPairs
from tagwire.measurements.pairs import clipped, require_span


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
        self._pairs = MarkedPairs(list(zip(nexts, syncs, strict=True)), rows, click, starts, width, bins)
        self._launch()

    def getData(self) -> Int32Array2D:
        """Pairs in each bin, int32, shape (product of n_histograms, n_bins); the first dimension runs fastest.

        ``numpy.reshape(data, (*n_histograms[::-1], n_bins))`` has one axis per dimension, the last dimension first. A
        count stays at 2**31 - 1 when it gets there.
        """
        with self._lock:
            return clipped(self._pairs.counts)

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
        numbers = _counts(max_rollovers, "max_rollovers", 0, 2**63 - 1, len(self._pairs.state))
        with self._lock:
            self._pairs.max_rollovers[:] = numbers

    def getHistogramIndex(self) -> Int32Array1D:
        """The current index of each dimension, int32; -1: waits for a `next` tag, -2: waits for a sync tag."""
        with self._lock:
            return self._pairs.state[:, 0].astype(np.int32)

    def getRollovers(self) -> UInt64Array1D:
        """Rollovers of each dimension since creation or `clear`, uint64."""
        with self._lock:
            return self._pairs.state[:, 1].astype(np.uint64)

    def _process(self, block: TagBlock) -> None:
        end = self._pairs.fold(block)
        if end is not None:
            self._finish(end)

    def _forget(self) -> None:
        self._pairs.forget()

    def _reset(self) -> None:
        self._pairs.reset()


def _counts(values: Any, name: str, low: int, high: int, size: int) -> list[int]:
    """One int within ``[low, high]`` for each dimension."""
    numbers = [integer(v, f"{name}[{i}]", low, high) for i, v in enumerate(sequence(values, name, "integers"))]
    return _one_each(numbers, name, size)


def _one_each(values: list[int], name: str, size: int) -> list[int]:
    if len(values) != size:
        raise ArgumentError(f"{name} has {len(values)} values, but must have one for each of {size} next_channels")
    return values
