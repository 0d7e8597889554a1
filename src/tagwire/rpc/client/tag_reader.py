"""The tags of a tagger at the server, read piece by piece through a TimeTagStream there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType, concatenate
from tagwire.rpc.client.remote import RemoteObject

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
        """Take what there is.

        Of a stream that has stopped it is all. What is taken while somebody else starts or stops it may fall into two
        parts, so it is looked at until nothing changes any more.
        """
        piece, settled = self._look()
        while not settled:
            more, settled = self._look()
            settled |= not more.running and (more.begun, more.captured) == (piece.begun, piece.captured)
            piece = _joined(piece, more)
        return piece

    def _look(self) -> tuple[Piece, bool]:
        """What there is at this moment, and whether the stream ran all the time."""
        before, begun, taken, captured, after, *columns = self.remote._tagwire_link.request(
            "tags", self.remote._tagwire_handle.id
        )
        running = bool(before and after)
        block = TagBlock(begun, max(begun, taken if running else begun + captured), *columns)
        if len(block) >= self._limit:
            block = _marked(block)
        return Piece(block, begun, captured, running), running


def _joined(first: Piece, second: Piece) -> Piece:
    """Two pieces taken one after the other; what was there before the stream was cleared has gone."""
    if first.begun != second.begun:
        return second
    block = concatenate(second.begun, second.block.end, [first.block, second.block])
    return Piece(block, second.begun, second.captured, second.running)


def interrupted(block: TagBlock, at: int) -> TagBlock:
    """The tags of a block behind an overflow that began at `at`: some that came before them may have been lost."""
    first = int(block.time[0]) if len(block) else block.end - 1
    return concatenate(block.begin, block.end, [_overflow(block, at, max(at, first)), block])


def _marked(block: TagBlock) -> TagBlock:
    """The tags of a full buffer, with an overflow behind them: what came later was dropped, nobody knows how much."""
    last = int(block.time[-1])
    return concatenate(block.begin, block.end, [block, _overflow(block, last, max(last, block.end - 1))])


def _overflow(block: TagBlock, begin: int, end: int) -> TagBlock:
    times, kinds = np.array([begin, end], np.int64), np.array([TagType.OverflowBegin, TagType.OverflowEnd], np.uint8)
    return TagBlock(block.begin, block.end, times, np.full(2, CHANNEL_UNUSED, np.int32), kinds, np.zeros(2, np.uint16))
