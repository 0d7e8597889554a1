"""Correlations of all pairs of several channels at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import VALUES_MAX, boolean, integer
from tagwire.core.arrays import Float64Array3D, Int32Array3D, Int64Array1D
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs import clipped, reciprocal, require_span


class CorrelationPairsData:
    """The histograms of a `CorrelationPairs` at one moment; comes from `CorrelationPairs.getDataObject` only."""

    _counts: Int64Array
    _events: Int64Array
    _index: Int64Array
    _binwidth: int
    _captured: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    def getCounts(self, exclude_self_coincidences: bool = True) -> Int32Array3D:
        """Pairs in each bin, int32, shape (channels, channels, n_bins): start channel, stop channel, bin.

        Parameters
        ----------
        exclude_self_coincidences
            False: in the autocorrelations each tag is also paired with itself, at tau = 0.

        Returns
        -------
        ndarray
            A count stays at 2**31 - 1 when it gets there.
        """
        return clipped(self._pairs(exclude_self_coincidences))

    def getG2(self, exclude_self_coincidences: bool = True) -> Float64Array3D:
        """Second-order correlation function g2, float64, shape as of `getCounts`.

        The counts divided by ``binwidth * N1 * N2 / T``, with the time tags N seen on the two channels and the capture
        duration T. NaN where a channel has no tags.

        Parameters
        ----------
        exclude_self_coincidences
            As for `getCounts`.
        """
        pairs = self._pairs(exclude_self_coincidences)
        events = self._events.astype(np.float64)
        expected = self._binwidth * np.outer(events, events)[:, :, np.newaxis]
        g2: Float64Array3D = np.full(pairs.shape, np.nan)
        np.divide(pairs * float(self._captured), expected, out=g2, where=expected > 0)
        return g2

    def getIndex(self) -> Int64Array1D:
        """Centre of each bin in ps, int64, shape (n_bins,): ``(i - n_bins // 2) * binwidth``."""
        return self._index.copy()

    def _pairs(self, exclude_self_coincidences: bool) -> Int64Array:
        if boolean(exclude_self_coincidences, "exclude_self_coincidences"):
            return self._counts
        pairs = self._counts.copy()
        same = np.arange(len(pairs))
        pairs[same, same, len(self._index) // 2] += self._events
        return pairs


class CorrelationPairs(IteratorBase):
    """Histograms of ``tau = t(stop) - t(start)`` around tau = 0, for every channel as start with every one as stop.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        The channels, each once.
    binwidth
        Width of a bin in ps, at least 1.
    n_bins
        Number of bins of a histogram, at least 1; of all histograms together up to 2**27. A histogram may be up
        to 2**61 ps wide.

    Notes
    -----
    Bins are those of `Correlation`, and so is the way each tag type is handled: time tags are counted; overflow begin,
    overflow end and error tags end what came before, no pair spans them; missed events change nothing. Each two tags
    are two pairs, tau and -tau, one in the histogram of each order of their channels.

    A tag is kept while a histogram can still reach it, so memory grows with the rate times the histograms' width. The
    cost grows with the number of pairs, not with the number of histograms.
    """

    def __init__(
        self, tagger: TimeTaggerBase, channels: Sequence[int], binwidth: int = 1000, n_bins: int = 1000
    ) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        if len(set(numbers)) < len(numbers):
            raise ArgumentError(f"channels is {numbers}, but must name each channel only once")
        width = integer(binwidth, "binwidth", 1)
        bins = integer(n_bins, "n_bins", 1, VALUES_MAX // len(numbers) ** 2)
        span = require_span(width, bins)
        super().__init__(tagger, numbers, {"channels": numbers, "binwidth": width, "n_bins": bins})
        self._width, self._bins = width, bins
        self._table = ChannelIndex(numbers)
        offset = bins // 2 * width + width // 2
        self._grid: UInt64Array = np.array([span, offset, width, *reciprocal(width, span)], np.uint64)
        self._counts: Int64Array = np.zeros((len(numbers), len(numbers), bins), np.int64)
        self._events: Int64Array = np.zeros(len(numbers), np.int64)
        self._times: UInt64Array = np.empty(0, np.uint64)
        self._places: NDArray[np.int16] = np.empty(0, np.int16)
        self._launch()

    def getDataObject(self) -> CorrelationPairsData:
        """The histograms as they are now."""
        data = CorrelationPairsData.__new__(CorrelationPairsData)
        data._index, data._binwidth = self.getIndex(), self._width
        with self._lock:
            data._counts, data._events, data._captured = self._counts.copy(), self._events.copy(), self._captured
        return data

    def getIndex(self) -> Int64Array1D:
        """Centre of each bin in ps, int64, shape (n_bins,): ``(i - n_bins // 2) * binwidth``."""
        return (np.arange(self._bins, dtype=np.int64) - self._bins // 2) * self._width

    def _process(self, block: TagBlock) -> None:
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self._forget()
            known = len(self._times)
            places = np.empty(known + len(time), np.int16)
            times = np.empty(known + len(time), np.uint64)
            times[:known], places[:known] = self._times, self._places
            table, first = self._table.table, self._table.first
            size = _select(time.view(np.uint64), channel, table, first, known, times, places)
            oldest = _count(times[:size], places[:size], known, self._grid, self._events, self._counts)
            self._times, self._places = times[oldest:size].copy(), places[oldest:size].copy()

    def _forget(self) -> None:
        self._times, self._places = self._times[:0], self._places[:0]

    def _reset(self) -> None:
        self._forget()
        self._counts[:] = 0
        self._events[:] = 0


@kernel
def _select(
    time: UInt64Array,
    channel: Int32Array,
    table: NDArray[np.int16],
    first: int,
    known: int,
    times: UInt64Array,
    places: NDArray[np.int16],
) -> int:
    """Append the tags on channels of the table to the `known` ones, without a branch; gives how many there are then."""
    size = known
    for i in range(len(time)):
        k = channel[i] - first
        within = 0 <= k < len(table)
        place = table[k * within]
        times[size] = time[i]
        places[size] = place
        size += within and place >= 0
    return size


@kernel
def _count(
    times: UInt64Array,
    places: NDArray[np.int16],
    known: int,
    grid: UInt64Array,
    events: Int64Array,
    counts: Int64Array,
) -> int:
    """Count the pairs of each tag from `known` on with all before it; gives the first tag that later ones can reach."""
    span, offset, width, multiplier, shift = grid[0], grid[1], grid[2], grid[3], grid[4]
    reach = max(span - offset, offset + np.uint64(1))
    oldest = 0
    for i in range(known, len(times)):
        now, place = times[i], places[i]
        events[place] += 1
        while now - times[oldest] >= reach:
            oldest += 1
        for j in range(i - 1, oldest - 1, -1):
            tau, other = now - times[j], places[j]
            if tau < span - offset:
                x = offset + tau
                counts[other, place, np.uint64((x * multiplier) >> shift if multiplier else x // width)] += 1
            if tau <= offset:
                x = offset - tau
                counts[place, other, np.uint64((x * multiplier) >> shift if multiplier else x // width)] += 1
    return oldest
