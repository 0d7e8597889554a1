"""The memory of an instrument: tags that nobody fetches in time are lost there, and counted."""

from __future__ import annotations

import logging

import numpy as np

from tagwire.core.channels import ChannelIndex
from tagwire.core.overflows import gap, in_overflow
from tagwire.core.tags import TagBlock, TagType, merge, pick
from tagwire.engine.selection import count_events

logger = logging.getLogger(__name__)

PATIENCE = 10 * 10**12
"""Lag in ps that never overflows the buffer, for a kernel that is compiled on first use takes seconds."""


class HardwareBuffer:
    """Decides when a stream overflows whose readers are too slow, and replaces lost tags by their number.

    Parameters
    ----------
    size
        Tags that may wait.

    Attributes
    ----------
    size
        May be changed at any time.
    losing
        Whether tags are lost at present.

    Notes
    -----
    The readers lag by as much as they took longer for the blocks so far than these last; what the source takes to make
    them is not their fault. The tags that wait are those of the lag; their number is told from the rate in the next
    block. When that is more than `size`, and the lag longer than `PATIENCE`, the buffer overflows, and tags are lost
    until the lag is made up for.

    Overflows of the stream itself and those of the buffer are united. Error tags are not lost, and come at their times.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.losing = False
        self._lag = 0
        self._within = False  # an overflow of the stream itself

    def read(self, block: TagBlock) -> TagBlock:
        """The next block as it comes out of the buffer."""
        span, within = block.end - block.begin, self._within
        self._within = in_overflow(block, within)
        full = self._lag > PATIENCE and self._lag * len(block) > self.size * span
        if span == 0 or not (self.losing or full):
            return block
        opens, self.losing = not self.losing, self._lag > span
        if opens:
            rate = len(block) / span * 1e6
            logger.warning("the computer does not keep up with %.3g million tags/s; tags are lost and counted", rate)
        return _lost(block, opens and not within, not self.losing and not self._within)

    def free(self, taken: int, span: int) -> None:
        """The readers are done with a block of `span` ps, which took them `taken` ps."""
        self._lag = max(0, self._lag + taken - span)


def _lost(block: TagBlock, opens: bool, closes: bool) -> TagBlock:
    """The number of events of each channel in place of the block, and its error tags."""
    events = (block.types == TagType.TimeTag) | (block.types == TagType.MissedEvents)
    channels = np.unique(block.channel[events]).tolist()
    counts = count_events(block, ChannelIndex(channels))
    lost = gap(block.begin, block.end, channels, counts, opens, closes)
    errors = pick(block, block.types == TagType.Error)
    if not len(errors):
        return lost
    rest, place = len(lost) - closes, np.arange(len(lost))
    return merge(block.begin, block.end, [pick(lost, place < rest), errors, pick(lost, place >= rest)])
