"""Reads recordings piece by piece, with the vendor's API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from tagwire.core.arguments import integer, text
from tagwire.core.tags import TagBlock, concatenate
from tagwire.errors import ArgumentKindError, FileUnreadable, StateError
from tagwire.measurements.stream import TimeTagStreamBuffer
from tagwire.recording.base import Recording
from tagwire.recording.files import open_file


class FileReader:
    """Reads the tags of one or several recordings, one after the other.

    Parameters
    ----------
    filenames
        One file or several, in any of the formats that `createTimeTaggerVirtual` plays: those of `FileWriter`, the
        vendor's ``.ttbin`` (a header file stands for its whole sequence) and PicoQuant's ``.ptu``.

    Raises
    ------
    FileUnreadable
        (RuntimeError) No file is given, or one cannot be opened; later files are opened when it is their turn.

    Notes
    -----
    Tags of all types are given out as they are in the files; times of later files are not shifted.
    """

    def __init__(self, filenames: str | Sequence[str]) -> None:
        self._names = _names(filenames)
        if not self._names:
            raise FileUnreadable("no file was given to read")
        self._recording: Recording = open_file(self._names.pop(0))
        self._blocks: Iterator[TagBlock] = self._recording.blocks()
        self._block = TagBlock.empty(self._recording.begin, self._recording.begin)
        self._time = self._recording.begin
        self._marker = ""
        self._closed = False

    def getData(self, n_events: int) -> TimeTagStreamBuffer:
        """The next tags; each is given out once.

        Parameters
        ----------
        n_events
            Number of tags, at least 0.

        Returns
        -------
        TimeTagStreamBuffer
            `n_events` tags, or fewer at the end of the last file. Its `tStart` is the `tGetData` of the buffer before,
            or the begin of the file; its `tGetData` is the time of the next tag, or the end of the file.
        """
        count = integer(n_events, "n_events", 0)
        parts: list[TagBlock] = []
        while count > 0 and self.hasData():
            self._marker = self._recording.last_marker
            parts.append(_slice(self._block, 0, count))
            count -= len(parts[-1])
            self._block = _slice(self._block, len(parts[-1]), len(self._block))
        begin = self._time
        self._time = int(self._block.time[0]) if self._fill() else self._block.end
        return TimeTagStreamBuffer._from_block(concatenate(begin, self._time, parts), begin, self._time)

    def hasData(self) -> bool:
        """Whether there are more tags."""
        self._check()
        while not self._fill():
            if not self._names:
                return False
            self._go_on(self._names.pop(0))
        return True

    def getConfiguration(self) -> dict[str, Any]:
        """What the present file says about the instrument that made it."""
        self._check()
        return self._recording.configuration

    def getChannelList(self) -> tuple[int, ...]:
        """All channels of the present file."""
        self._check()
        return tuple(self._recording.channels)

    def getLastMarker(self) -> str:
        """The last marker before the last tag that was read, or after it when there are no more tags.

        Files in the vendor's format are read ahead by some 262,144 tags.
        """
        return self._marker if self.hasData() else self._recording.last_marker

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self._closed = True
        self._recording.close()

    def _fill(self) -> bool:
        """Get hold of the next tags of the present file, if it has more."""
        while not len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block = block
        return True

    def _go_on(self, name: str) -> None:
        following = open_file(name)
        self._recording.close()
        self._recording, self._blocks = following, following.blocks()

    def _check(self) -> None:
        if self._closed:
            raise StateError("this FileReader was closed")


def _names(filenames: Any) -> list[str]:
    if isinstance(filenames, str):
        return [filenames]
    if isinstance(filenames, bytes) or not isinstance(filenames, Sequence):
        raise ArgumentKindError(f"filenames must be a string or a sequence of strings, not {filenames!r}")
    return [text(name, f"filenames[{i}]") for i, name in enumerate(filenames)]


def _slice(block: TagBlock, low: int, high: int) -> TagBlock:
    """The tags from place `low` up to `high`."""
    part = slice(low, high)
    return TagBlock(block.begin, block.end, block.time[part], block.channel[part], block.type[part], block.missed[part])
