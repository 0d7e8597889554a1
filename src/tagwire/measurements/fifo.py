"""The times of one channel, handed out one by one."""

from __future__ import annotations

from collections import deque
from typing import Any

from tagwire.core.arguments import VALUES_MAX
from tagwire.core.tags import Int64Array, TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import StateError


class Iterator(IteratorBase):
    """A queue of the times of a channel; superseded by `TimeTagStream`, which hands out many tags at once.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channel
        Channel whose times are queued.

    Notes
    -----
    Time tags are queued, whatever happens around them; overflow, error and missed-events tags are not. The queue holds
    up to 2**27 times (1 GiB); those that come while it is full are dropped, and counted as ``dropped`` in
    `getConfiguration`. `stop` and `start` keep the queue, `clear` empties it.
    """

    _parts: deque[Int64Array]
    _place: int
    _size: int
    _dropped: int

    def __init__(self, tagger: TimeTaggerBase, channel: int) -> None:
        number = require_tagger(tagger)._channel(channel, "channel")
        super().__init__(tagger, [number], {"channel": number})
        self._channel = number
        self._launch()

    def next(self) -> int:
        """Take the oldest time out of the queue, in ps.

        Raises
        ------
        StateError
            (RuntimeError) The queue is empty; ask `size` before.
        """
        with self._lock:
            if not self._size:
                raise StateError(f"the queue of channel {self._channel} is empty")
            time = int(self._parts[0][self._place])
            self._size -= 1
            self._place += 1
            if self._place == len(self._parts[0]):
                self._parts.popleft()
                self._place = 0
            return time

    def size(self) -> int:
        """Number of times in the queue."""
        with self._lock:
            return self._size

    def getConfiguration(self) -> dict[str, Any]:
        """Name, parameters, channels, and the number of times ``dropped``, as values that JSON can hold."""
        with self._lock:
            return super().getConfiguration() | {"dropped": self._dropped}

    def _process(self, block: TagBlock) -> None:
        mine = block.channel == self._channel
        if not block.plain:
            mine &= block.type == TagType.TimeTag
        times = block.time[mine]
        room = VALUES_MAX - self._size
        self._dropped += max(0, len(times) - room)
        if kept := min(len(times), room):
            self._parts.append(times[:kept])
            self._size += kept

    def _reset(self) -> None:
        self._parts, self._place, self._size, self._dropped = deque(), 0, 0, 0
