"""From one stream of a server to another one with other channels, without a tag lost or doubled.

The new stream begins at a time T0 and the old one is played up to the end of its frame that reaches T0. Where that end
lies behind T0, the old stream has told everything about its own channels up to there, be it tags or that they were
missed; so only the channels that are new are taken from the new stream before it.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, merge, pick


class Handover:
    """Joins the last block of an old stream with what a new one has in its span.

    Parameters
    ----------
    last
        The block of the old stream in which the new one begins.
    told
        Channels of the old stream.
    """

    def __init__(self, last: TagBlock, told: Collection[int]) -> None:
        self._last = last
        self._told = np.array([*told, CHANNEL_UNUSED], np.int32)
        self._early: list[TagBlock] = []

    def push(self, block: TagBlock) -> list[TagBlock]:
        """Take the next block of the new stream.

        Returns
        -------
        list of TagBlock
            Nothing until the new stream has reached the end of the old one; then all up to its present end.
        """
        before, after = block.split(self._last.end)
        self._early.append(pick(before, ~np.isin(before.channel, self._told)))
        if block.end < self._last.end:
            return []
        joined = merge(self._last.begin, self._last.end, [self._last, *self._early])
        return [joined, after] if after.begin < after.end else [joined]
