"""The contract of recordings, and a source that plays a part of one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Protocol

from tagwire.core.arguments import integer
from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock

CHUNK = 262_144
"""Tags or records taken from a file at a time."""


class Recording(Protocol):
    """A file of tags, in its own time base."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Every channel that can carry tags."""
        ...

    @property
    def begin(self) -> int:
        """Time in ps at which the recording begins."""
        ...

    @property
    def end(self) -> int | None:
        """Time in ps at which the recording ends, or `None` where only reading it all would tell."""
        ...

    @property
    def configuration(self) -> dict[str, Any]:
        """What the file says about the instrument, as values that JSON can hold."""
        ...

    @property
    def last_marker(self) -> str:
        """The last marker passed in reading; empty where there is none."""
        ...

    def blocks(self, begin: int = TIME_MIN) -> Iterator[TagBlock]:
        """All tags, in blocks without gaps and of bounded size; each call begins anew.

        Blocks that end at or before `begin` may be left out.
        """
        ...

    def close(self) -> None:
        """Close the file; more than once is fine."""
        ...


class RecordedSource:
    """Plays a recording, or a part of it, in its own time base: no tag is shifted.

    Parameters
    ----------
    recording
        What to play.
    begin
        How much of it is left out at first, in ps; a negative number puts that much silence before it.
    duration
        Time in ps to play from there, the silence not counted; negative: up to the end.

    Notes
    -----
    All tag types are passed on as they are, overflow tags included. The memory taken does not grow with the file.
    """

    def __init__(self, recording: Recording, begin: int = 0, duration: int = -1) -> None:
        skip, length = integer(begin, "begin"), integer(duration, "duration")
        self.recording = recording
        self.channels = recording.channels
        self._start = min(max(recording.begin + skip, TIME_MIN), TIME_MAX)
        self._first = max(self._start, recording.begin)
        self._stop = TIME_MAX if length < 0 else min(self._first + length, TIME_MAX)
        self.rewind()

    @property
    def begin(self) -> int:
        """Stream time in ps of the first block."""
        return self._start

    @property
    def end(self) -> int | None:
        """Stream time in ps at which the last block ends, or `None` where only reading it all would tell."""
        end = self.recording.end
        return None if end is None else max(self._start, min(end, self._stop))

    @property
    def configuration(self) -> dict[str, Any]:
        """What the file says about the instrument, as values that JSON can hold."""
        return self.recording.configuration

    @property
    def position(self) -> int:
        """Stream time in ps up to which it was read."""
        return self._position

    def rewind(self) -> None:
        """Go back to the begin."""
        self._position = self._start
        self._blocks = self._cut()
        self._block: TagBlock | None = None

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next `span` ps or less, with the tags of all channels; `None` at the end."""
        length = integer(span, "span", 1)
        if self._block is None or self._position >= self._block.end:
            self._block = next(self._blocks, None)
            if self._block is None:
                return None
        part = self._block.take(self._position, self._position + length)
        self._position = part.end
        return part

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._blocks = iter(())
        self._block = None
        self.recording.close()

    def _cut(self) -> Iterator[TagBlock]:
        """Blocks of the part to play; none is of zero length."""
        if self._start < self._first:
            yield TagBlock.empty(self._start, self._first)
        if self._first >= self._stop:
            return
        for block in self.recording.blocks(self._first):
            part = block.take(self._first, self._stop)
            if part.end > part.begin:
                yield part
            if block.end >= self._stop:
                return
