"""Where the stream has a gap: the stretches of time tags between overflows and errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tagwire.core.tags import Int32Array, Int64Array, TagBlock, TagType


def stretches(block: TagBlock) -> Iterator[tuple[bool, Int64Array, Int32Array]]:
    """The time tags of a block, cut wherever tags may be missing.

    ``OverflowBegin``, ``OverflowEnd`` and ``Error`` tags are gaps. ``MissedEvents`` tags are left out: they say how
    many tags a gap swallowed, not when.

    Yields
    ------
    after_gap : bool
        Whether a gap lies directly before the stretch; never for the first one, which follows the last block.
    time, channel : ndarray
        Time stamps in ps and channels of the tags; perhaps none.
    """
    if block.plain:
        yield False, block.time, block.channel
        return
    gaps = np.flatnonzero((block.type >= TagType.Error) & (block.type <= TagType.OverflowEnd))
    edges = [0, *gaps.tolist(), len(block)]
    for number, begin in enumerate(edges[:-1]):
        part = slice(begin, edges[number + 1])
        tags = block.type[part] == TagType.TimeTag
        yield number > 0, block.time[part][tags], block.channel[part][tags]
