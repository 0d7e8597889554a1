"""From one stream of a server to another one with other channels, without a tag lost or doubled.

The new stream begins at a time T0 and the old one is played up to the end of its frame that reaches T0. Where that end
lies behind T0, the old stream has told everything about its own channels up to there, be it tags or that they were
missed; so only the channels that are new are taken from the new stream before it. There is an overflow wherever one of
the two has one.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tagwire.core.overflows import numbered, united
from tagwire.core.tags import TagBlock, TagType, concatenate, merge, pick


class Handover:
    """Joins the last block of an old stream with what a new one has in its span.

    Parameters
    ----------
    last
        The block of the old stream in which the new one begins.
    told
        Channels of the old stream.
    within
        Whether the old stream is within an overflow after that block.
    """

    def __init__(self, last: TagBlock, told: Collection[int], within: bool) -> None:
        self._last, self._within = last, within
        self._told = np.array(told, np.int32)
        self._early: list[TagBlock] = []

    def push(self, block: TagBlock) -> list[TagBlock]:
        """Take the next block of the new stream.

        Returns
        -------
        list of TagBlock
            Nothing until the new stream has reached the end of the old one; then all up to its present end.
        """
        before, after = block.split(self._last.end)
        self._early.append(before)
        if block.end < self._last.end:
            return []
        joined = self._joined(concatenate(self._last.begin, self._last.end, self._early))
        return [joined, after] if after.begin < after.end else [joined]

    def _joined(self, early: TagBlock) -> TagBlock:
        added = pick(early, ~np.isin(early.channel, self._told) & (early.types != TagType.Error))
        both = merge(self._last.begin, self._last.end, [numbered(self._last, 0), numbered(added, 1)])
        return united(both, {0} if _before(self._last, self._within) else set())


def _before(block: TagBlock, after: bool) -> bool:
    """Whether a stream is within an overflow before `block`."""
    ends = np.flatnonzero((block.type == TagType.OverflowBegin) | (block.type == TagType.OverflowEnd))
    return bool(block.type[ends[0]] == TagType.OverflowEnd) if len(ends) else after
