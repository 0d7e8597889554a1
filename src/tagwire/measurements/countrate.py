"""Average count rate per channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arrays import Float64Array1D, Int64Array1D
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel

PS_PER_S = 1e12
TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)


class Countrate(IteratorBase):
    """Average count rate on one or several channels, since the first tag on any of them.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels to count; a channel may be named more than once.

    Notes
    -----
    Time tags and missed events are counted, so the rate stays right through overflows. The time base begins with the
    first of them after creation or `clear`; other tag types change nothing.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int]) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        super().__init__(tagger, numbers, {"channels": numbers})
        self._index = ChannelIndex(self._inputs)
        self._rows = np.array([self._inputs.index(c) for c in numbers])
        self._counts: NDArray[np.int64] = np.zeros(len(self._index), np.int64)
        self._launch()

    def getData(self) -> Float64Array1D:
        """Counts per second of each channel, float64; NaN while no time has passed since the first tag."""
        with self._lock:
            counts, duration = self._counts[self._rows], self._duration
        return counts * PS_PER_S / duration if duration > 0 else np.full(len(counts), np.nan)

    def getCountsTotal(self) -> Int64Array1D:
        """Events of each channel since creation or `clear`, missed ones included, int64."""
        with self._lock:
            return np.take(self._counts, self._rows)

    def _reset(self) -> None:
        self._counts[:] = 0
        self._duration = 0
        self._begun = False

    def _process(self, block: TagBlock) -> None:
        table, first = self._index.table, self._index.first
        place = _count(block.channel, block.type, block.missed, table, first, self._counts)
        if self._begun:
            self._duration += block.end - block.begin
        elif place >= 0:
            self._begun = True
            self._duration = block.end - int(block.time[place])


@kernel
def _count(
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    table: NDArray[np.int16],
    first: int,
    counts: NDArray[np.int64],
) -> int:
    """Add the events of a block to `counts`; gives the place of the first one, or -1."""
    size = len(table)
    plain = len(kind) == 0
    found = -1
    for i in range(len(channel)):
        k = channel[i] - first
        if k < 0 or k >= size or table[k] < 0:
            continue
        if plain or kind[i] == TIME_TAG:
            counts[table[k]] += 1
        elif kind[i] == MISSED_EVENTS:
            counts[table[k]] += missed[i]
        else:
            continue
        if found < 0:
            found = i
    return found
