"""One channel with the events of several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arrays import Int64Array1D
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.virtual.routes import Routes


class Combiner(VirtualChannelBase):
    """A channel that has every event of several channels.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels to combine; one named twice still gives each of its events once.

    Notes
    -----
    Time tags are handed on, and missed events as well, so that counting the combined channel stays right through
    overflows. Simultaneous events of two channels give two tags. Other tag types change nothing.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int]) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        super().__init__(tagger, numbers, {"channels": numbers}, 1)
        self._routes = Routes(self._inputs, self._outputs * len(self._inputs))
        self._rows = np.array([self._inputs.index(c) for c in numbers])
        self._counts: NDArray[np.int64] = np.zeros(len(self._inputs), np.int64)
        self._launch()

    def getChannel(self) -> int:
        """Number of the combined channel."""
        return self._outputs[0]

    def getChannelCounts(self) -> Int64Array1D:
        """Events handed on from each channel since creation or `clear`, missed ones included, int64."""
        with self._lock:
            return np.take(self._counts, self._rows)

    def getData(self) -> Int64Array1D:
        """The same as `getChannelCounts`, under its older name."""
        return self.getChannelCounts()

    def _reset(self) -> None:
        self._counts[:] = 0

    def _generate(self, block: TagBlock) -> TagBlock | None:
        places = self._routes.find(block)
        combined = self._routes.relay(block, places)
        self._count(block.channel[places], combined)
        return combined

    def _count(self, inputs: NDArray[np.int32], combined: TagBlock) -> None:
        rows = self._routes.index.table[inputs - self._routes.index.first]
        if combined.plain:
            self._counts += np.bincount(rows, minlength=len(self._counts))
        else:
            missed = combined.type == TagType.MissedEvents
            np.add.at(self._counts, rows, np.where(missed, combined.missed, 1).astype(np.int64))
