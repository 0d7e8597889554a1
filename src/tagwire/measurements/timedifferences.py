"""Time-difference histograms in a row, switched by markers in the stream."""

from __future__ import annotations

import numpy as np

from tagwire.core.arguments import VALUES_MAX, integer
from tagwire.core.arrays import Int32Array2D, Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.measurements.marked_pairs import MarkedPairs
from tagwire.measurements.pairs import clipped, require_span


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
        self._width, self._bins = width, bins
        self._pairs = MarkedPairs([(marker, sync)], [rows], click, starts, width, bins)
        self._launch()

    def getData(self) -> Int32Array2D:
        """Pairs in each bin, int32, shape (n_histograms, n_bins); a count stays at 2**31 - 1 when it gets there."""
        with self._lock:
            return clipped(self._pairs.counts)

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
            self._pairs.max_rollovers[0] = number

    def setMaxCounts(self, max_counts: int) -> None:
        """The old name of `setMaxRollovers`."""
        self.setMaxRollovers(integer(max_counts, "max_counts", 0))

    def getHistogramIndex(self) -> int:
        """The current histogram from 0 on; -1: waits for a `next` tag, -2: waits for a sync tag."""
        with self._lock:
            return int(self._pairs.state[0, 0])

    def getCounts(self) -> int:
        """Rollovers since creation or `clear`."""
        with self._lock:
            return int(self._pairs.state[0, 1])

    def ready(self) -> bool:
        """Whether the rollovers asked for with `setMaxRollovers` have been reached; False when none were."""
        with self._lock:
            return self._pairs.ended

    def _process(self, block: TagBlock) -> None:
        end = self._pairs.fold(block)
        if end is not None:
            self._finish(end)

    def _forget(self) -> None:
        self._pairs.forget()

    def _reset(self) -> None:
        self._pairs.reset()
