"""From one stream of a server to another one with other channels, without a tag lost or doubled.

The new stream begins at a time T0 and the old one is played up to the end of its frame that reaches T0. Where that end
lies behind T0, the old stream has told everything about its own channels up to there, be it tags or that they were
missed; so only the channels that are new are taken from the new stream before it, as far back as that frame goes. There
is an overflow wherever one of the two has one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tagwire.core.channels import ChannelIndex
from tagwire.core.overflows import gap, numbered, united
from tagwire.core.tags import TagBlock, TagType, concatenate, merge, pick
from tagwire.engine.selection import count_events


class Handover:
    """Joins the last block of an old stream with what a new one has in its span.

    Parameters
    ----------
    last
        The block of the old stream in which the new one begins.
    at
        Where that is, in ps.
    told
        Channels of the old stream.
    within
        Whether the old stream is within an overflow after that block.
    """

    def __init__(self, last: TagBlock, at: int, told: Sequence[int], within: bool) -> None:
        self._last, self._at, self._within = last, at, within
        self._told = ChannelIndex(told)
        self._early: list[TagBlock] = []

    def push(self, block: TagBlock) -> list[TagBlock]:
        """Take the next block of the new stream.

        Returns
        -------
        list of TagBlock
            Nothing until the new stream has reached the end of the old one; then all up to its present end.
        """
        before, after = block.split(self._last.end)
        # A new stream that begins further back tells of a time that has been given already.
        self._early.append(before.take(self._last.begin, self._last.end))
        if block.end < self._last.end:
            return []
        joined = self._joined(concatenate(self._last.begin, self._last.end, self._early))
        return [joined, after] if after.begin < after.end else [joined]

    def _joined(self, early: TagBlock) -> TagBlock:
        added = pick(early, ~np.isin(early.channel, self._told.channels) & (early.types != TagType.Error))
        last = numbered(self._last, 0)
        both = merge(last.begin, last.end, [last, numbered(added, 1), self._missed_later(early)])
        return united(both, {0} if _before(self._last, self._within) else set())

    def _missed_later(self, early: TagBlock) -> TagBlock:
        """What a gap of the new stream that begins here and goes on behind tells of the old channels.

        It reports at its begin all that is missed. So much of that as the old stream has not told lies behind.
        """
        end = self._last.end
        later = count_events(early, self._told) - count_events(self._last.take(self._at, end), self._told)
        if not np.any(later > 0):
            return TagBlock.empty(end, end)
        return gap(end - 1, end, self._told.channels, np.maximum(later, 0), opens=False, closes=False)


def is_gap(block: TagBlock, at: int) -> bool:
    """Whether a time lies within a gap, so that it is not known which of the missed events come behind it."""
    return block.begin < at < block.end and len(block) > 0 and not np.any(block.types == TagType.TimeTag)


def _before(block: TagBlock, after: bool) -> bool:
    """Whether a stream is within an overflow before `block`."""
    ends = np.flatnonzero((block.type == TagType.OverflowBegin) | (block.type == TagType.OverflowEnd))
    return bool(block.type[ends[0]] == TagType.OverflowEnd) if len(ends) else after
