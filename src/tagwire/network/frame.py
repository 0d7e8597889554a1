"""One piece of a feed on its way to a client: packed tags, and what they add to the accounts.

A frame says which numbers of the feed it stands for, which span of time, and how many events of each channel the feed
had sent when it ended. Its head is specified in ``docs/stream-format.md``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagwire.errors import ProtocolError

VERSION = 1
"""Version of the stream, which a server says first."""

HEAD = struct.Struct("<QQqqqqQ")
"""Epoch, feed, first number, last number, begin, end, number of channels; the counts follow."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame of a feed.

    Attributes
    ----------
    feed
        Random number of the feed.
    first, number
        Which frames of the feed it stands for: ``first == number`` for one as it was sent. One that stands for a gap
        replaces all frames from `first` to `number`; of a gap in several pieces only the last one has numbers, and
        those before it have ``number == first - 1``.
    begin, end
        Span in ps of the server's time.
    counts
        Events of each channel of the feed from its start up to the end of this frame, those included that the stream
        itself reports as missed; int64, not to be written to.
    data
        The tags, as `tagwire.frames.codec` packs them.
    """

    feed: int
    first: int
    number: int
    begin: int
    end: int
    counts: NDArray[np.int64]
    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class Resume:
    """How far a client has come in a feed, so that it can go on there over another connection.

    Attributes
    ----------
    feed
        Random number of the feed.
    number
        Number of the next frame.
    end
        End in ps of the last one, in the server's time.
    counts
        Its counts.
    within
        Whether an overflow of the stream goes on there.
    """

    feed: int
    number: int
    end: int
    counts: tuple[int, ...]
    within: bool


def heads(epoch: int, frames: Iterable[Frame]) -> bytes:
    """The heads of frames that are sent together, one after the other.

    Parameters
    ----------
    epoch
        Random number of the server's life.
    frames
        Their data are sent apart, in the same order.
    """
    parts: list[bytes] = []
    for frame in frames:
        fields = frame.feed, frame.first, frame.number, frame.begin, frame.end, len(frame.counts)
        parts.append(HEAD.pack(epoch, *fields) + frame.counts.astype("<i8").tobytes())
    return b"".join(parts)


def frames_of(heads: bytes | memoryview, data: Sequence[bytes | memoryview]) -> list[tuple[int, Frame]]:
    """The frames that were sent together, each with its epoch.

    Parameters
    ----------
    heads
        As the function of this name gives them.
    data
        The packed tags of each.

    Raises
    ------
    ProtocolError
        There are more or fewer heads, or not whole ones.
    """
    found: list[tuple[int, Frame]] = []
    place = 0
    for part in data:
        if len(heads) - place < HEAD.size:
            raise ProtocolError(f"{len(data)} frames came with the heads of {len(found)}")
        epoch, feed, first, number, begin, end, channels = HEAD.unpack_from(heads, place)
        place += HEAD.size
        if channels > (len(heads) - place) // 8:
            raise ProtocolError(f"the head of a frame names {channels} channels, but holds fewer counts")
        counts = np.frombuffer(heads, "<i8", channels, place).astype(np.int64)
        place += channels * 8
        found.append((epoch, Frame(feed, first, number, begin, end, counts, part)))
    if place != len(heads):
        raise ProtocolError(f"{len(data)} frames came with {len(heads) - place} bytes of heads too many")
    return found
