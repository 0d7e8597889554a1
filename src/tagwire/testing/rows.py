"""Tags as plain rows, and the blocks that the stream is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tagwire.core.tags import TagBlock, TagType

Row = tuple[int, int, int, int]
"""One tag: time in ps, channel, type (`TagType`), missed events."""


def block_of(rows: Sequence[Row], begin: int, end: int) -> TagBlock:
    """The block with the tags `rows`, in order of time, which accounts for the span from `begin` to before `end` ps."""
    time, channel, kind, missed = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    columns = np.array(time, np.int64), np.array(channel, np.int32)
    if not any(kind):
        return TagBlock(begin, end, *columns)
    return TagBlock(begin, end, *columns, np.array(kind, np.uint8), np.array(missed, np.uint16))


def clicks(times: Iterable[tuple[int, int]], end: int, begin: int = 0) -> TagBlock:
    """A block of plain clicks, for `SteppedTagger`.

    Parameters
    ----------
    times
        Pairs of time in ps and channel, in any order.
    end
        Where the block ends, in ps; behind the last click.
    begin
        Where it begins, in ps; not behind the first click.

    Raises
    ------
    ValueError
        A click lies outside of the block.

    Examples
    --------
    >>> block = clicks([(2000, 2), (1000, 1)], end=10_000)
    >>> block.time, block.channel
    (array([1000, 2000]), array([1, 2], dtype=int32))
    """
    ordered = sorted((time, channel) for time, channel in times)
    for time, channel in ordered:
        if not begin <= time < end:
            raise ValueError(f"the click of channel {channel} at {time} ps lies outside of [{begin}, {end}) ps")
    return block_of([(time, channel, TagType.TimeTag, 0) for time, channel in ordered], begin, end)


def rows_of(block: TagBlock) -> list[Row]:
    """The tags of a block as rows of time, channel, type, missed events."""
    columns = (block.time, block.channel, block.types, block.missed_events)
    return list(zip(*(column.tolist() for column in columns), strict=True))
