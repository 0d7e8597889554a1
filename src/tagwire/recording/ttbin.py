"""``.ttbin`` files of Swabian Instruments, read by the vendor's own library where that is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import NO_MISSED, NO_TYPES, TIME_MIN, TagBlock, TagType
from tagwire.errors import FileUnreadable, NotSupported
from tagwire.recording.base import CHUNK
from tagwire.recording.ordering import Sorter


class TtbinRecording:
    """A ``.ttbin`` file, or the sequence of files that a header file stands for.

    Parameters
    ----------
    path
        The header file of a sequence for all of it, or a numbered file for that alone.
    chunk
        Number of tags read at a time.

    Raises
    ------
    NotSupported
        (RuntimeError) The vendor's library is not installed.
    FileUnreadable
        (RuntimeError) The vendor's library cannot read the file.

    Notes
    -----
    Times, channels, tag types and missed events are the file's; overflow and error tags get `CHANNEL_UNUSED`. The end
    is known only when everything was read.
    """

    def __init__(self, path: str | os.PathLike[str], chunk: int = CHUNK) -> None:
        self._name = os.fspath(path)
        self._chunk = chunk
        self._reader: Any = None
        self._closed = False
        self._end: int | None = None
        reader = self._start()
        try:
            self._channels = tuple(int(c) for c in reader.getChannelList())
            self._configuration: dict[str, Any] = dict(reader.getConfiguration())
            self._begin = int(reader.getData(1).tStart) if reader.hasData() else 0
        except (RuntimeError, ValueError) as error:
            raise self._unreadable(error) from error

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that the file names."""
        return self._channels

    @property
    def begin(self) -> int:
        """Time in ps at which the recording begins."""
        return self._begin

    @property
    def end(self) -> int | None:
        """Time in ps at which the recording ends, once it was read to there."""
        return self._end

    @property
    def configuration(self) -> dict[str, Any]:
        """The instrument's configuration when the file was made."""
        return self._configuration

    @property
    def last_marker(self) -> str:
        """The last marker that the vendor's library passed; it reads ahead by a chunk of tags."""
        return "" if self._reader is None else str(self._reader.getLastMarker())

    def blocks(self, begin: int = TIME_MIN) -> Iterator[TagBlock]:
        """All tags, see `Recording.blocks`; none are left out."""
        reader = self._reader = self._start()
        sorter = Sorter(self._begin, self._name)
        end = self._begin
        try:
            while reader.hasData() and not self._closed:
                tags = _block(reader.getData(self._chunk))
                end = max(end, tags.end)
                yield sorter.push(tags, tags.end)
        except RuntimeError as error:
            raise error if isinstance(error, FileUnreadable) else self._unreadable(error) from error
        rest = sorter.rest(end)
        self._end = rest.end
        yield rest

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._closed = True
        self._reader = None

    def _start(self) -> Any:
        if self._closed:
            raise FileUnreadable(f"{self._name} was closed")
        try:
            from Swabian.TimeTagger import FileReader
        except ImportError as error:
            raise NotSupported(
                f"{self._name} is a .ttbin file, which only the vendor's library can read; "
                "get it with: pip install 'tagwire[hardware]'"
            ) from error
        try:
            return FileReader(self._name)
        except RuntimeError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> FileUnreadable:
        return FileUnreadable(f"{self._name} cannot be read by the vendor's library: {error}")


def _block(buffer: Any) -> TagBlock:
    """A buffer of the vendor's reader as a block; the last tags may have the time of its end."""
    time, channel = buffer.getTimestamps(), buffer.getChannels()
    kinds = buffer.getEventTypes()
    if not np.any(kinds):
        return TagBlock(buffer.tStart, buffer.tGetData, time, channel, NO_TYPES, NO_MISSED)
    missed = np.where(kinds == TagType.MissedEvents, buffer.getMissedEvents(), np.uint16(0))
    nowhere = (kinds != TagType.TimeTag) & (kinds != TagType.MissedEvents)
    return TagBlock(
        buffer.tStart, buffer.tGetData, time, np.where(nowhere, np.int32(CHANNEL_UNUSED), channel), kinds, missed
    )
