"""A block of tags as a packed frame and back, exactly.

In comes a `TagBlock`, out go bytes that stand for themselves: span, channels, types, checksum. The layout is
specified in ``docs/recording-format.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import NO_MISSED, NO_TYPES, TIME_MIN, TagBlock, TagType
from tagwire.errors import ArgumentError, DamagedFrame
from tagwire.frames.codes import name_codes, pack_codes, unpack_codes
from tagwire.frames.dictionary import dictionary
from tagwire.frames.layout import MAGIC, MOST_TAGS, SPECIAL, Head, Sections, begun, sealed
from tagwire.frames.memory import keep_freed_memory
from tagwire.frames.series import Codes, apart, by_times, merge, put_together, split, tally
from tagwire.frames.times import (
    Bases,
    Counts,
    Times,
    Widths,
    groups,
    pack_times,
    packed_size,
    survey,
    unpack_times,
)
from tagwire.kernel import kernel

MAX_TYPE = int(max(TagType))
DISORDER = "the tags of a frame are out of order or outside of its span"

keep_freed_memory()


def encode(block: TagBlock) -> bytes:
    """The frame of a block.

    Raises
    ------
    ArgumentError
        (ValueError) More than `MOST_TAGS` tags, tags out of order or outside of the span, or of a type that is none.
    """
    count = len(block)
    if count > MOST_TAGS:
        raise ArgumentError(f"a frame holds at most {MOST_TAGS} tags, not {count}")
    names, codes = dictionary(block.channel)
    special = _special(block)
    time, counts, bases, widths = _series(block, codes, len(names))
    firsts = time[:1] if len(counts) == 1 else time[np.cumsum(counts) - counts]
    merged = by_times(block.time, codes, counts)
    span = block.begin, block.end - block.begin
    head = Head(MAGIC, count, *span, len(names), len(special), len(counts), int(merged))
    size = head.code_size
    sections = (names, special, firsts, counts.astype(np.uint32), widths, bases)
    words, start = begun(head, sections, size + packed_size(widths, counts))
    if not merged:
        pack_codes(codes, head.code_width, words[start : start + size].view(np.uint32))
    pack_times(time, counts, bases, widths, words[start + size :])
    return sealed(words)


def decode(frame: bytes | bytearray | memoryview) -> TagBlock:
    """The block in a frame.

    Raises
    ------
    DamagedFrame
        (ValueError) The bytes are no frame, or not a whole one, or contradict themselves. No more memory is taken than
        `MOST_TAGS` tags need.
    """
    sections = Sections(frame)
    head = sections.head
    names, special = sections.take(head.channels, np.int32), sections.take(head.specials, SPECIAL)
    firsts, counts = sections.take(head.series, np.int64), sections.take(head.series, np.uint32).astype(np.int64)
    if not fit(names, firsts, counts, head.tags, head.begin, max(head.end - 1, TIME_MIN)):
        raise DamagedFrame(f"the channels or series of a frame of {head.tags} tags contradict each other")
    number = groups(counts)
    widths, bases = sections.take(number, np.uint8), sections.take(number, np.uint32)
    if (size := packed_size(widths, counts)) < 0:
        raise DamagedFrame(f"a frame has numbers of {int(widths.max())} bits")
    packed, series = sections.words(head.code_size), sections.words(size)
    sections.end()
    time = np.empty(head.tags, np.int64)
    if not unpack_times(series, firsts, np.uint64(head.end % 2**64), counts, bases, widths, time):
        raise DamagedFrame(DISORDER)
    if head.merged:
        time, channel = put_together(time, counts, names)
    else:
        time, channel = _by_codes(head, packed, time, counts, names)
    return TagBlock(head.begin, head.end, time, channel, *_types(special, head.tags))


def _series(block: TagBlock, codes: Codes, channels: int) -> tuple[Times, Counts, Bases, Widths]:
    """The times as they are to be packed, how many each series has, and how its groups come out."""
    count = len(block)
    time, counts = block.time, np.full(min(1, count), count)
    bases, widths, ordered = _survey(time, counts)
    if count and not (ordered and block.begin <= time[0] and time[-1] < block.end):
        raise ArgumentError(f"tags are out of order or outside of their span [{block.begin}, {block.end}) ps")
    if apart(time, codes, channels):
        counts = tally(codes, channels)
        time = split(time, codes, counts)
        bases, widths, _ = _survey(time, counts)
    return time, counts, bases, widths


def _survey(time: Times, counts: Counts) -> tuple[Bases, Widths, bool]:
    """Bases and widths of all groups, and whether the series are in order."""
    number = groups(counts)
    bases, widths = np.empty(number, np.uint32), np.empty(number, np.uint8)
    ordered = survey(time, counts, bases, widths)
    return bases, widths, bool(ordered)


def _by_codes(
    head: Head, packed: NDArray[np.uint64], series: Times, counts: Counts, names: NDArray[np.int32]
) -> tuple[Times, NDArray[np.int32]]:
    """Times and channels of all tags, put together as their codes say."""
    codes, time = np.empty(head.tags, np.uint32), series
    if unpack_codes(packed.view(np.uint32), head.code_width, codes) >= max(1, head.channels):
        raise DamagedFrame(f"a frame of {head.channels} channels names more")
    if head.series > 1:
        time = np.empty(head.tags, np.int64)
        if not merge(series, codes, counts, time):
            raise DamagedFrame(DISORDER)
    if head.tags:
        name_codes(codes, names)
    return time, codes.view(np.int32)


@kernel
def fit(names: NDArray[np.int32], firsts: Times, counts: Counts, tags: int, begin: int, last: int) -> bool:
    """Whether the channels ascend, the series have all tags, and begin within the span."""
    well, total = True, 0
    for i in range(1, len(names)):
        well &= names[i - 1] < names[i]
    for k in range(len(counts)):
        well &= counts[k] > 0 and begin <= firsts[k] <= last
        total += counts[k]
    return well and total == tags


def _special(block: TagBlock) -> NDArray[np.void]:
    """The tags that are not plain time tags."""
    if block.plain:
        return np.empty(0, SPECIAL)
    if (highest := int(block.type.max(initial=0))) > MAX_TYPE:
        raise ArgumentError(f"a tag has the type {highest}, but must have one within [0, {MAX_TYPE}]")
    places = np.flatnonzero((block.type != 0) | (block.missed != 0))
    rows = np.zeros(len(places), SPECIAL)
    rows["place"], rows["type"], rows["missed"] = places, block.type[places], block.missed[places]
    return rows


def _types(special: NDArray[np.void], count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    if not len(special):
        return NO_TYPES, NO_MISSED
    places = special["place"].astype(np.int64)
    if places[-1] >= count or np.any(places[1:] <= places[:-1]):
        raise DamagedFrame("the special tags of a frame are out of order")
    if (highest := int(special["type"].max())) > MAX_TYPE:
        raise DamagedFrame(f"a tag of a frame has the type {highest}, but there are only 0 to {MAX_TYPE}")
    kinds, missed = np.zeros(count, np.uint8), np.zeros(count, np.uint16)
    kinds[places], missed[places] = special["type"], special["missed"]
    return kinds, missed
