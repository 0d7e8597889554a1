"""Writes the stream as plain records, with the vendor's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from tagwire.core.arguments import integer, integers, text
from tagwire.core.tags import TagBlock
from tagwire.engine.selection import select
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError, FileUnwritable
from tagwire.recording.file_iterator import FileIterator


class Dump(FileIterator):
    """Writes tags into a file of plain 16-byte records, which any program reads without a library.

    Parameters
    ----------
    tagger
        Time Tagger object.
    filename
        Name of the output file, which is replaced if it exists.
    max_tags
        Stop after so many tags; negative: never.
    channels
        Channels to write; empty: all that the tagger has now, virtual ones included.

    Raises
    ------
    FileUnwritable
        (RuntimeError) The file cannot be created.

    Notes
    -----
    A record is, little-endian: type (uint8 at byte 0; 0 time tag, 1 error, 2 overflow begins, 3 overflow ends, 4 missed
    events), a zero, missed events (uint16 at 2), channel (int32 at 4), time in ps (int64 at 8). There is no header:
    ``numpy.fromfile(name, tagwire.core.tags.TAG_DTYPE)`` reads all of it.

    Time tags and missed events of the given channels are written, overflow and error tags always; all count for
    `max_tags`, from the creation on or from the last `clear`, which leaves the file as it is. What a disk is too slow
    for is lost as with `FileWriter`.
    """

    def __init__(self, tagger: TimeTaggerBase, filename: str, max_tags: int, channels: Sequence[int] = []) -> None:
        base = require_tagger(tagger)
        limit = integer(max_tags, "max_tags")
        given = integers(channels, "channels")
        numbers = base._channels(given, "channels") if given else _all_channels(base)
        self._limit = limit
        self._left = limit
        params = {"filename": filename, "max_tags": limit, "channels": numbers}
        super().__init__(tagger, numbers, params, RecordFile(text(filename, "filename")), filename)
        self._launch()

    def _process(self, block: TagBlock) -> None:
        chosen = select(block, self._index)
        if 0 <= self._left <= len(chosen):
            chosen = _head(chosen, self._left)
            self._finish(chosen.end)
        self._left -= len(chosen) if self._limit >= 0 else 0
        self._drain.put(chosen, self._hub.patient)

    def _reset(self) -> None:
        self._left = self._limit


class RecordFile:
    """A file of `TAG_DTYPE` records; raises `FileUnwritable` when it cannot be created."""

    def __init__(self, name: str) -> None:
        if not name:
            raise ArgumentError("filename is empty, but must name a file")
        try:
            self._file: BinaryIO = open(name, "wb")  # noqa: SIM115
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FileUnwritable(f"{name} cannot be written: {reason}") from error

    def write(self, block: TagBlock) -> None:
        """Append the tags."""
        self._file.write(block.records().tobytes())

    def tick(self) -> None:
        """Let other programs see what there is."""
        self._file.flush()

    def finish(self) -> None:
        """The same; the file is whole at any time."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _all_channels(tagger: TimeTaggerBase) -> list[int]:
    return [*tagger._hub.source.channels, *tagger._hub.virtual_channels()]


def _head(block: TagBlock, count: int) -> TagBlock:
    """The first `count` tags, up to the ps of the last one."""
    end = int(block.time[count - 1]) + 1 if count else block.begin
    part = slice(count)
    return TagBlock(block.begin, end, block.time[part], block.channel[part], block.type[part], block.missed[part])
