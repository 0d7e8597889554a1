"""Loss as the stream tells it: an overflow begins, so many events of each channel are missing, it ends.

The overflow ranges of several streams become those of one, which is in an overflow wherever any of them is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType, pick

MOST_MISSED = 65_535
"""Events that one tag of missed events can stand for."""


def gap(
    begin: int,
    end: int,
    channels: Sequence[int],
    counts: NDArray[np.int64],
    opens: bool = True,
    closes: bool = True,
) -> TagBlock:
    """A span in which everything is lost.

    ``OverflowBegin`` and ``MissedEvents`` stand at its begin, ``OverflowEnd`` in its last ps.

    Parameters
    ----------
    begin, end
        The span in ps, at least 1 ps long.
    channels, counts
        How many events are missing on each channel; the ``MissedEvents`` come in this order.
    opens
        Whether there is an ``OverflowBegin``: not when the stream is within an overflow already.
    closes
        Whether there is an ``OverflowEnd``: not when an overflow of the stream goes on behind the span.
    """
    tags = -(-counts // MOST_MISSED)
    last = np.cumsum(tags)[tags > 0] - 1
    missed = np.full(int(tags.sum()), MOST_MISSED, np.int64)
    missed[last] -= (tags * MOST_MISSED - counts)[tags > 0]
    names = np.repeat(np.array(channels, np.int32), tags)
    kinds = np.full(len(missed), TagType.MissedEvents)
    time = np.full(len(missed) + opens + closes, begin, np.int64)
    time[len(time) - closes :] = end - 1
    return TagBlock(
        begin,
        end,
        time,
        _between(CHANNEL_UNUSED, names, CHANNEL_UNUSED, opens, closes).astype(np.int32),
        _between(TagType.OverflowBegin, kinds, TagType.OverflowEnd, opens, closes).astype(np.uint8),
        _between(0, missed, 0, opens, closes).astype(np.uint16),
    )


def in_overflow(block: TagBlock, before: bool) -> bool:
    """Whether the stream is within an overflow after `block`."""
    if block.plain:
        return before
    ends = np.flatnonzero((block.type == TagType.OverflowBegin) | (block.type == TagType.OverflowEnd))
    return bool(block.type[ends[-1]] == TagType.OverflowBegin) if len(ends) else before


def numbered(block: TagBlock, number: int) -> TagBlock:
    """The block with `number`, 0 to 65535, in the tags that begin and end overflows.

    It stands in place of missed events, which these tags have none, until `united` takes it away.
    """
    if block.plain:
        return block
    missed = np.where(_bounds(block), np.uint16(number), block.missed).astype(np.uint16)
    return TagBlock(block.begin, block.end, block.time, block.channel, block.type, missed)


def united(block: TagBlock, overflows: set[int]) -> TagBlock:
    """The merge of `numbered` blocks with one overflow wherever there is at least one.

    Parameters
    ----------
    block
        All tags in order of time; its `missed` is written to.
    overflows
        Numbers of the streams that are in an overflow; updated.
    """
    if block.plain:
        return block
    keep = np.ones(len(block), np.bool_)
    for place in np.flatnonzero(_bounds(block)):
        number, within = int(block.missed[place]), bool(overflows)
        if block.type[place] == TagType.OverflowBegin:
            overflows.add(number)
            keep[place] = not within
        else:
            overflows.discard(number)
            keep[place] = not overflows
        block.missed[place] = 0
    return block if keep.all() else pick(block, keep)


def _bounds(block: TagBlock) -> NDArray[np.bool_]:
    """Where overflows begin and end."""
    return np.isin(block.type, (TagType.OverflowBegin, TagType.OverflowEnd))


def _between(first: int, middle: NDArray[np.signedinteger], last: int, opens: bool, closes: bool) -> NDArray[np.int64]:
    """Values of a column: the middle, with one before and one behind it where the overflow opens and closes."""
    return np.concatenate([[first] * opens, middle, [last] * closes]).astype(np.int64)
