"""Base of what happens to the events of one channel on their way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import boolean
from tagwire.core.tags import TagBlock, TagType, join, pick, reorder
from tagwire.engine.strands import Strands
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase


class Transform(VirtualChannelBase):
    """Base of transformations of one channel, in place or as a copy.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to transform.
    params
        Parameters as `getConfiguration` reports them.
    copy
        Leave the channel as it is and put the result on a new one.
    others
        Further channels that are read.

    Notes
    -----
    Without `copy` the channel itself is changed, for everything created afterwards; measurements that exist already see
    it as it was. Changed tags come behind others of the same time. While it does not run, a transformation in place
    changes nothing.

    A subclass implements ``_transformed(block, places)``: the events of the input at `places` of the block as they are
    afterwards, in order of time, on the channel of the input. Missed events belong to them; tags of other types stay.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        params: dict[str, Any],
        copy: bool,
        others: tuple[int, ...] = (),
    ) -> None:
        number = require_tagger(tagger)._channel(input_channel, "input_channel")
        self._copy = boolean(copy, "copy")
        inputs = {"input_channel": number}
        super().__init__(tagger, (number, *others), inputs | params | {"copy": self._copy}, int(self._copy))
        self._input = number
        self._rest: TagBlock | None = None

    def getChannel(self) -> int:
        """Number of the channel that carries the result: the input itself, or the copy."""
        return self._outputs[0] if self._copy else self._input

    def _pass(self, block: Strands) -> Strands:
        with self._lock:
            self._added = self._rest = None
            assert self._buffer is not None
            if self._copy:
                self._feed(self._view(block))
                return self._buffer.push(block, self._added, self._lookback)
            whole = block.whole()
            self._feed(whole)
            return self._buffer.push(Strands(self._remaining(whole)), self._added, self._lookback)

    def _remaining(self, block: TagBlock) -> TagBlock:
        """The block without the events that are changed in place."""
        rest = self._rest
        if rest is None:
            return block
        return join([block.take(block.begin, rest.begin), rest, block.take(rest.end, block.end)])

    def _generate(self, block: TagBlock) -> TagBlock | None:
        chosen = block.channel == self._input
        self._rest = pick(block, ~chosen)
        changed = self._transformed(block, np.flatnonzero(chosen))
        numbers = np.full(len(changed), self.getChannel(), np.int32)
        return TagBlock(changed.begin, changed.end, changed.time, numbers, changed.type, changed.missed)

    def _transformed(self, block: TagBlock, places: NDArray[np.intp]) -> TagBlock:
        raise NotImplementedError(type(self).__name__)


def moved(block: TagBlock, places: NDArray[np.intp], shift: NDArray[np.int64]) -> TagBlock:
    """The tags at `places`, each later by its `shift` in ps, in order of time."""
    events = reorder(block, places)
    shifted = TagBlock(events.begin, events.end, events.time + shift, events.channel, events.type, events.missed)
    return reorder(shifted, np.argsort(shifted.time, kind="stable"))


def lost(block: TagBlock, places: NDArray[np.intp]) -> NDArray[np.uint16]:
    """Number of missed events that each of the tags at `places` stands for; 0 for an event itself."""
    if block.plain:
        return np.zeros(len(places), np.uint16)
    kinds = block.type[places]
    return np.where(kinds == TagType.MissedEvents, block.missed[places], 0).astype(np.uint16)
