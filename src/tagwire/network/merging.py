"""Several sources of tags as one: each has its own channel numbers, and who lags is not waited for endlessly.

What waits for whom, and what becomes of tags that come too late, stands in `tagwire.network.confluence`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tagwire.core.arguments import real
from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.errors import ArgumentError
from tagwire.network.confluence import Confluence
from tagwire.network.numbering import Numbering
from tagwire.sources.base import Source

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""Seconds for which the tags of the others wait for a server, unless something else is asked for."""

WAITING_TAGS = 2**21
"""Tags of one source that wait for the others, at most, and one block more: 25 MB."""

AHEAD_PS = 5 * 10**12
"""Stream time by which a source may be ahead of the merged stream; no more is taken from it then."""

LOOK_S = 0.01
"""Longest time in s between two looks at all sources."""


@runtime_checkable
class Live(Protocol):
    """A source that is not always ready, such as that of a server."""

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` s until `read` has something to give."""
        ...


@dataclass(frozen=True)
class Standing:
    """How one server stands to the others.

    Attributes
    ----------
    absent
        Whether the merged stream goes on without it now.
    lag
        How far it is behind the one that is ahead of all, in ps of stream time.
    missed
        Events of each of its channels that came too late since the beginning, as far as it is known.
    """

    absent: bool
    lag: int
    missed: dict[int, int]


class MergedSource:
    """Sources with a common time base as one; a `tagwire.sources.base.Source`.

    Parameters
    ----------
    sources
        At least one; the channels of the n-th have the numbers that `Numbering` gives them, or their own where there is
        only one. What a single one gives is passed on as it is.
    patience
        Longest real time in s that a tag waits for the tags of another source; negative: for ever.
    clock
        Gives real time in s.

    Notes
    -----
    The stream begins at the latest time at which one of the sources does. It ends when all of them have ended; one that
    ended before is silent. One that raises an error is gone for good, which shows as an overflow that does not end; the
    error of the last one is raised.

    What a source has ready is taken only as far as there is room for it, so memory is bounded.
    """

    def __init__(
        self, sources: Sequence[Source], patience: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not sources:
            raise ArgumentError("sources is empty, but must have at least one")
        self.sources = tuple(sources)
        alone = len(self.sources) == 1
        self.numberings = tuple(Numbering(0 if alone else place) for place, _ in enumerate(self.sources, 1))
        self._clock = clock
        self._lock = threading.Lock()
        self._flow = Confluence([source.position for source in self.sources], real(patience, "patience"))
        self._open = set(range(len(self.sources)))
        self._wanted: Collection[int] = ()
        self._failure: Exception | None = None

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of all sources, with their numbers in the merged stream."""
        both = zip(self.sources, self.numberings, strict=True)
        return tuple(numbering.client(channel) for source, numbering in both for channel in source.channels)

    @property
    def position(self) -> int:
        """Stream time in ps up to which the merged stream was read."""
        return self._flow.position

    @property
    def patience(self) -> float:
        """Longest real time in s that a tag waits for another server; negative: for ever. May be set at any time."""
        return self._flow.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._flow.patience = real(seconds, "patience")

    def standing(self, place: int) -> Standing:
        """How the source with this place in `sources` stands to the others."""
        with self._lock:
            return Standing(self._flow.absent(place), self._flow.lag(place), self._flow.missed(place))

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next block, of at most `span` ps; an empty one of no length while there is none; never waits."""
        with self._lock:
            self._wanted = wanted
            limit = min(self._flow.position + span, TIME_MAX)
            self._gather(limit)
            block = self._flow.take(limit, self._clock())
            if block is not None:
                return block
            return None if self._flow.ended else TagBlock.empty(self.position, self.position)

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` s until `read` has something to give."""
        end = self._clock() + timeout
        while True:
            with self._lock:
                self._gather(TIME_MAX)
                now = self._clock()
                if self._flow.ready(now):
                    return True
                holder = self.sources[self._flow.holder()]
                deadline = self._flow.deadline()
            if now >= end:
                return False
            until = min(end, now + LOOK_S, end if deadline is None else deadline)
            if isinstance(holder, Live):
                holder.wait(max(0.0, until - now))

    def close(self) -> None:
        """Close all sources; more than once is fine."""
        for source in self.sources:
            source.close()

    def _gather(self, limit: int) -> None:
        """Take what the sources have ready, as far as it is needed or there is room for it."""
        for place in tuple(self._open):
            while place in self._open and self._has_room(place, limit) and self._pull(place, limit):
                pass
        if not self._open and self._failure is not None and self._flow.ended:
            raise self._failure

    def _has_room(self, place: int, limit: int) -> bool:
        ahead = self._flow.heard(place) - self._flow.position
        if self._flow.heard(place) >= limit or ahead > AHEAD_PS:
            return False
        return ahead <= 0 or (isinstance(self.sources[place], Live) and self._flow.waiting(place) < WAITING_TAGS)

    def _pull(self, place: int, limit: int) -> bool:
        """Take a block of a source; False when it has none now."""
        source, numbering = self.sources[place], self.numberings[place]
        try:
            block = source.read(limit - self._flow.heard(place), numbering.servers(self._wanted))
        except Exception as error:
            logger.exception("the stream of server %d broke off", place + 1)
            self._failure = error
            self._open.discard(place)
            self._flow.leave(place, for_good=True)
            return False
        if block is None:
            self._failure = None
            self._open.discard(place)
            self._flow.end(place)
            return False
        if block.end > block.begin:
            self._flow.push(place, numbering.block(block), self._clock())
        return block.end > block.begin
