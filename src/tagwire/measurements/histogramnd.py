"""Histograms of the times from a start to the first click on each of several channels, one axis a channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tagwire.core.arguments import VALUES_MAX, integer, sequence
from tagwire.core.arrays import Int32Array1D, Int32Array2D, Int64Array1D, Int64Array3D
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs import clipped, require_span

WAITS = -1
"""Bin of an axis whose click has not come yet."""


class FirstStops:
    """Counts each start by the bins of the first clicks after it.

    Parameters
    ----------
    start_channel
        Channel of the starts.
    stop_channels
        Channel of the clicks of each axis.
    binwidths
        Width of a bin of each axis in ps.
    n_bins
        Number of bins of each axis.

    Attributes
    ----------
    counts : ndarray of int64, shape (product of n_bins,)
        The histogram, the last axis running fastest.
    """

    def __init__(
        self, start_channel: int, stop_channels: Sequence[int], binwidths: Sequence[int], n_bins: Sequence[int]
    ) -> None:
        size = math.prod(n_bins)
        if size > VALUES_MAX:
            raise ArgumentError(f"the product of n_bins is {size}, but must be within [1, {VALUES_MAX}]")
        for width, bins in zip(binwidths, n_bins, strict=True):
            require_span(width, bins)
        self._channels: Int32Array = np.array([start_channel, *stop_channels], np.int32)
        self._widths: UInt64Array = np.array(binwidths, np.uint64)
        self._shape: Int64Array = np.array(n_bins, np.int64)
        self._stops: Int64Array = np.zeros(len(n_bins), np.int64)
        self._state: UInt64Array = np.zeros(2, np.uint64)
        self.counts: Int64Array = np.zeros(size, np.int64)

    def fold(self, block: TagBlock) -> None:
        """Add what the next block completes; nothing spans a gap."""
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self.forget()
            times = time.view(np.uint64)
            _count(times, channel, self._channels, self._widths, self._shape, self._stops, self._state, self.counts)

    def forget(self) -> None:
        """Drop the start that waits for clicks."""
        self._state[1] = 0

    def reset(self) -> None:
        """Back to the state after creation."""
        self.forget()
        self.counts[:] = 0


class Histogram2D(IteratorBase):
    """Histogram over the times from a start to the first click on each of two channels.

    Parameters
    ----------
    tagger
        Time Tagger object.
    start_channel
        Channel of the starts.
    stop_channel_1, stop_channel_2
        Channels of the clicks of the two axes.
    binwidth_1, binwidth_2
        Widths of the bins in ps, at least 1.
    n_bins_1, n_bins_2
        Numbers of bins, at least 1; together up to 2**27.

    Notes
    -----
    It counts as `HistogramND` does, whose notes hold here as well.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        start_channel: int,
        stop_channel_1: int,
        stop_channel_2: int,
        binwidth_1: int,
        binwidth_2: int,
        n_bins_1: int,
        n_bins_2: int,
    ) -> None:
        owner = require_tagger(tagger)
        start = owner._channel(start_channel, "start_channel")
        first = owner._channel(stop_channel_1, "stop_channel_1")
        second = owner._channel(stop_channel_2, "stop_channel_2")
        self._widths = integer(binwidth_1, "binwidth_1", 1), integer(binwidth_2, "binwidth_2", 1)
        self._shape = integer(n_bins_1, "n_bins_1", 1, VALUES_MAX), integer(n_bins_2, "n_bins_2", 1, VALUES_MAX)
        self._stops = FirstStops(start, (first, second), self._widths, self._shape)
        params = {"start_channel": start, "stop_channel_1": first, "stop_channel_2": second}
        params |= {"binwidth_1": self._widths[0], "binwidth_2": self._widths[1]}
        params |= {"n_bins_1": self._shape[0], "n_bins_2": self._shape[1]}
        super().__init__(owner, [start, first, second], params)
        self._launch()

    def getData(self) -> Int32Array2D:
        """Starts in each bin, int32, shape (n_bins_1, n_bins_2); a count stays at 2**31 - 1 when it gets there."""
        with self._lock:
            return clipped(self._stops.counts).reshape(self._shape)

    def getIndex(self) -> Int64Array3D:
        """Left edges in ps on both axes of each bin, int64, shape (n_bins_1, n_bins_2, 2)."""
        return np.stack(np.meshgrid(self.getIndex_1(), self.getIndex_2(), indexing="ij"), axis=-1)

    def getIndex_1(self) -> Int64Array1D:
        """Left edge of each bin of axis 1 in ps, int64, shape (n_bins_1,)."""
        return np.arange(self._shape[0], dtype=np.int64) * self._widths[0]

    def getIndex_2(self) -> Int64Array1D:
        """Left edge of each bin of axis 2 in ps, int64, shape (n_bins_2,)."""
        return np.arange(self._shape[1], dtype=np.int64) * self._widths[1]

    def _process(self, block: TagBlock) -> None:
        self._stops.fold(block)

    def _forget(self) -> None:
        self._stops.forget()

    def _reset(self) -> None:
        self._stops.reset()


class HistogramND(IteratorBase):
    """Histogram over the times from a start to the first click on each of several channels.

    Parameters
    ----------
    tagger
        Time Tagger object.
    start_channel
        Channel of the starts.
    stop_channels
        Channel of the clicks of each axis; at least one.
    binwidths
        Width of the bins of each axis in ps, at least 1.
    n_bins
        Number of bins of each axis, at least 1; together up to 2**27.

    Notes
    -----
    A start arms the measurement, and a later start replaces it. The first click on each channel decides the bin of its
    axis, and further ones change nothing; with the last of them the start is counted, unless a click was too late for
    the range of its axis. Bin k holds ``k * binwidth <= t(click) - t(start) < (k + 1) * binwidth``.

    A click at the very time of a start belongs to that start, whichever of the two comes first in the stream. On the
    start channel itself a tag is a click first and then the next start.

    Time tags are counted. Overflow begin, overflow end and error tags disarm. Missed events change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        start_channel: int,
        stop_channels: Sequence[int],
        binwidths: Sequence[int],
        n_bins: Sequence[int],
    ) -> None:
        owner = require_tagger(tagger)
        start, stops = owner._channel(start_channel, "start_channel"), owner._channels(stop_channels, "stop_channels")
        self._widths = _numbers(binwidths, "binwidths", len(stops), 2**63 - 1)
        self._shape = _numbers(n_bins, "n_bins", len(stops), VALUES_MAX)
        self._stops = FirstStops(start, stops, self._widths, self._shape)
        params = {"start_channel": start, "stop_channels": stops, "binwidths": self._widths, "n_bins": self._shape}
        super().__init__(owner, [start, *stops], params)
        self._launch()

    def getData(self) -> Int32Array1D:
        """Starts in each bin, int32, shape (product of n_bins,), the last axis running fastest.

        ``numpy.reshape(data, n_bins)`` gives one axis per channel. A count stays at 2**31 - 1 when it gets there.
        """
        with self._lock:
            return clipped(self._stops.counts)

    def getIndex(self, dim: int = 0) -> Int64Array1D:
        """Left edge of each bin of an axis in ps, int64, shape (n_bins[dim],).

        Parameters
        ----------
        dim
            Number of the axis, from 0 on.
        """
        axis = integer(dim, "dim", 0, len(self._shape) - 1)
        return np.arange(self._shape[axis], dtype=np.int64) * self._widths[axis]

    def _process(self, block: TagBlock) -> None:
        self._stops.fold(block)

    def _forget(self) -> None:
        self._stops.forget()

    def _reset(self) -> None:
        self._stops.reset()


def _numbers(values: Any, name: str, size: int, high: int) -> list[int]:
    """As many positive ints as there are axes."""
    numbers = [integer(v, f"{name}[{i}]", 1, high) for i, v in enumerate(sequence(values, name, "integers"))]
    if len(numbers) != size:
        raise ArgumentError(f"{name} has {len(numbers)} values, but must have one for each of {size} stop_channels")
    return numbers


@kernel
def _count(
    time: UInt64Array,
    channel: Int32Array,
    channels: Int32Array,
    widths: UInt64Array,
    shape: Int64Array,
    stops: Int64Array,
    state: UInt64Array,
    counts: Int64Array,
) -> None:
    """Count starts; ``state`` is the time of the armed one and how many of its clicks are still to come."""
    start = channels[0]
    i = 0
    while i < len(time):
        end = i + 1
        while end < len(time) and time[end] == time[i]:
            end += 1
        for j in range(i, end):
            if channel[j] == start:
                _stop(time[j], start, channels, widths, shape, stops, state, counts)
                state[0], state[1] = time[j], len(stops)
                stops[:] = WAITS
        for j in range(i, end):
            if channel[j] != start and state[1] > 0:
                _stop(time[j], channel[j], channels, widths, shape, stops, state, counts)
        i = end


@kernel
def _stop(
    now: np.uint64,
    channel: int,
    channels: Int32Array,
    widths: UInt64Array,
    shape: Int64Array,
    stops: Int64Array,
    state: UInt64Array,
    counts: Int64Array,
) -> None:
    """Note a click on all its axes; count the start if it was the last one that it waited for."""
    if state[1] == 0:
        return
    for axis in range(len(stops)):
        if channel != channels[axis + 1] or stops[axis] != WAITS:
            continue
        place = (now - state[0]) // widths[axis]
        if place >= np.uint64(shape[axis]):
            state[1] = 0
            return
        stops[axis] = np.int64(place)
        state[1] -= np.uint64(1)
    if state[1] == 0:
        cell = 0
        for axis in range(len(stops)):
            cell = cell * shape[axis] + stops[axis]
        counts[cell] += 1
