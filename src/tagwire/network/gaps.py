"""What a client gets in place of frames that it was too slow for: an overflow with all their events as missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagwire.core.overflows import MOST_MISSED, gap
from tagwire.frames.codec import encode
from tagwire.network.frame import Frame

MOST_EVENTS = 65_536 * MOST_MISSED
"""Events that one piece of a gap reports; a longer one comes in several, so that none takes much memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place between two frames of a feed.

    Attributes
    ----------
    number
        Of the frame behind it.
    time
        In ps of the server's time.
    counts
        Events of each channel up to here.
    within
        Whether an overflow of the stream goes on here.
    """

    number: int
    time: int
    counts: NDArray[np.int64]
    within: bool


def gap_frames(feed: int, channels: tuple[int, ...], begin: Place, end: Place) -> Iterator[Frame]:
    """The frames that stand for everything between two places of a feed.

    An overflow of the stream that goes on at the begin is not begun again, and one that goes on at the end not ended.
    """
    lost = end.counts - begin.counts
    count = max(1, -(-int(lost.sum()) // MOST_EVENTS))
    now, told = begin.time, begin.counts
    # A piece is 1 ps long but for the last one; a span too short for that cannot have lost so many events.
    for _ in range(min(count, end.time - begin.time) - 1):
        part = _first(end.counts - told, MOST_EVENTS)
        block = gap(now, now + 1, channels, part, opens=now == begin.time and not begin.within, closes=False)
        told, now = told + part, now + 1
        yield Frame(feed, begin.number, begin.number - 1, block.begin, block.end, told, encode(block))
    opens = now == begin.time and not begin.within
    block = gap(now, end.time, channels, end.counts - told, opens, closes=not end.within)
    yield Frame(feed, begin.number, end.number - 1, now, end.time, end.counts, encode(block))


def _first(counts: NDArray[np.int64], events: int) -> NDArray[np.int64]:
    """The part of `counts` that makes up the first `events` of them."""
    before = np.cumsum(counts) - counts
    part: NDArray[np.int64] = np.minimum(np.maximum(events - before, 0), counts)
    return part
