"""What histograms of the time differences between two channels have in common."""

from __future__ import annotations

from tagwire.core.arguments import VALUES_MAX, integer
from tagwire.core.arrays import Int32Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.measurements.pairs import PairCounter, clipped, require_span


class PairHistogram(IteratorBase):
    """Base of such histograms; not created by itself.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channel of the clicks and channel of the starts, under the names that the parameters have; a second one that is
        unused stands for the first.
    binwidth, n_bins
        Width and number of the bins.
    centred
        Whether tau = 0 lies in the middle of the histogram, or at its left edge.
    """

    _concurrent = True

    def __init__(
        self, tagger: TimeTaggerBase, channels: dict[str, int], binwidth: int, n_bins: int, centred: bool
    ) -> None:
        owner = require_tagger(tagger)
        (click_name, click), (start_name, start) = channels.items()
        clicks = owner._channel(click, click_name)
        second = owner._optional_channel(start, start_name)
        width, bins = integer(binwidth, "binwidth", 1), integer(n_bins, "n_bins", 1, VALUES_MAX)
        require_span(width, bins)
        starts = clicks if second == CHANNEL_UNUSED else second
        params = {click_name: clicks, start_name: second, "binwidth": width, "n_bins": bins}
        super().__init__(owner, [clicks, starts], params)
        self._width, self._bins = width, bins
        self._pairs = PairCounter(clicks, starts, width, bins, bins // 2 * width + width // 2 if centred else 0)
        self._launch()

    def getData(self) -> Int32Array1D:
        """Pairs in each bin, int32, shape (n_bins,); a count stays at 2**31 - 1 when it gets there."""
        with self._lock:
            return clipped(self._pairs.counts[0])

    def _process(self, block: TagBlock) -> None:
        self._pairs.fold(block)

    def _forget(self) -> None:
        self._pairs.forget()

    def _reset(self) -> None:
        self._pairs.reset()
