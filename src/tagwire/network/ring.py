"""The last few seconds of a feed, encoded once, for any number of clients that read at their own pace.

A `Ring` keeps frames up to a number of bytes. Each client has a `Cursor` in it. One that is so slow that its next frame
is no longer there gets a gap in place of what it missed (see `gaps`) and goes on in the newer half; so what it got and
what it was told to have missed is what was sent, on each channel, always. No client makes the ring larger, and none
holds up the stream unless that is asked for.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from secrets import randbits

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.overflows import in_overflow
from tagwire.core.tags import TagBlock, parts
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.selection import count_events
from tagwire.errors import ArgumentError, EndOfFeed
from tagwire.frames.codec import encode
from tagwire.network.frame import Frame, Resume
from tagwire.network.gaps import Place, gap_frames

CAPACITY = 2**26
"""Bytes that a ring keeps by default."""

MEMORY = 8 * CAPACITY
"""Bytes that all rings of a server take together, and a few MB more for each."""

FRAME_TAGS = 2**18
"""Tags in a frame, at most; about 650 kB."""

FRAME_BYTES = 512
"""What a frame takes besides its data and counts."""

TAKE_BYTES = 2**20
"""Frames that are taken at once, in bytes, unless there is only one."""

PATIENCE = 10.0
"""Longest time in s that a patient stream waits for a client that takes nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A frame in the ring, the place behind it, and the bytes of all frames up to and with it."""

    frame: Frame
    behind: Place
    bytes: int


class Ring:
    """The frames of one feed.

    Parameters
    ----------
    channels
        Channels whose events are counted; the blocks have tags of these only, besides overflows and errors.
    capacity
        Bytes of frames that are kept, at least one frame.
    synchronous
        Whether `append` waits until every cursor has taken the frame: nothing is lost, and one that does not take
        stops the stream until it is closed.

    Attributes
    ----------
    id
        Random number by which the feed is known.
    """

    def __init__(self, channels: tuple[int, ...], capacity: int = CAPACITY, synchronous: bool = False) -> None:
        self.id = randbits(63)
        self.channels = tuple(channels)
        self.capacity, self.synchronous = capacity, synchronous
        self._index = ChannelIndex(self.channels)
        self._kept: dict[int, _Kept] = {}
        self._tail = 0
        self._head = Place(0, 0, np.zeros(len(self._index), np.int64), False)
        self._bytes = self._dropped = 0
        self._cursors: list[Cursor] = []
        self._closed = False
        self._error = ""
        self._writing = threading.Lock()
        self._changed = threading.Condition()

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._bytes - self._dropped

    @property
    def end(self) -> int:
        """Stream time in ps up to which there are frames."""
        return self._head.time

    @property
    def counts(self) -> NDArray[np.int64]:
        """Events of each channel since the first frame, those included that the stream reported as missed."""
        return self._head.counts.copy()

    @property
    def closed(self) -> bool:
        """Whether nothing more can come."""
        return self._closed

    def cursors(self) -> list[Cursor]:
        """All open cursors."""
        with self._changed:
            return list(self._cursors)

    def begin_at(self, time: int) -> None:
        """Say at which stream time in ps the first block will begin; nothing once there is one."""
        with self._changed:
            if not self._head.number:
                self._head = replace(self._head, time=time)

    def append(self, block: TagBlock, patient: bool = False) -> None:
        """Encode a block and offer it to all cursors; nothing after `close`. Any thread may call.

        Parameters
        ----------
        block
            It follows the last one without a gap.
        patient
            Wait rather than let a cursor lose frames, though no longer than `PATIENCE` for one that takes none.

        Raises
        ------
        ArgumentError
            (ValueError) The block does not begin where the last one ended.
        """
        with self._writing:
            if self._head.number and block.begin != self._head.time:
                raise ArgumentError(f"the feed is at {self._head.time} ps, but the block begins at {block.begin} ps")
            for part in parts(block, FRAME_TAGS):
                if part.begin < part.end:
                    self._keep(part)
                    self._wait(patient)

    def cursor(self, resume: Resume | None = None) -> Cursor:
        """A reader that begins with the next frame to come.

        Parameters
        ----------
        resume
            Where a client stood before its connection broke: it goes on there, over a gap if that was long ago. One
            of another feed is as good as none.

        Raises
        ------
        EndOfFeed
            (RuntimeError) The ring is closed.
        ArgumentError
            (ValueError) The feed has never come to that place.
        """
        with self._changed:
            if self._closed:
                raise EndOfFeed(self._error or "the stream of tags has ended")
            place = self._place(resume) if resume is not None and resume.feed == self.id else self._head
            cursor = Cursor(self, place)
            self._cursors.append(cursor)
            return cursor

    def close(self, error: str = "") -> None:
        """Let the cursors end behind the last frame; `error` says what broke the feed off, if anything did."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            self._changed.notify_all()

    def _keep(self, block: TagBlock) -> None:
        """Append a block as one frame, and drop the oldest ones for it."""
        last = self._head
        counts = last.counts + count_events(block, self._index)
        counts.flags.writeable = False
        frame = Frame(self.id, last.number, last.number, block.begin, block.end, counts, encode(block))
        behind = Place(last.number + 1, block.end, counts, in_overflow(block, last.within))
        size = len(frame.data) + counts.nbytes + FRAME_BYTES
        with self._changed:
            if self._closed:
                return
            self._bytes += size
            self._kept[frame.number] = _Kept(frame, behind, self._bytes)
            self._head = behind
            while self.size > self.capacity and self._tail < frame.number:
                self._dropped = self._kept.pop(self._tail).bytes
                self._tail += 1
            self._changed.notify_all()

    def _wait(self, patient: bool) -> None:
        """Wait for the cursors as far as somebody wants that."""
        if not (patient or self.synchronous):
            return
        room = 0 if self.synchronous else self.capacity // 2
        begin = time.monotonic()
        with self._changed:
            while not self._closed and (late := [c for c in self._cursors if c._unread() > room and not c._given_up]):
                if not self.synchronous and time.monotonic() - begin > PATIENCE:
                    for cursor in late:
                        cursor._given_up = True
                self._changed.wait(WAIT_SLICE)

    def _place(self, resume: Resume) -> Place:
        """The place of a client that comes again."""
        if not 0 <= resume.number <= self._head.number or len(resume.counts) != len(self.channels):
            raise ArgumentError(
                f"frame {resume.number} with counts of {len(resume.counts)} channels cannot be the next one of a feed "
                f"that has {self._head.number} frames of {len(self.channels)} channels"
            )
        if resume.number == self._head.number:
            return self._head
        if resume.number > self._tail:
            return self._kept[resume.number - 1].behind
        oldest = self._kept[self._tail].frame
        counts = np.array(resume.counts, np.int64)
        if resume.end > oldest.begin or np.any(counts < 0) or np.any(counts > oldest.counts):
            raise ArgumentError(f"frame {resume.number} of the feed was at another time or had other counts")
        return Place(resume.number, resume.end, counts, resume.within)

    def _newer_half(self) -> Place:
        """Where a cursor that has lost frames goes on: with room before it falls behind again."""
        numbers = range(self._tail, self._head.number)
        first = bisect_left(numbers, self._bytes - self.capacity // 2, key=lambda n: self._kept[n].bytes)
        return self._kept[self._tail + first].behind


class Cursor:
    """A client's place in a ring, made by `Ring.cursor`; for one thread, though any may close it.

    Attributes
    ----------
    missed : ndarray
        Events of each channel that were lost in gaps so far, int64.
    """

    def __init__(self, ring: Ring, place: Place) -> None:
        self._ring = ring
        self._place = place
        self._gap: Iterator[Frame] | None = None
        self._given_up = self._closed = False
        self.missed: NDArray[np.int64] = np.zeros(len(ring.channels), np.int64)

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self._place

    @property
    def lag(self) -> int:
        """Frames that have not been taken, those included that are no longer there."""
        return self._ring._head.number - self._place.number

    def take(self, timeout: float) -> list[Frame]:
        """The next frames, about `TAKE_BYTES` at most; none when there are none within `timeout` s.

        Raises
        ------
        EndOfFeed
            (RuntimeError) There will be no more: the ring or the cursor was closed.
        """
        ring = self._ring
        with ring._changed:
            self._given_up = False
            ring._changed.wait_for(lambda: self.lag or self._gap or self._closed or ring._closed, timeout)
            if self._closed or (ring._closed and not self.lag and not self._gap):
                raise EndOfFeed(ring._error or "the stream of tags has ended")
            if self._gap is None and self.lag and self._place.number < ring._tail:
                self._skip()
            if self._gap is None:
                return self._next()
        return self._piece()

    def close(self) -> None:
        """Leave the ring; nobody waits for this client any more."""
        with self._ring._changed:
            self._closed = True
            if self in self._ring._cursors:
                self._ring._cursors.remove(self)
            self._ring._changed.notify_all()

    def _next(self) -> list[Frame]:
        """Frames that are in the ring, from the present place on."""
        kept = self._ring._kept
        frames: list[Frame] = []
        size = 0
        while self.lag and (not frames or size + len(kept[self._place.number].frame.data) <= TAKE_BYTES):
            item = kept[self._place.number]
            frames.append(item.frame)
            size += len(item.frame.data)
            self._place = item.behind
        self._ring._changed.notify_all()
        return frames

    def _skip(self) -> None:
        """Go on in the newer half of the ring, and let what lies before it be told as a gap."""
        begin, end = self._place, self._ring._newer_half()
        self._gap = gap_frames(self._ring.id, self._ring.channels, begin, end)
        self._place = end
        self.missed = self.missed + (end.counts - begin.counts)
        self._ring._changed.notify_all()

    def _piece(self) -> list[Frame]:
        """The next frame of a gap, or what follows it."""
        assert self._gap is not None
        piece = next(self._gap, None)
        if piece is None:
            self._gap = None
            return self.take(0)
        return [piece]

    def _unread(self) -> int:
        """Bytes of frames that have not been taken."""
        ring = self._ring
        if not self.lag:
            return 0
        before = ring._kept.get(self._place.number - 1)
        return ring._bytes - (before.bytes if before is not None else ring._dropped)
