"""A source of tags that are already in memory."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tagwire.core.tags import TagBlock


class MemorySource:
    """Plays one block.

    Parameters
    ----------
    block
        All tags there will be.
    channels
        Channels that exist; those of the block by default.
    chunk
        Largest number of tags in one block (tags of equal time stay together).
    """

    def __init__(self, block: TagBlock, channels: Collection[int] | None = None, chunk: int = 262_144) -> None:
        self._block = block
        self._chunk = chunk
        present = block.channel if block.plain else block.channel[block.type == 0]
        self.channels = tuple(channels if channels is not None else (int(c) for c in np.unique(present)))
        self.position = block.begin

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next `span` ps, or less where the block would have more than `chunk` tags."""
        if self.position >= self._block.end:
            return None
        part = self._block.take(self.position, self.position + span)
        if len(part) > self._chunk:
            cut = int(part.time[self._chunk])
            part = part.take(part.begin, cut if cut > part.time[0] else cut + 1)
        self.position = part.end
        return part

    def close(self) -> None:
        """Nothing is held open."""
