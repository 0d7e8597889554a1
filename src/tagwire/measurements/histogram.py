"""Histogram of the times from start clicks to later clicks."""

from __future__ import annotations

import numpy as np

from tagwire.core.arguments import VALUES_MAX, integer
from tagwire.core.arrays import Int32Array1D, Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.measurements.pairs import PairCounter, clipped, require_span


class Histogram(IteratorBase):
    """Histogram of ``tau = t(click) - t(start)`` from every start to every click that is not earlier.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel of the clicks.
    start_channel
        Channel of the starts; unused or equal to `click_channel`: autocorrelation.
    binwidth
        Width of a bin in ps, at least 1.
    n_bins
        Number of bins, 1 to 2**27. The whole histogram may be up to 2**61 ps wide.

    Notes
    -----
    Bin k holds ``k * binwidth <= tau < (k + 1) * binwidth``; other pairs are left out. A click at the very time of a
    start counts with tau = 0, whichever of the two comes first in the stream. In an autocorrelation no tag is paired
    with itself.

    Time tags are counted. Overflow begin, overflow end and error tags end what came before: no pair spans them.
    Missed events change nothing.

    A tag is kept while the histogram can still reach it, so memory grows with the rate times the histogram's width.
    """

    _concurrent = True

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int = CHANNEL_UNUSED,
        binwidth: int = 1000,
        n_bins: int = 1000,
    ) -> None:
        owner = require_tagger(tagger)
        click = owner._channel(click_channel, "click_channel")
        start = owner._optional_channel(start_channel, "start_channel")
        width, bins = integer(binwidth, "binwidth", 1), integer(n_bins, "n_bins", 1, VALUES_MAX)
        require_span(width, bins)
        starts = click if start == CHANNEL_UNUSED else start
        params = {"click_channel": click, "start_channel": start, "binwidth": width, "n_bins": bins}
        super().__init__(owner, [click, starts], params)
        self._width, self._bins = width, bins
        self._pairs = PairCounter(click, starts, width, bins)
        self._launch()

    def getData(self) -> Int32Array1D:
        """Pairs in each bin, int32, shape (n_bins,); a count stays at 2**31 - 1 when it gets there."""
        with self._lock:
            return clipped(self._pairs.counts[0])

    def getIndex(self) -> Int64Array1D:
        """Left edge of each bin in ps, int64, shape (n_bins,): ``i * binwidth``."""
        return np.arange(self._bins, dtype=np.int64) * self._width

    def _process(self, block: TagBlock) -> None:
        self._pairs.fold(block)

    def _forget(self) -> None:
        self._pairs.forget()

    def _reset(self) -> None:
        self._pairs.reset()
