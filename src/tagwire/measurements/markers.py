"""Counts of one channel between markers."""

from __future__ import annotations

from tagwire.core.arrays import Int32Array1D
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.measurements.gatedcounter import GatedCounts


class CountBetweenMarkers(GatedCounts):
    """Clicks on one channel between a begin marker and the next one, or between a begin and an end marker.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel to count.
    begin_channel, end_channel, n_values
        As for `GatedCounter`, of which this is the older form for a single channel; what is counted and when stands
        there.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        begin_channel: int,
        end_channel: int = CHANNEL_UNUSED,
        n_values: int = 1000,
    ) -> None:
        click = require_tagger(tagger)._channel(click_channel, "click_channel")
        super().__init__(tagger, [click], begin_channel, end_channel, n_values, {"click_channel": click})

    def getData(self) -> Int32Array1D:
        """Clicks of each closed gate, int32, size n_values; zero where none is stored yet, at most 2147483647."""
        return self._values().ravel()
