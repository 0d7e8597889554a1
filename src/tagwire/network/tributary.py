"""One of several streams that flow together: what of it waits, and what of it came too late."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.overflows import MOST_MISSED, numbered
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, TagType, UInt16Array, concatenate

FAR_AHEAD = 1_000 * 10**12
"""Stream time in ps by which no server can be ahead that has the time base of the others."""

Report = tuple[int, int, int]
"""Type, channel and missed events of a tag; in those that begin and end overflows the number of the stream."""


class Tributary:
    """The stream of one server on its way into a `Confluence`.

    Parameters
    ----------
    number
        Which server, from 0.
    servers
        How many there are.
    begin
        Stream time in ps at which its stream begins.
    since
        Stream time at which the merged one begins; what was before is left out.

    Attributes
    ----------
    heard : int
        Stream time up to which its tags are known.
    ended : bool
        Whether nothing will come any more.
    gone : bool
        Whether it is known that nothing comes for now.
    lost : bool
        Whether it is known that nothing comes any more, though there would be something.
    absent : bool
        Whether the merged stream goes on without it.
    missed : Counter
        Events that came too late, by channel.
    size : int
        Number of tags that wait.
    """

    def __init__(self, number: int, servers: int, begin: int, since: int) -> None:
        self.heard = begin
        self.ended = self.gone = self.lost = self.absent = False
        self.missed: Counter[int] = Counter()
        self.size = 0
        self._since = since
        self._queue: deque[tuple[float, TagBlock]] = deque()
        self._late = _Late(number, servers + number)
        self._number = number

    @property
    def awaited(self) -> bool:
        """Whether the merged stream has to wait for it."""
        return not (self.ended or self.absent)

    @property
    def queued(self) -> bool:
        """Whether something of it was not given yet."""
        return bool(self._queue)

    @property
    def over(self) -> bool:
        """Whether nothing will come any more, and it was said so."""
        return self.ended or (self.lost and self.absent)

    @property
    def reports(self) -> bool:
        """Whether there is something to be put into the stream as soon as it goes on."""
        return self._late.any

    def waiting(self, position: int) -> float | None:
        """When that came which waits for others, in s; `None` where nothing reaches beyond `position`.

        What is ahead by far has another time base, and nobody is late for its sake.
        """
        return self._queue[0][0] if self._queue and 0 < self.heard - position <= FAR_AHEAD else None

    def push(self, block: TagBlock, now: float, position: int) -> None:
        """Take the next block; of an absent one that part is late which lies before `position`."""
        if block.begin != self.heard:
            raise ValueError(f"a block begins at {block.begin} ps, but the one before ended at {self.heard} ps")
        self.heard, self.gone = block.end, False
        early, block = block.split(self._since)
        self._late.pass_over(early)
        if self.absent:
            late, block = block.split(position)
            self.missed.update(self._late.add(late))
            if self.heard > position:
                self._return()
        if block.end > block.begin:
            self._queue.append((now, numbered(block, self._number)))
            self.size += len(block)

    def finish(self) -> None:
        """Nothing will come any more; so everything is known."""
        self.ended = True
        if self.absent:
            self._return()

    def part(self) -> None:
        """The merged stream goes on without it."""
        self.absent = self._late.begins = True

    def take(self, begin: int, end: int) -> list[TagBlock]:
        """What there is to be said of the span ``[begin, end)``: nothing, or one block in order of time."""
        parts = []
        while self._queue and self._queue[0][1].begin < end:
            came, block = self._queue.popleft()
            now, rest = block.split(end)
            parts.append(now)
            self.size -= len(now)
            if rest.end > rest.begin:
                self._queue.appendleft((came, rest))
        parts = [part for part in [self._late.report(begin, end), *parts] if len(part)]
        return [concatenate(begin, end, parts)] if len(parts) > 1 else parts

    def _return(self) -> None:
        self.absent, self._late.ends = False, True


class _Late:
    """What came too late and was not reported yet.

    Parameters
    ----------
    number
        Stands for the overflow ranges of the stream itself.
    absence
        Stands for the ranges in which the merged stream goes on without it.
    """

    def __init__(self, number: int, absence: int) -> None:
        self._number, self._absence = number, absence
        self._forget()

    def _forget(self) -> None:
        self.begins = self.ends = False
        self._lost: Counter[int] = Counter()
        self._errors = 0
        self._bound: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is something to report."""
        return bool(self.begins or self.ends or self._lost or self._errors or self._bound is not None)

    def pass_over(self, early: TagBlock) -> None:
        """What lies before the merged stream belongs to nobody, but an overflow that it begins goes on."""
        bound = _last_bound(early)
        if bound is not None:
            self._bound = bound if bound == TagType.OverflowBegin else None

    def add(self, block: TagBlock) -> Counter[int]:
        """Take in a block; give the number of its events by channel, those included that it says are missed."""
        types = block.types
        lost = _count(block.channel[types == TagType.TimeTag])
        missed = types == TagType.MissedEvents
        lost.update(_count(block.channel[missed], block.missed_events[missed]))
        self._lost.update(lost)
        self._errors += int(np.count_nonzero(types == TagType.Error))
        bound = _last_bound(block)
        self._bound = self._bound if bound is None else bound
        return lost

    def report(self, begin: int, end: int) -> TagBlock:
        """Everything as tags at `begin`, in a block up to `end`."""
        rows = self._rows() if self.any else []
        self._forget()
        if not rows:
            return TagBlock.empty(begin, end)
        kinds, channels, numbers = (list(column) for column in zip(*rows, strict=True))
        times: Int64Array = np.full(len(rows), begin, np.int64)
        columns = np.array(channels, np.int32), np.array(kinds, np.uint8), np.array(numbers, np.uint16)
        return TagBlock(begin, end, times, *columns)

    def _rows(self) -> list[Report]:
        within: list[Report] = [(TagType.Error, CHANNEL_UNUSED, 0)] * self._errors
        for channel, count in sorted(self._lost.items()):
            full, rest = divmod(count, MOST_MISSED)
            within += [(TagType.MissedEvents, channel, n) for n in [MOST_MISSED] * full + [rest] * (rest > 0)]
        if self._bound is not None:
            within.append((self._bound, CHANNEL_UNUSED, self._number))
        if self.begins and self.ends and not within:
            return []
        opening: list[Report] = [(TagType.OverflowBegin, CHANNEL_UNUSED, self._absence)] * self.begins
        return [*opening, *within, *[(TagType.OverflowEnd, CHANNEL_UNUSED, self._absence)] * self.ends]


def _last_bound(block: TagBlock) -> int | None:
    """Whether an overflow begins or ends last in a block; `None` where neither does."""
    bounds = block.type[(block.type == TagType.OverflowBegin) | (block.type == TagType.OverflowEnd)]
    return int(bounds[-1]) if len(bounds) else None


def _count(channels: Int32Array, weights: UInt16Array | None = None) -> Counter[int]:
    """Sum of `weights`, or number of tags, by channel."""
    found, places = np.unique(channels, return_inverse=True)
    counts = np.bincount(places, weights, len(found)).astype(np.int64)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
