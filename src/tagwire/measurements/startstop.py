"""Times from a start click to the next click, without a limit of range."""

from __future__ import annotations

import numpy as np

from tagwire.core.arguments import integer
from tagwire.core.arrays import Int64Array2D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int32Array, Int64Array, TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches

NEAR_BINS = 1 << 20
"""Bins from zero on that are counted in an array; those beyond are kept sorted, only where they are not empty."""


class StartStop(IteratorBase):
    """Histogram of the time from the latest start to the first click after it.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel of the (stop) clicks.
    start_channel
        Channel of the starts; unused or equal to `click_channel`: times between neighbouring clicks.
    binwidth
        Width of a bin in ps, at least 1.

    Notes
    -----
    A start arms the measurement, and a later start replaces it; the first click counts and disarms. On one channel a
    tag is a click first and then the next start. On two channels a click at the very time of a start belongs to that
    start, with a difference of zero, whichever of the two comes first in the stream.

    Time tags are counted. Overflow begin, overflow end and error tags disarm. Missed events change nothing.

    Memory grows with the number of bins that are not empty.
    """

    _concurrent = True

    def __init__(
        self, tagger: TimeTaggerBase, click_channel: int, start_channel: int = CHANNEL_UNUSED, binwidth: int = 1000
    ) -> None:
        owner = require_tagger(tagger)
        click = owner._channel(click_channel, "click_channel")
        start = owner._optional_channel(start_channel, "start_channel")
        self._width = integer(binwidth, "binwidth", 1)
        starts = click if start == CHANNEL_UNUSED else start
        params = {"click_channel": click, "start_channel": start, "binwidth": self._width}
        super().__init__(owner, [click, starts], params)
        self._channels: Int32Array = np.array([click, starts], np.int32)
        self._armed: Int64Array = np.zeros(2, np.int64)
        self._launch()

    def getData(self) -> Int64Array2D:
        """Time in ps (left edge) and count of each bin that is not empty, int64, shape (bins, 2), in order of time."""
        with self._lock:
            near = np.flatnonzero(self._near)
            bins, counts = self._far.total()
            places = np.concatenate([near, bins])
            return np.column_stack([places * self._width, np.concatenate([self._near[near], counts])])

    def _process(self, block: TagBlock) -> None:
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self._forget()
            far = np.empty(len(time), np.int64)
            size = _count(time, channel, self._channels, self._width, self._armed, self._near, far)
            self._far.add(far[:size])

    def _forget(self) -> None:
        self._armed[:] = 0

    def _reset(self) -> None:
        self._forget()
        self._near: Int64Array = np.zeros(NEAR_BINS, np.int64)
        self._far = SparseCounts()


class SparseCounts:
    """How often each number occurred, for numbers without a limit.

    New numbers are collected and merged when they outnumber the known ones, so that the cost of merging stays
    proportional to what is added.
    """

    def __init__(self) -> None:
        self._numbers: Int64Array = np.empty(0, np.int64)
        self._counts: Int64Array = np.empty(0, np.int64)
        self._loose: list[Int64Array] = []
        self._loose_size = 0

    def add(self, numbers: Int64Array) -> None:
        """Count each of `numbers` once more."""
        if not len(numbers):
            return
        self._loose.append(numbers.copy())
        self._loose_size += len(numbers)
        if self._loose_size > max(len(self._numbers), NEAR_BINS):
            self.total()

    def total(self) -> tuple[Int64Array, Int64Array]:
        """The different numbers in ascending order, and the count of each."""
        if self._loose:
            loose = np.concatenate(self._loose)
            weights = np.concatenate([self._counts, np.ones(len(loose), np.int64)])
            self._numbers, places = np.unique(np.concatenate([self._numbers, loose]), return_inverse=True)
            self._counts = np.zeros(len(self._numbers), np.int64)
            np.add.at(self._counts, places, weights)
            self._loose, self._loose_size = [], 0
        return self._numbers, self._counts


@kernel
def _count(
    time: Int64Array,
    channel: Int32Array,
    channels: Int32Array,
    width: int,
    armed: Int64Array,
    near: Int64Array,
    far: Int64Array,
) -> int:
    """Add start-stop times to `near`; gives the number of bins beyond it, which are listed in `far`."""
    click, start = channels[0], channels[1]
    found = 0
    i = 0
    while i < len(time):
        now = time[i]
        clicks = starts = 0
        while i < len(time) and time[i] == now:
            clicks += channel[i] == click
            starts += channel[i] == start
            i += 1
        if starts and click != start:
            armed[0], armed[1] = 1, now
        while clicks and (armed[0] or click == start):
            if armed[0]:
                place = (np.uint64(now) - np.uint64(armed[1])) // np.uint64(width)
                if place < np.uint64(len(near)):
                    near[place] += 1
                else:
                    far[found] = np.int64(place)
                    found += 1
            armed[0], armed[1] = click == start, now
            clicks -= 1
    return found
