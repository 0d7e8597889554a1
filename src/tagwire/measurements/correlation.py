"""Correlation of two channels: the histogram of all time differences, positive and negative."""

from __future__ import annotations

import numpy as np

from tagwire.core.arrays import Float64Array1D, Int64Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.measurements.pair_histogram import PairHistogram


class Correlation(PairHistogram):
    """Histogram of ``tau = t(channel_1) - t(channel_2)`` over all pairs of tags, around tau = 0.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channel_1
        Channel of the clicks.
    channel_2
        Channel of the starts; unused or equal to `channel_1`: autocorrelation.
    binwidth
        Width of a bin in ps, at least 1.
    n_bins
        Number of bins, 1 to 2**27. The whole histogram may be up to 2**61 ps wide.

    Notes
    -----
    Bins are centred on `getIndex`: with ``h = n_bins // 2`` a pair falls into the bin
    ``floor((tau + h * binwidth + binwidth // 2) / binwidth)``. In an autocorrelation no tag is paired with itself, and
    each two tags are two pairs, tau and -tau.

    Time tags are counted. Overflow begin, overflow end and error tags end what came before: no pair spans them.
    Missed events change nothing, neither the histogram nor the rates in `getDataNormalized`.

    A tag is kept while the histogram can still reach it, so memory grows with the rate times the histogram's width.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        channel_1: int,
        channel_2: int = CHANNEL_UNUSED,
        binwidth: int = 1000,
        n_bins: int = 1000,
    ) -> None:
        super().__init__(tagger, {"channel_1": channel_1, "channel_2": channel_2}, binwidth, n_bins, centred=True)

    def getDataNormalized(self) -> Float64Array1D:
        """Second-order correlation function g2 of each bin, float64, shape (n_bins,).

        The counts divided by ``binwidth * N1 * N2 / T``, which is what two independent channels would give: N1 and N2
        are the time tags seen on the channels, T the capture duration (the vendor's formula). Overflow ranges belong to
        T, so g2 comes out low by the share of time lost in them. NaN while one of the channels has no tags.
        """
        with self._lock:
            counts, events, captured = self._pairs.counts[0].copy(), self._pairs.events.copy(), self._captured
        expected = self._width * float(events[0]) * float(events[1])
        return counts * (captured / expected) if expected else np.full(len(counts), np.nan)

    def getIndex(self) -> Int64Array1D:
        """Centre of each bin in ps, int64, shape (n_bins,): ``(i - n_bins // 2) * binwidth``."""
        return (np.arange(self._bins, dtype=np.int64) - self._bins // 2) * self._width
