"""Histogram of the times from start clicks to later clicks."""

from __future__ import annotations

import numpy as np

from tagwire.core.arrays import Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.measurements.pair_histogram import PairHistogram


class Histogram(PairHistogram):
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

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int = CHANNEL_UNUSED,
        binwidth: int = 1000,
        n_bins: int = 1000,
    ) -> None:
        super().__init__(
            tagger, {"click_channel": click_channel, "start_channel": start_channel}, binwidth, n_bins, centred=False
        )

    def getIndex(self) -> Int64Array1D:
        """Left edge of each bin in ps, int64, shape (n_bins,): ``i * binwidth``."""
        return np.arange(self._bins, dtype=np.int64) * self._width
