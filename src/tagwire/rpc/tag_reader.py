"""The tags of a tagger at the server, read piece by piece through a TimeTagStream there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType, concatenate
from tagwire.rpc.remote import RemoteObject

STREAM = "TimeTagStream"
"""The API's class that hands out tags in buffers."""


@dataclass(frozen=True)
class Piece:
    """What a stream has collected since the last look.

    Attributes
    ----------
    block
        The tags, from `begun` on or from the end of the piece before, up to when they were taken; in ps.
    begun
        Stream time at which the stream was created or cleared.
    captured
        Stream time that it has captured since then.
    running
        Whether it collects more.
    """

    block: TagBlock
    begun: int
    captured: int
    running: bool


class TagReader:
    """A TimeTagStream at the server.

    Parameters
    ----------
    stream
        The class at the server.
    tagger, channels
        Whose tags to collect.
    limit
        Most tags kept at the server between two reads.
    """

    def __init__(self, stream: type[Any], tagger: object, channels: Sequence[int], limit: int) -> None:
        self.remote: RemoteObject = stream(tagger, limit, list(channels))
        self._stream: Any = self.remote
        self._limit = limit

    @property
    def many(self) -> int:
        """Number of tags in a piece after which the next one should not wait."""
        return self._limit // 8

    def start(self) -> None:
        """Begin to collect, from now on; what was collected before is dropped."""
        self._stream.start()
        self._stream.clear()  # in this order: now the begin is the time of this call, whether it ran or not

    def stop(self) -> None:
        """Collect nothing more."""
        self._stream.stop()

    def close(self) -> None:
        """Give the stream back."""
        self._stream.__exit__(None, None, None)

    def read(self) -> Piece:
        """Take what there is."""
        running = bool(self._stream.isRunning())
        with self._stream.getData() as buffer:
            begun, taken = int(buffer.tStart), int(buffer.tGetData)
            columns = (buffer.getTimestamps(), buffer.getChannels(), buffer.getEventTypes(), buffer.getMissedEvents())
        captured = int(self._stream.getCaptureDuration())
        end = taken if running else begun + captured
        block = TagBlock(begun, max(begun, end), *columns)
        return Piece(marked(block) if len(block) >= self._limit else block, begun, captured, running)


def marked(block: TagBlock) -> TagBlock:
    """The tags of a full buffer, with an overflow behind them: what came later was dropped, nobody knows how much."""
    last = int(block.time[-1])
    times = np.array([last, max(last, block.end - 1)], np.int64)
    kinds = np.array([TagType.OverflowBegin, TagType.OverflowEnd], np.uint8)
    lost = TagBlock(block.begin, block.end, times, np.full(2, CHANNEL_UNUSED, np.int32), kinds, np.zeros(2, np.uint16))
    return concatenate(block.begin, block.end, [block, lost])
