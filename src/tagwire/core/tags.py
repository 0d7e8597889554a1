"""Blocks of time tags: columns, and the span of time they account for.

A block says "between `begin` and `end` this is all that happened", so an empty block is information too. Every stage
of the stream takes blocks and gives blocks, and no result may depend on where the cuts lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED

Int64Array = NDArray[np.int64]
Int32Array = NDArray[np.int32]
UInt64Array = NDArray[np.uint64]
UInt16Array = NDArray[np.uint16]
UInt8Array = NDArray[np.uint8]

NO_TYPES: UInt8Array = np.empty(0, np.uint8)
NO_MISSED: UInt16Array = np.empty(0, np.uint16)
NO_TIMES: Int64Array = np.empty(0, np.int64)
NO_CHANNELS: Int32Array = np.empty(0, np.int32)

TIME_MIN = -(2**63)
TIME_MAX = 2**63 - 1


class TagType(IntEnum):
    """What a tag reports."""

    TimeTag = 0
    Error = 1
    OverflowBegin = 2
    OverflowEnd = 3
    MissedEvents = 4


TAG_DTYPE = np.dtype(
    {
        "names": ["type", "missed_events", "channel", "time"],
        "formats": ["u1", "<u2", "<i4", "<i8"],
        "offsets": [0, 2, 4, 8],
        "itemsize": 16,
    },
    align=True,
)
"""The 16-byte record in which custom measurements see a tag."""


@dataclass(frozen=True, slots=True, eq=False)
class TagBlock:
    """All tags of the span ``[begin, end)``, in order of time.

    Parameters
    ----------
    begin, end
        Span in ps; ``begin <= time < end`` for every tag.
    time
        Time stamps in ps, int64, non-decreasing.
    channel
        Channel numbers, int32. Overflow and error tags carry `CHANNEL_UNUSED`.
    type
        `TagType` of each tag as uint8; empty when every tag is a plain time tag, which is the common, fast case.
    missed
        Number of lost events of each ``MissedEvents`` tag as uint16, zero for other tags; empty exactly when `type` is.
    """

    begin: int
    end: int
    time: Int64Array
    channel: Int32Array
    type: UInt8Array = field(default_factory=lambda: NO_TYPES)
    missed: UInt16Array = field(default_factory=lambda: NO_MISSED)

    @classmethod
    def empty(cls, begin: int, end: int) -> TagBlock:
        """Silence from `begin` to `end`."""
        return cls(begin, end, NO_TIMES, NO_CHANNELS)

    def __len__(self) -> int:
        return len(self.time)

    @property
    def plain(self) -> bool:
        """Whether there are only time tags: no overflow, error or missed events."""
        return len(self.type) == 0

    @property
    def types(self) -> UInt8Array:
        """Type of every tag, written out."""
        return np.zeros(len(self.time), np.uint8) if self.plain else self.type

    @property
    def missed_events(self) -> UInt16Array:
        """Missed events of every tag, written out."""
        return np.zeros(len(self.time), np.uint16) if self.plain else self.missed

    def take(self, begin: int, end: int) -> TagBlock:
        """The part of the block within ``[begin, end)``, without copying; the span is clipped to this block's."""
        begin, end = max(begin, self.begin), min(end, self.end)
        if begin == self.begin and end == self.end:
            return self
        low, high = np.searchsorted(self.time, (begin, max(begin, end)))
        part = slice(int(low), int(high))
        return TagBlock(begin, max(begin, end), self.time[part], self.channel[part], self.type[part], self.missed[part])

    def split(self, at: int) -> tuple[TagBlock, TagBlock]:
        """The parts before and from time `at` on; `at` may lie outside the span."""
        at = min(max(at, self.begin), self.end)
        return self.take(self.begin, at), self.take(at, self.end)

    def records(self) -> NDArray[np.void]:
        """A copy as an array of 16-byte `TAG_DTYPE` records."""
        rows = np.zeros(len(self.time), TAG_DTYPE)
        rows["time"], rows["channel"] = self.time, self.channel
        if not self.plain:
            rows["type"], rows["missed_events"] = self.type, self.missed
        return rows


def join(blocks: list[TagBlock]) -> TagBlock:
    """One block from blocks that follow each other without a gap.

    Raises
    ------
    ValueError
        There is no block, or a gap between two of them.
    """
    if not blocks:
        raise ValueError("there is no block to join")
    for left, right in pairwise(blocks):
        if left.end != right.begin:
            raise ValueError(f"a block ends at {left.end} ps and the next begins at {right.begin} ps")
    if len(blocks) == 1:
        return blocks[0]
    return concatenate(blocks[0].begin, blocks[-1].end, blocks)


def parts(block: TagBlock, size: int) -> Iterator[TagBlock]:
    """The block in parts of at most about `size` tags; tags of equal time stay together."""
    while len(block) > size:
        cut = int(block.time[size])
        first, block = block.split(cut if cut > block.time[0] else cut + 1)
        yield first
    yield block


def concatenate(begin: int, end: int, blocks: list[TagBlock]) -> TagBlock:
    """The tags of `blocks` one after the other, as a block of the given span; order is the caller's business."""
    plain = all(b.plain for b in blocks)
    return TagBlock(
        begin,
        end,
        np.concatenate([b.time for b in blocks]) if blocks else NO_TIMES,
        np.concatenate([b.channel for b in blocks]) if blocks else NO_CHANNELS,
        NO_TYPES if plain else np.concatenate([b.types for b in blocks]),
        NO_MISSED if plain else np.concatenate([b.missed_events for b in blocks]),
    )


def merge(begin: int, end: int, blocks: list[TagBlock]) -> TagBlock:
    """The tags of several blocks in order of time, as a block of the given span.

    Tags of equal time keep the order of `blocks`, and within a block their own.
    """
    filled = [b for b in blocks if len(b)]
    if len(filled) <= 1:
        only = filled[0] if filled else TagBlock.empty(begin, end)
        return retime(only, begin, end)
    return in_order(concatenate(begin, end, filled))


def in_order(block: TagBlock) -> TagBlock:
    """The same tags in order of time; tags of equal time keep theirs."""
    if np.any(block.time[1:] < block.time[:-1]):
        return reorder(block, np.argsort(block.time, kind="stable"))
    return block


def reorder(block: TagBlock, order: NDArray[np.intp]) -> TagBlock:
    """The same span with the tags picked by `order`."""
    types, missed = (NO_TYPES, NO_MISSED) if block.plain else (block.type[order], block.missed[order])
    return TagBlock(block.begin, block.end, block.time[order], block.channel[order], types, missed)


def retime(block: TagBlock, begin: int, end: int) -> TagBlock:
    """The same tags as a block of another span; that they lie in it is the caller's business."""
    return TagBlock(begin, end, block.time, block.channel, block.type, block.missed)


def shift(block: TagBlock, by: int) -> TagBlock:
    """The block `by` ps later."""
    if by == 0:
        return block
    return TagBlock(block.begin + by, block.end + by, block.time + by, block.channel, block.type, block.missed)


def pick(block: TagBlock, mask: NDArray[np.bool_]) -> TagBlock:
    """The same span with the tags where `mask` holds."""
    return reorder(block, np.flatnonzero(mask))


def overflow_tags(time: int, kind: TagType, end: int) -> TagBlock:
    """A block of one overflow or error tag at `time`, spanning ``[time, end)``."""
    return TagBlock(
        time,
        end,
        np.array([time], np.int64),
        np.array([CHANNEL_UNUSED], np.int32),
        np.array([kind], np.uint8),
        np.zeros(1, np.uint16),
    )
