"""Where the parts of a frame stand: a header, sections that begin at whole words, and a checksum.

The layout is specified in ``docs/recording-format.md``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tagwire.errors import DamagedFrame
from tagwire.frames.checksum import xxh64
from tagwire.frames.codes import code_words
from tagwire.frames.packing import Words

MAGIC = b"TWF1"

MOST_TAGS = 2**24
"""Largest number of tags in a frame, so that a few bytes never stand for an unbounded amount of memory."""

MOST_MERGED = 4
"""Series that are put together by their times, at most; of more, codes are the faster way."""

HEADER = struct.Struct("<4sIqQIIII")

SPECIAL = np.dtype([("place", "<u4"), ("type", "u1"), ("zero", "u1"), ("missed", "<u2")])
"""A tag that is not a plain time tag."""


class Head(NamedTuple):
    """The header: number of tags, begin and length of the span, numbers of channels, special tags and series.

    `merged` is 1 where there are no codes, because the order of the times tells how the series belong together.
    """

    magic: bytes
    tags: int
    begin: int
    length: int
    channels: int
    specials: int
    series: int
    merged: int = 0

    @property
    def end(self) -> int:
        """End of the span."""
        return self.begin + self.length

    @property
    def code_width(self) -> int:
        """Bits of a channel's code."""
        return max(self.channels - 1, 0).bit_length()

    @property
    def code_size(self) -> int:
        """Words that the codes of all tags take."""
        return 0 if self.merged else -(-int(code_words(self.tags, self.code_width)) // 2)

    def check(self) -> None:
        """Raise DamagedFrame where the numbers contradict each other."""
        if self.magic != MAGIC:
            raise DamagedFrame(f"a frame begins with {MAGIC!r}, not with {self.magic!r}")
        if self.merged not in (0, 1 < self.series <= MOST_MERGED):
            raise DamagedFrame(f"a frame of {self.series} series cannot be put together in the way {self.merged}")
        few = self.tags <= MOST_TAGS and self.channels <= self.tags and self.specials <= self.tags
        if not few or (self.tags > 0) != (self.channels > 0) or self.series not in (min(1, self.tags), self.channels):
            raise DamagedFrame(
                f"a frame of {self.tags} tags, {self.specials} of them special, on {self.channels} channels in "
                f"{self.series} series makes no sense"
            )
        if self.end > 2**63:
            raise DamagedFrame(f"a frame spans {self.length} ps from {self.begin} ps on")


def begun(head: Head, sections: Iterable[NDArray[Any]], more: int) -> tuple[Words, int]:
    """A frame that begins with a header and sections, with room for `more` words and the checksum; where they begin."""
    parts = [HEADER.pack(*head)]
    for section in sections:
        data = section.tobytes()
        parts.append(data + bytes(-len(data) % 8))
    front = b"".join(parts)
    words = np.empty(len(front) // 8 + more + 1, np.uint64)
    words.view(np.uint8)[: len(front)] = np.frombuffer(front, np.uint8)
    return words, len(front) // 8


def sealed(words: Words) -> bytes:
    """The frame with its checksum."""
    body = words[:-1]
    body.flags.writeable = False
    words[-1] = xxh64(body, len(body))
    return words.tobytes()


class Sections:
    """Reads the parts of a frame one after the other.

    Parameters
    ----------
    frame
        Its bytes.

    Attributes
    ----------
    head
        The header.

    Raises
    ------
    DamagedFrame
        (ValueError) The bytes are no frame, or not a whole one.
    """

    def __init__(self, frame: bytes | bytearray | memoryview) -> None:
        size = len(frame)
        if size % 8 or size < HEADER.size + 8:
            raise DamagedFrame(f"a frame of {size} bytes is not whole")
        self._words = _words(frame)
        self.head = Head(*HEADER.unpack_from(frame))
        self.head.check()
        if int(self._words[-1]) != int(xxh64(self._words[:-1], size // 8 - 1)):
            raise DamagedFrame("the checksum of a frame is wrong")
        self._place = HEADER.size // 8

    def take(self, count: int, kind: DTypeLike) -> NDArray[Any]:
        """The next section, in memory of its own."""
        size = count * np.dtype(kind).itemsize
        return self.words(-(-size // 8)).view(np.uint8)[:size].view(kind).copy()

    def words(self, count: int) -> Words:
        """The next words, not to be written to."""
        begin, self._place = self._place, self._place + count
        if self._place >= len(self._words):
            raise DamagedFrame(f"a frame of {self.head.tags} tags ends after {len(self._words)} words")
        return self._words[begin : self._place]

    def end(self) -> None:
        """Raise DamagedFrame where more words follow than the checksum."""
        if self._place != len(self._words) - 1:
            raise DamagedFrame(f"a frame of {len(self._words)} words should have {self._place + 1}")


def _words(frame: bytes | bytearray | memoryview) -> Words:
    """The bytes as words that cannot be written to, copied only where they are not aligned."""
    words = np.frombuffer(frame, np.uint64)
    if not words.flags.aligned:
        words = words.copy()
    words.flags.writeable = False
    return words
