"""The tags of several streams in order of time."""

from __future__ import annotations

from tagwire.core.tags import TagBlock, merge, retime
from tagwire.frames.merging import merge_two


def merged(begin: int, end: int, blocks: list[TagBlock]) -> TagBlock:
    """The tags of several blocks in order of time, as a block of the given span.

    The same as `tagwire.core.tags.merge`, several times faster where there are only time tags.

    Parameters
    ----------
    begin, end
        Span of the result in ps; that all tags lie in it is the caller's business.
    blocks
        Each in order of time; tags of equal time keep the order of the blocks, and within a block their own.
    """
    filled = [block for block in blocks if len(block)]
    if len(filled) < 2 or not all(block.plain for block in filled):
        return merge(begin, end, filled)
    while len(filled) > 1:
        pairs = [_pair(*two) for two in zip(filled[::2], filled[1::2], strict=False)]
        filled = pairs + filled[2 * len(pairs) :]
    return retime(filled[0], begin, end)


def _pair(left: TagBlock, right: TagBlock) -> TagBlock:
    time, channel = merge_two(left.time, left.channel, right.time, right.channel)
    return TagBlock(left.begin, left.end, time, channel)
