"""A queue of blocks that never grows beyond a limit: what does not fit is counted and becomes an overflow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from tagwire.core.channels import ChannelIndex
from tagwire.core.overflows import gap, in_overflow
from tagwire.core.tags import TagBlock
from tagwire.engine.selection import count_events

Action = Callable[[], None]

BLOCK_BYTES = 256
"""What a block takes besides its tags."""


class Loss:
    """Blocks that were dropped, one after the other, as the overflow that stands for them.

    Parameters
    ----------
    begin
        Begin of the first one in ps.
    index
        Channels to count.
    within
        Whether they come within an overflow of the stream.
    """

    def __init__(self, begin: int, index: ChannelIndex, within: bool) -> None:
        self._index = index
        self._begin = self._end = begin
        self._opens, self._closes = not within, not within
        self._counts = np.zeros(len(index), np.int64)

    def add(self, block: TagBlock) -> None:
        """Drop a block."""
        self._end = block.end
        self._counts += count_events(block, self._index)
        self._closes = not in_overflow(block, not self._closes)

    @property
    def events(self) -> int:
        """Events dropped."""
        return int(self._counts.sum())

    def block(self) -> TagBlock:
        """``OverflowBegin`` at the begin, ``MissedEvents`` of each channel, ``OverflowEnd`` at the last ps.

        An overflow of the stream that began before goes on, and one that goes on afterwards is not ended.
        """
        return gap(self._begin, self._end, self._index.channels, self._counts, self._opens, self._closes)


class Backlog:
    """Blocks and actions on their way to another thread, in order.

    Parameters
    ----------
    index
        Channels that are counted when they are lost.
    limit
        Bytes of tags that may wait. When they are exceeded, blocks are dropped until half of it is free.
    """

    def __init__(self, index: ChannelIndex, limit: int) -> None:
        self.lost = 0
        self._index = index
        self._limit = limit
        self._items: deque[tuple[TagBlock | Action, int]] = deque()
        self._bytes = 0
        self._within = False
        self._loss: Loss | None = None
        self._ready = threading.Condition()

    def put(self, block: TagBlock) -> None:
        """Append a block, or count it as lost; never waits."""
        with self._ready:
            size = block_bytes(block)
            if self._loss is not None and self._bytes <= self._limit // 2:
                self._end_loss()
            if self._loss is None and self._bytes + size > self._limit and self._items:
                self._loss = Loss(block.begin, self._index, self._within)
            if self._loss is not None:
                self._loss.add(block)
            else:
                self._append(block, size)
            self._within = in_overflow(block, self._within)

    def has_room(self, timeout: float) -> bool:
        """Whether a block will not be lost; waits for that at most `timeout` s."""
        with self._ready:
            return self._ready.wait_for(lambda: self._bytes <= self._limit // 2, timeout)

    def act(self, action: Action) -> None:
        """Append an action."""
        with self._ready:
            self._end_loss()
            self._append(action, 0)

    def get(self, timeout: float) -> TagBlock | Action | None:
        """The next item, or `None` when there is none within `timeout` s."""
        with self._ready:
            if not self._ready.wait_for(lambda: self._items, timeout):
                return None
            item, size = self._items.popleft()
            self._bytes -= size
            self._ready.notify_all()
            return item

    def _end_loss(self) -> None:
        """Append what stands for the blocks that were dropped."""
        if self._loss is not None:
            self.lost += self._loss.events
            block, self._loss = self._loss.block(), None
            self._append(block, block_bytes(block))

    def _append(self, item: TagBlock | Action, size: int) -> None:
        self._items.append((item, size))
        self._bytes += size
        self._ready.notify_all()


def block_bytes(block: TagBlock) -> int:
    """Memory that a block takes."""
    columns = (block.time, block.channel, block.type, block.missed)
    return BLOCK_BYTES + sum(column.nbytes for column in columns)
