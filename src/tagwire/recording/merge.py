"""Merges recordings into one, with the vendor's API."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tagwire.core.arguments import INT32_MAX, boolean, integer, integers, text
from tagwire.core.overflows import numbered, united
from tagwire.core.tags import TIME_MAX, TIME_MIN, Int32Array, TagBlock, TagType, merge
from tagwire.errors import ArgumentError, ArgumentKindError, FileUnreadable
from tagwire.recording.files import open_file
from tagwire.recording.names import header_name, part_names
from tagwire.recording.series_writer import SeriesWriter

logger = logging.getLogger(__name__)


def mergeStreamFiles(
    output_filename: str,
    input_filenames: Sequence[str],
    channel_offsets: Sequence[int],
    time_offsets: Sequence[int],
    overlap_only: bool,
) -> None:
    """Merge recordings into one, in order of time.

    Parameters
    ----------
    output_filename
        Name of the output file, as for `FileWriter`.
    input_filenames
        Recordings to merge, in any format that `createTimeTaggerVirtual` plays; a header file stands for all its parts.
    channel_offsets
        For each recording, number to be added to its channels, or subtracted from negative ones: the falling edge of
        an input stays the falling edge of the same input.
    time_offsets
        For each recording, time in ps to be added to its times.
    overlap_only
        Merge only from where the last one begins to where the first one ends; otherwise those that begin later or end
        earlier are silent there.

    Raises
    ------
    ArgumentError
        (ValueError) Lists of different length, the output among the inputs, or numbers that do not fit after shifting.
    FileUnreadable
        (RuntimeError) No recording is given, one cannot be read, or there is no overlap.
    FileUnwritable
        (RuntimeError) The output cannot be written.

    Notes
    -----
    Tags of equal time keep the order of the recordings. All tag types are merged; the result is in an overflow where
    any of the recordings is. Channels that come from several recordings are mixed, with a warning in the log. Markers
    are left out. The configuration of the result lists those of the recordings.
    """
    header = header_name(text(output_filename, "output_filename"))
    names = _names(input_filenames)
    channels, times = integers(channel_offsets, "channel_offsets"), _times(time_offsets)
    common = boolean(overlap_only, "overlap_only")
    if not len(names) == len(channels) == len(times):
        counts = f"{len(names)} input_filenames, {len(channels)} channel_offsets and {len(times)} time_offsets"
        raise ArgumentError(f"there are {counts}, but must be as many of each")
    _check_output(header, names)
    inputs: list[_Input] = []
    try:
        for name, channel, time in zip(names, channels, times, strict=True):
            inputs.append(_Input(name, channel, time))
        _merge(header, inputs, common)
    finally:
        for source in inputs:
            source.close()


class _Input:
    """A recording with its times and channels shifted, read block by block."""

    def __init__(self, name: str, channel_offset: int, time_offset: int) -> None:
        self.name = name
        self._by, self._later = channel_offset, time_offset
        self._recording = open_file(name)
        self.begin = self._recording.begin + time_offset
        self._check_times(self.begin, (self._recording.end or self._recording.begin) + time_offset)
        self.channels = [self._moved(c) for c in self._recording.channels]
        self._blocks = self._recording.blocks()
        self.block: TagBlock | None = TagBlock.empty(self.begin, self.begin)

    def advance(self, position: int) -> bool:
        """Get hold of the block that reaches beyond `position`; False at the end."""
        while self.block is not None and self.block.end <= position:
            following = next(self._blocks, None)
            self.block = None if following is None else self._shifted(following)
        return self.block is not None

    def about(self) -> dict[str, Any]:
        """What the merged recording says of this one."""
        return {
            "file": Path(self.name).name,
            "channel offset": self._by,
            "time offset": self._later,
            "configuration": self._recording.configuration,
        }

    def close(self) -> None:
        """Close the file."""
        self._recording.close()

    def _moved(self, channel: int) -> int:
        moved = channel + self._by if channel >= 0 else channel - self._by
        if abs(moved) > INT32_MAX:
            raise ArgumentError(
                f"channel_offsets has {self._by}, with which channel {channel} of {self.name} is too large"
            )
        return moved

    def _shifted(self, block: TagBlock) -> TagBlock:
        begin, end = block.begin + self._later, block.end + self._later
        self._check_times(begin, end)
        return TagBlock(begin, end, block.time + self._later, self._channels(block), block.type, block.missed)

    def _check_times(self, begin: int, end: int) -> None:
        if begin < TIME_MIN or end > TIME_MAX:
            raise ArgumentError(
                f"time_offsets has {self._later}, with which times of {self.name} do not fit into 64 bits"
            )

    def _channels(self, block: TagBlock) -> Int32Array:
        if self._by == 0:
            return block.channel
        numbered = (block.types == TagType.TimeTag) | (block.types == TagType.MissedEvents)
        by = np.where(block.channel >= 0, np.int32(self._by), np.int32(-self._by))
        return np.where(numbered, block.channel + by, block.channel).astype(np.int32)


def _merge(header: Path, inputs: list[_Input], common: bool) -> None:
    channels = [channel for source in inputs for channel in source.channels]
    if len(set(channels)) < len(channels):
        logger.warning("channels are not unique in the files to merge, those of the same number are mixed")
    blocks = _merged(inputs, common)
    first = next(blocks, None)
    if first is None:
        raise FileUnreadable("the files to merge have no time in common" if common else "the files to merge are empty")
    writer = SeriesWriter(header, sorted(set(channels)), {"merged": [source.about() for source in inputs]})
    try:
        for block in chain([first], blocks):
            writer.write(block)
        writer.finish()
    finally:
        writer.close()


def _merged(inputs: list[_Input], common: bool) -> Iterator[TagBlock]:
    """The merged stream; `common`: as long as all of them last."""
    begins = [source.begin for source in inputs]
    position = max(begins) if common else min(begins)
    overflows: set[int] = set()
    while True:
        live = [source.advance(position) for source in inputs]
        if not (all(live) if common else any(live)):
            return
        blocks = [source.block for source in inputs]
        until = min(block.end for block in blocks if block is not None)
        parts = [numbered(b.take(position, until), i) for i, b in enumerate(blocks) if b is not None]
        yield united(merge(position, until, parts), overflows)
        position = until


def _names(filenames: Any) -> list[str]:
    if isinstance(filenames, str | bytes) or not isinstance(filenames, Sequence):
        raise ArgumentKindError(f"input_filenames must be a sequence of strings, not {filenames!r}")
    names = [text(name, f"input_filenames[{i}]") for i, name in enumerate(filenames)]
    if not names:
        raise FileUnreadable("no file was given to merge")
    return names


def _times(offsets: Any) -> list[int]:
    if isinstance(offsets, str | bytes) or not hasattr(offsets, "__iter__"):
        raise ArgumentKindError(f"time_offsets must be a sequence of integers, not {offsets!r}")
    return [integer(offset, f"time_offsets[{i}]") for i, offset in enumerate(offsets)]


def _check_output(header: Path, names: list[str]) -> None:
    """Refuse to write over what is being read."""
    written = {header.resolve()}
    if header.parent.is_dir():
        written |= {path.resolve() for path in part_names(header)}
    for name in names:
        if {Path(name).resolve(), header_name(name).resolve()} & written:
            raise ArgumentError(f"output_filename is {str(header)!r}, which is among the files to merge")
