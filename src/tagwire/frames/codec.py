"""A block of tags as a packed frame and back, exactly.

In comes a `TagBlock`, out go bytes that stand for themselves: span, channels, types, checksum. The layout is
specified in ``docs/recording-format.md``.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import NO_MISSED, NO_TYPES, TagBlock
from tagwire.errors import ArgumentError, DamagedFrame
from tagwire.frames.checksum import xxh64
from tagwire.frames.columns import pack_codes, pack_times, packed_size, survey, unpack_codes, unpack_times
from tagwire.frames.dictionary import dictionary
from tagwire.frames.packing import GROUP, Words, size_of

MAGIC = b"TWF1"
MOST_TAGS = 2**24
"""Largest number of tags in a frame, so that a few bytes never stand for an unbounded amount of memory."""

HEADER = struct.Struct("<4sIqQqII")
"""Magic, number of tags, begin, length of the span, time of the first tag, numbers of channels and of special tags."""

HEADER_WORDS = HEADER.size // 8
SPARE = 8
"""Words behind the end of a frame under construction, which packing may touch."""

SPECIAL = np.dtype([("place", "<u4"), ("type", "u1"), ("zero", "u1"), ("missed", "<u2")])
"""A tag that is not a plain time tag."""


def encode(block: TagBlock) -> bytes:
    """The frame of a block.

    Raises
    ------
    ArgumentError
        (ValueError) More than `MOST_TAGS` tags, tags out of order or outside of the span.
    """
    count = len(block)
    if count > MOST_TAGS:
        raise ArgumentError(f"a frame holds at most {MOST_TAGS} tags, not {count}")
    groups = -(-count // GROUP)
    bases, widths = np.empty(groups, np.uint32), np.empty(groups, np.uint8)
    ordered = survey(block.time, bases, widths)
    if count and not (ordered and block.begin <= block.time[0] and block.time[-1] < block.end):
        raise ArgumentError(f"tags are out of order or outside of their span [{block.begin}, {block.end}) ps")
    names, codes = dictionary(block.channel)
    special = _special(block)
    start, width, end = _places(count, len(names), len(special), packed_size(widths, count))
    words = np.zeros(end + 1 + SPARE, np.uint64)
    _write_head(words, block, names, special, widths, bases)
    pack_codes(codes, width, words, start)
    pack_times(block.time, bases, widths, words, start + _codes_size(count, width))
    words[end] = xxh64(words, end)
    return words[: end + 1].tobytes()


def decode(frame: bytes | bytearray | memoryview) -> TagBlock:
    """The block in a frame.

    Raises
    ------
    DamagedFrame
        (ValueError) The bytes are no frame, or not a whole one, or contradict themselves. No more memory is taken than
        `MOST_TAGS` tags need.
    """
    words = _words(frame)
    end = len(words) - 1
    magic, count, begin, length, first, channels, specials = HEADER.unpack(words[:HEADER_WORDS].tobytes())
    if magic != MAGIC:
        raise DamagedFrame(f"a frame begins with {MAGIC!r}, not with {magic!r}")
    if int(words[end]) != int(xxh64(words, end)):
        raise DamagedFrame("the checksum of a frame is wrong")
    if count > MOST_TAGS or channels > count or specials > count or (count > 0) != (channels > 0):
        raise DamagedFrame(
            f"a frame of {count} tags, {specials} of them special, on {channels} channels makes no sense"
        )
    if not begin <= first <= begin + length <= 2**63:
        raise DamagedFrame(f"a frame whose first tag is at {first} ps spans {length} ps from {begin} ps on")
    names, special, widths, bases = _read_head(words, count, channels, specials)
    start, width, there = _places(count, channels, specials, packed_size(widths, count))
    if there != end:
        raise DamagedFrame(f"a frame of {len(words)} words should have {there + 1}")
    channel = _channels(words, start, width, names, count)
    time = np.empty(count, np.int64)
    ordered = unpack_times(words, start + _codes_size(count, width), first, bases, widths, time)
    if count and not (ordered and time[0] == first and time[-1] < begin + length):
        raise DamagedFrame("the tags of a frame are out of order or outside of its span")
    return TagBlock(begin, begin + length, time, channel, *_types(special, count))


def _special(block: TagBlock) -> NDArray[np.void]:
    """The tags that are not plain time tags."""
    places = np.flatnonzero((block.type != 0) | (block.missed != 0))
    rows = np.zeros(len(places), SPECIAL)
    if len(places):
        rows["place"], rows["type"], rows["missed"] = places, block.type[places], block.missed[places]
    return rows


def _places(count: int, channels: int, specials: int, packed: int) -> tuple[int, int, int]:
    """Word at which the codes begin, their width in bits, and the word of the checksum."""
    width = max(channels - 1, 0).bit_length()
    groups = -(-count // GROUP)
    start = HEADER_WORDS + _halves(channels) + specials + -(-groups // 8) + _halves(groups)
    return start, width, start + _codes_size(count, width) + packed


def _codes_size(count: int, width: int) -> int:
    """Words that the codes of `count` tags take."""
    return int(count // GROUP * size_of(GROUP, width) + size_of(count % GROUP, width))


def _halves(count: int) -> int:
    """Words that `count` numbers of 32 bits take."""
    return -(-count // 2)


def _write_head(
    words: Words,
    block: TagBlock,
    names: NDArray[np.int32],
    special: NDArray[np.void],
    widths: NDArray[np.uint8],
    bases: NDArray[np.uint32],
) -> None:
    first = int(block.time[0]) if len(block) else block.begin
    head = HEADER.pack(MAGIC, len(block), block.begin, block.end - block.begin, first, len(names), len(special))
    place = 0
    for part in (head, names.tobytes(), special.tobytes(), widths.tobytes(), bases.tobytes()):
        words.view(np.uint8)[place : place + len(part)] = np.frombuffer(part, np.uint8)
        place += -(-len(part) // 8) * 8


def _words(frame: bytes | bytearray | memoryview) -> Words:
    """The bytes as words of their own, whatever memory they came in."""
    size = len(frame)
    if size % 8 or size < HEADER.size + 8:
        raise DamagedFrame(f"a frame of {size} bytes is not whole")
    words = np.empty(size // 8, np.uint64)
    words.view(np.uint8)[:] = np.frombuffer(frame, np.uint8)
    return words


def _read_head(
    words: Words, count: int, channels: int, specials: int
) -> tuple[NDArray[np.int32], NDArray[np.void], NDArray[np.uint8], NDArray[np.uint32]]:
    """Channel numbers, special tags, widths and bases."""
    groups = -(-count // GROUP)
    sections = ((channels, np.dtype("<i4")), (specials, SPECIAL), (groups, np.dtype("u1")), (groups, np.dtype("<u4")))
    found: list[NDArray[Any]] = []
    place = HEADER.size
    for number, kind in sections:
        if place + number * kind.itemsize > (len(words) - 1) * 8:
            raise DamagedFrame(f"a frame of {count} tags ends after {len(words)} words")
        part = words.view(np.uint8)[place : place + number * kind.itemsize]
        found.append(part.view(kind).copy())
        place += -(-len(part) // 8) * 8
    names, special, widths, bases = found
    if np.any(widths > 64):
        raise DamagedFrame(f"a frame has numbers of {int(widths.max())} bits")
    return names, special, widths, bases


def _channels(words: Words, start: int, width: int, names: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    table = np.zeros(1 << width, np.int32)
    table[: len(names)] = names
    channel = np.empty(count, np.int32)
    if unpack_codes(words, start, width, table, channel) >= max(1, len(names)):
        raise DamagedFrame(f"a frame of {len(names)} channels names more")
    return channel


def _types(special: NDArray[np.void], count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    if not len(special):
        return NO_TYPES, NO_MISSED
    places = special["place"].astype(np.int64)
    if places[-1] >= count or np.any(places[1:] <= places[:-1]):
        raise DamagedFrame("the special tags of a frame are out of order")
    kinds, missed = np.zeros(count, np.uint8), np.zeros(count, np.uint16)
    kinds[places], missed[places] = special["type"], special["missed"]
    return kinds, missed
