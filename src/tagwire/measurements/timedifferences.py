"""Time-difference histograms in a row, switched by markers in the stream."""

from __future__ import annotations

import numpy as np

from tagwire.core.arguments import VALUES_MAX, integer
from tagwire.core.arrays import Int32Array2D, Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs import PairCounter, clipped, pair_up, require_span

WAITS_FOR_SYNC = -2
WAITS_FOR_NEXT = -1


class TimeDifferences(IteratorBase):
    """Histograms of ``tau = t(click) - t(start)``, one after the other as marker channels say.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel of the clicks.
    start_channel
        Channel of the starts; unused or equal to `click_channel`: autocorrelation.
    next_channel
        Channel whose tags lead to the next histogram; unused: there is one histogram, filled at once.
    sync_channel
        Channel whose tags lead back before the first histogram; unused: the histograms follow each other in a ring.
    binwidth
        Width of a bin in ps, at least 1.
    n_bins
        Number of bins of a histogram, 1 to 2**27. A histogram may be up to 2**61 ps wide.
    n_histograms
        Number of histograms, at least 1; together they have up to 2**27 bins.

    Notes
    -----
    Pairs and bins are those of `Histogram`: every start with every click that is not earlier, bin k from
    ``k * binwidth``. A pair goes into the histogram that is current **when the click arrives**, also if its start came
    before the marker; clicks that arrive while the measurement waits are not counted.

    The first `next` tag opens histogram 0 and each further one the next histogram. A `next` tag in the last histogram
    is a rollover: it leads to histogram 0, or with a `sync_channel` to waiting for a sync tag and then a `next` tag.
    A sync tag at any time leads to waiting for a `next` tag, and is no rollover. With a `sync_channel` and no
    `next_channel` the first sync tag opens histogram 0. Tags of equal time are handled in the order sync, next, then
    starts and clicks, however the stream orders them.

    Time tags are counted. Overflow begin, overflow end and error tags end what came before: no pair spans them. They
    may have swallowed markers as well, so with a `sync_channel` the measurement waits for the next sync tag; without
    one the histogram stays. Missed events change nothing. A capture that was stopped goes on as after an overflow.
    """

    _concurrent = True

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int = CHANNEL_UNUSED,
        next_channel: int = CHANNEL_UNUSED,
        sync_channel: int = CHANNEL_UNUSED,
        binwidth: int = 1000,
        n_bins: int = 1000,
        n_histograms: int = 1,
    ) -> None:
        owner = require_tagger(tagger)
        click = owner._channel(click_channel, "click_channel")
        start = owner._optional_channel(start_channel, "start_channel")
        marker = owner._optional_channel(next_channel, "next_channel")
        sync = owner._optional_channel(sync_channel, "sync_channel")
        width, bins = integer(binwidth, "binwidth", 1), integer(n_bins, "n_bins", 1, VALUES_MAX)
        rows = integer(n_histograms, "n_histograms", 1, VALUES_MAX // bins)
        require_span(width, bins)
        params = {"click_channel": click, "start_channel": start, "next_channel": marker, "sync_channel": sync}
        params |= {"binwidth": width, "n_bins": bins, "n_histograms": rows}
        starts = click if start == CHANNEL_UNUSED else start
        super().__init__(owner, [c for c in (click, starts, marker, sync) if c != CHANNEL_UNUSED], params)
        self._width, self._bins, self._rows = width, bins, rows
        self._markers: Int32Array = np.array([marker, sync], np.int32)
        self._state: Int64Array = np.zeros(2, np.int64)
        self._max_rollovers = 0
        # One row more than there are histograms takes what arrives while the measurement waits.
        self._pairs = PairCounter(click, starts, width, bins, rows=rows + 1)
        self._launch()

    def getData(self) -> Int32Array2D:
        """Pairs in each bin, int32, shape (n_histograms, n_bins); a count stays at 2**31 - 1 when it gets there."""
        with self._lock:
            return clipped(self._pairs.counts[: self._rows])

    def getIndex(self) -> Int64Array1D:
        """Left edge of each bin in ps, int64, shape (n_bins,): ``i * binwidth``."""
        return np.arange(self._bins, dtype=np.int64) * self._width

    def setMaxRollovers(self, max_rollovers: int) -> None:
        """End the capture at the tag that makes this many rollovers.

        Parameters
        ----------
        max_rollovers
            Number of rollovers since creation or `clear`; 0, the default: never end.
        """
        number = integer(max_rollovers, "max_rollovers", 0)
        with self._lock:
            self._max_rollovers = number

    def setMaxCounts(self, max_counts: int) -> None:
        """The old name of `setMaxRollovers`."""
        self.setMaxRollovers(integer(max_counts, "max_counts", 0))

    def getHistogramIndex(self) -> int:
        """The current histogram from 0 on; -1: waits for a `next` tag, -2: waits for a sync tag."""
        with self._lock:
            return int(self._state[0])

    def getCounts(self) -> int:
        """Rollovers since creation or `clear`."""
        with self._lock:
            return int(self._state[1])

    def ready(self) -> bool:
        """Whether the rollovers asked for with `setMaxRollovers` have been reached; False when none were."""
        with self._lock:
            return 0 < self._max_rollovers <= int(self._state[1])

    def _process(self, block: TagBlock) -> None:
        if self.ready():
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
        if self._markers[1] != CHANNEL_UNUSED:
            self._state[0] = WAITS_FOR_SYNC

    def _reset(self) -> None:
        self._pairs.reset()
        self._state[:] = 0 if self._markers[0] == CHANNEL_UNUSED else WAITS_FOR_NEXT, 0
        self._forget()


@kernel
def _step_through(
    time: UInt64Array,
    channel: Int32Array,
    markers: Int32Array,
    state: Int64Array,
    max_rollovers: int,
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
    waiting = len(counts) - 1
    while True:
        while i < len(time) and channel[i] != markers[0] and channel[i] != markers[1]:
            i += 1
        marker = i
        # Tags at the time of the marker come after it, also those that stand before it in the stream.
        while i < len(time) and marker > begin and time[marker - 1] == time[i]:
            marker -= 1
        row = counts[state[0] if state[0] >= 0 else waiting]
        pair_up(time[begin:marker], channel[begin:marker], channels, grid, events, clicks, starts, sizes, work, row)
        if i == len(time):
            return -1
        begin = marker
        while i < len(time) and time[i] == time[marker]:
            i += 1
        follow(channel[marker:i], markers, state, waiting)
        if 0 < max_rollovers <= state[1]:
            return marker


@kernel
def follow(channel: Int32Array, markers: Int32Array, state: Int64Array, histograms: int) -> None:
    """Change the state by the markers among tags of equal time."""
    for c in channel:
        if c == markers[1]:
            state[0] = WAITS_FOR_NEXT if markers[0] != CHANNEL_UNUSED else 0
    for c in channel:
        if c != markers[0] or state[0] == WAITS_FOR_SYNC:
            continue
        state[0] += 1
        if state[0] == histograms:
            state[0] = 0 if markers[1] == CHANNEL_UNUSED else WAITS_FOR_SYNC
            state[1] += 1
