"""A source that plays several recordings, one after the other."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagwire.core.arguments import integer
from tagwire.core.tags import TagBlock, TagType, pick, shift
from tagwire.recording.base import RecordedSource
from tagwire.recording.files import open_recording


@dataclass
class _Entry:
    """A queued recording."""

    number: int
    source: RecordedSource
    foreign: frozenset[int]
    shift: int | None = None


class ReplaySource:
    """Plays a queue of recordings.

    Parameters
    ----------
    path, begin, duration
        The first recording, as for `open_recording`. Its channels are the channels of the stream: tags of other
        channels in later recordings are left out (overflow tags never are). `None` begins with an empty queue, at 0.
    channels
        Channels of a stream that begins with an empty queue.

    Notes
    -----
    The first recording keeps its own times. Each later one is shifted so that it begins where the one before it
    ended, or where that was when the queue was cleared: stream time has neither gaps nor steps back, and the parts
    of a split recording fit together by themselves. All methods may be called from any thread.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        begin: int = 0,
        duration: int = -1,
        channels: Collection[int] = (),
    ) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Entry] = deque()
        self._last = 0
        self._position = 0
        self.channels = tuple(channels)
        self.configuration: dict[str, Any] = {}
        if path is not None:
            self._begin_with(open_recording(path, begin, duration))

    def _begin_with(self, first: RecordedSource) -> None:
        self.channels, self.configuration = first.channels, first.configuration
        self._position = first.begin
        self._queue.append(_Entry(1, first, frozenset()))
        self._last = 1

    @property
    def position(self) -> int:
        """Stream time in ps up to which it was read."""
        return self._position

    @property
    def queued(self) -> tuple[int, ...]:
        """Numbers of the recordings that are not finished, in order."""
        with self._lock:
            return tuple(entry.number for entry in self._queue)

    def append(self, path: str | os.PathLike[str], begin: int = 0, duration: int = -1, clear: bool = False) -> int:
        """Queue another recording; parameters and errors as for `open_recording`.

        Parameters
        ----------
        clear
            Drop everything that is queued before.

        Returns
        -------
        int
            Its number, counted from 1 for the first recording.
        """
        source = open_recording(path, begin, duration)
        foreign = frozenset(source.channels) - frozenset(self.channels)
        with self._lock:
            if clear:
                self._drop()
            self._last += 1
            self._queue.append(_Entry(self._last, source, foreign))
            return self._last

    def clear(self) -> None:
        """Drop everything that is queued, the recording being played included."""
        with self._lock:
            self._drop()

    def finished(self, number: int = 0) -> bool:
        """Whether a recording was played to its end or dropped; 0 asks for all of them.

        It is finished only when the block after its last one is asked for, so that all its tags have been handed on.
        """
        which = integer(number, "ID", 0, self._last)
        queued = self.queued
        return which not in queued if which else not queued

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next `span` ps or less; `None` while the queue is empty."""
        with self._lock:
            while self._queue:
                entry = self._queue[0]
                block = entry.source.read(span, wanted)
                if block is not None:
                    return self._placed(entry, block)
                entry.source.close()
                self._queue.popleft()
        return None

    def close(self) -> None:
        """Drop everything that is queued and close the files."""
        self.clear()

    def _placed(self, entry: _Entry, block: TagBlock) -> TagBlock:
        """The block as part of the stream."""
        if entry.shift is None:
            entry.shift = self._position - block.begin
        if entry.foreign:
            block = _without(block, entry.foreign)
        block = shift(block, entry.shift)
        self._position = block.end
        return block

    def _drop(self) -> None:
        for entry in self._queue:
            entry.source.close()
        self._queue.clear()


def _without(block: TagBlock, foreign: frozenset[int]) -> TagBlock:
    """The block without time tags and missed events of `foreign` channels."""
    drop = np.isin(block.channel, list(foreign))
    drop &= (block.types == TagType.TimeTag) | (block.types == TagType.MissedEvents)
    return pick(block, ~drop)
