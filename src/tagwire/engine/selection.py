"""The tags of some channels, and how many there are of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock, TagType, reorder
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)

FEW = 16
"""Channels for which it is faster to compare each tag with each of them than to look up its place."""

CHUNK = 4096
"""Tags that stay in the processor's cache meanwhile."""


def select(block: TagBlock, index: ChannelIndex) -> TagBlock:
    """The same span with the time tags and missed events of some channels, and all overflow and error tags."""
    if block.plain and _all_within(block.channel, index):
        return block
    places = np.empty(len(block), np.intp)
    count = _select(block.channel, block.type, index.table, index.first, places)
    return block if count == len(block) else reorder(block, places[:count])


def _all_within(channel: NDArray[np.int32], index: ChannelIndex) -> bool:
    """Whether two comparisons tell that all are wanted, as in the common case of neighbouring channels."""
    if not len(channel) or not len(index) or index.table.min() < 0:
        return False
    last = index.first + len(index.table) - 1
    return bool(index.first <= channel.min() and channel.max() <= last)


def count_events(block: TagBlock, index: ChannelIndex) -> NDArray[np.int64]:
    """Events of each channel of `index` in a block, missed ones included."""
    counts = np.zeros(len(index), np.int64)
    if block.plain and len(index) <= FEW:
        _count_each(block.channel, np.array(index.channels, np.int32), counts)
    else:
        _count(block.channel, block.type, block.missed, index.table, index.first, counts)
    return counts


@kernel
def _select(
    channel: NDArray[np.int32], kind: NDArray[np.uint8], table: NDArray[np.int16], first: int, places: NDArray[np.intp]
) -> int:
    """Fill `places` with those of the wanted tags; gives their number."""
    plain = len(kind) == 0
    count = 0
    for i in range(len(channel)):
        k = channel[i] - first
        wanted = False
        if 0 <= k < len(table):
            wanted = table[k] >= 0
        if not plain and kind[i] != TIME_TAG and kind[i] != MISSED_EVENTS:
            wanted = True
        # Which tags are wanted is chance, so writing always beats branching.
        places[count] = i
        count += int(wanted)
    return count


@kernel
def _count_each(channel: NDArray[np.int32], names: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    for begin in range(0, len(channel), CHUNK):
        part = channel[begin : begin + CHUNK]
        for place in range(len(names)):
            count, name = np.int32(0), names[place]
            for i in range(np.uint64(len(part))):
                count += np.int32(part[i] == name)
            counts[place] += count


@kernel
def _count(
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    table: NDArray[np.int16],
    first: int,
    counts: NDArray[np.int64],
) -> None:
    plain = len(kind) == 0
    for i in range(len(channel)):
        k = channel[i] - first
        if 0 <= k < len(table) and table[k] >= 0:
            if plain or kind[i] == TIME_TAG:
                counts[table[k]] += 1
            elif kind[i] == MISSED_EVENTS:
                counts[table[k]] += missed[i]
