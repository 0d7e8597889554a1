"""An overflow on purpose, to see how measurements take it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer
from tagwire.core.tags import TagBlock, TagType, concatenate, overflow_tags, pick
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands
from tagwire.engine.tagger import TimeTaggerBase, require_tagger


class OverflowInjector(IteratorBase):
    """Turns a span of the stream into an overflow, for everything created after this object.

    Parameters
    ----------
    tagger
        Time Tagger object.
    delay
        From the beginning of the capture to that of the overflow in ps, at least 0.
    length
        Length of the overflow in ps, at least 0.

    Notes
    -----
    Each capture, so each `start` after a `stop`, each `startFor` and each `clear`, injects one overflow. It ends early
    when the capture ends or this object goes.

    OverflowBegin and OverflowEnd stand before the tags of the same time. In between, each time tag of any channel,
    virtual ones that exist already included, becomes one missed event at its time, so that nothing is lost uncounted.
    Missed events and errors stay. Where the stream has an overflow of its own that touches this one, both become one.

    The overflow is none of the instrument: `getOverflows` does not count it.
    """

    def __init__(self, tagger: TimeTaggerBase, delay: int, length: int) -> None:
        require_tagger(tagger)
        self._delay = integer(delay, "delay", 0, DELAY_MAX)
        self._length = integer(length, "length", 0, DELAY_MAX)
        super().__init__(tagger, [], {"delay": self._delay, "length": self._length})
        self._overflow = InjectedOverflow()
        self._buffer = self._overflow
        self._launch()

    def _pass(self, block: Strands) -> Strands:
        with self._lock:
            begin = self._from + self._delay
            end = min(begin + self._length, self._until)
            injects = self._running and begin < self._until
            whole = block.whole()
            self._feed(whole)
            return Strands(self._overflow.inject(whole, begin, end) if injects else self._overflow.inject_none(whole))

    def _process(self, block: TagBlock) -> None:
        """What is captured is changed on its way, not kept."""


class InjectedOverflow(ReorderBuffer):
    """What of an injected overflow the stream has seen so far.

    It stands where a virtual channel has its `ReorderBuffer`, which outlives the iterator: so the overflow of an
    injector that has gone ends in the block after.
    """

    def __init__(self) -> None:
        super().__init__()
        self._own = False
        self._open = False

    def push(self, block: Strands, added: TagBlock | None, lookback: int) -> Strands:
        """The block as it goes on when there is no injector any more."""
        return Strands(self.inject_none(block.whole()))

    def inject_none(self, block: TagBlock) -> TagBlock:
        """The block, behind the end of the overflow if it is still open."""
        return self.inject(block, block.end, block.end)

    def inject(self, block: TagBlock, begin: int, end: int) -> TagBlock:
        """The block with its part of an overflow from `begin` to `end` ps; one that is open and not this one ends."""
        if begin >= block.end and not self._open:
            return self._watch(block)
        before, rest = block.split(begin)
        during, after = rest.split(end)
        parts = [self._leave(block.begin)] if self._open and block.begin < begin else []
        parts.append(self._watch(before))
        if not self._open and begin < block.end and (block.begin <= begin or block.begin < end):
            parts.append(self._enter(during.begin))
        parts.append(_swallow(self._watch(during)))
        if self._open and end < block.end:
            parts.append(self._leave(after.begin))
        parts.append(self._watch(after))
        return concatenate(block.begin, block.end, parts)

    def _enter(self, time: int) -> TagBlock:
        self._open = True
        return TagBlock.empty(time, time) if self._own else overflow_tags(time, TagType.OverflowBegin, time + 1)

    def _leave(self, time: int) -> TagBlock:
        self._open = False
        return TagBlock.empty(time, time) if self._own else overflow_tags(time, TagType.OverflowEnd, time + 1)

    def _watch(self, block: TagBlock) -> TagBlock:
        """The block; what it says about overflows of the stream itself is noted."""
        marks = np.flatnonzero(_is_mark(block))
        if len(marks):
            self._own = bool(block.type[marks[-1]] == TagType.OverflowBegin)
        return block


def _swallow(block: TagBlock) -> TagBlock:
    """Missed events in place of time tags, without the begins and ends of overflows."""
    kept = block if block.plain else pick(block, ~_is_mark(block))
    kind, missed = kept.types.copy(), kept.missed_events.copy()
    missed[kind == TagType.TimeTag] = 1
    kind[kind == TagType.TimeTag] = TagType.MissedEvents
    return TagBlock(block.begin, block.end, kept.time, kept.channel, kind, missed)


def _is_mark(block: TagBlock) -> NDArray[np.bool_]:
    return np.isin(block.type, (TagType.OverflowBegin, TagType.OverflowEnd))
