"""The feeds of one server, one for each set of channels, and the clients that read them.

No sockets and no threads of its own: whoever serves calls `sweep` now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from secrets import randbits

from tagwire.errors import EndOfFeed, StateError
from tagwire.network.access import Access
from tagwire.network.frame import Frame, Resume
from tagwire.network.ring import CAPACITY, MEMORY, Cursor
from tagwire.network.station import Outlet, Station

KEPT_S = 10.0
"""Seconds that a feed waits for a client that comes again."""

SILENT_S = 10.0
"""Seconds of silence after which a synchronous server takes a client for dead."""

CAPACITY_MIN = 2**22
MOST_SEATS = 512

MOST_FEEDS = 128
"""Feeds at a time: each takes memory, and time of the stream."""


class Seat:
    """The place of one client in a feed.

    Attributes
    ----------
    channels
        Channels of the feed, in the order of its counts.
    begin
        Stream time in ps at which the first frame will begin.
    client, peer
        The client's own name for itself, which may be empty, and its address.
    """

    def __init__(self, outlet: Outlet, cursor: Cursor, client: str, peer: str) -> None:
        self.channels = outlet.ring.channels
        self.client, self.peer = client, peer
        self.feed = outlet.ring.id
        self._outlet, self._cursor = outlet, cursor
        self.begin = cursor.place.time
        self._heard = time.monotonic()

    def greeting(self) -> dict[str, object]:
        """Where the client stands in the feed, before its first frame."""
        place = self._cursor.place
        return {
            "feed": self.feed,
            "channels": list(self.channels),
            "number": place.number,
            "begin": self.begin,
            "counts": place.counts.tolist(),
            "within": place.within,
        }

    def take(self, timeout: float) -> list[Frame]:
        """The next frames, none within `timeout` s; EndOfFeed (RuntimeError) when there will be no more."""
        self.hear()
        return self._cursor.take(timeout)

    def hear(self) -> None:
        """The client has shown that it is alive."""
        self._heard = time.monotonic()

    @property
    def dead(self) -> bool:
        """Whether frames wait for a client that has not been heard of for long."""
        return self._cursor.lag > 0 and time.monotonic() - self._heard > SILENT_S

    @property
    def end(self) -> int:
        """Stream time in ps up to which there are frames."""
        return self._outlet.ring.end

    def close(self) -> None:
        """Leave the feed."""
        self._cursor.close()


class _Entry:
    def __init__(self, outlet: Outlet, capacity: int) -> None:
        self.outlet, self.capacity = outlet, capacity
        self.idle_since = time.monotonic()


class Feeds:
    """All feeds of a server.

    Parameters
    ----------
    station
        The Time Tagger.
    access
        Which channels are given, and whether the stream waits.
    memory
        Bytes for all rings together.

    Attributes
    ----------
    epoch
        Random number of this life of the server.
    """

    def __init__(self, station: Station, access: Access, memory: int = MEMORY) -> None:
        self.epoch = randbits(63)
        self._station, self._access, self._memory = station, access, memory
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._entries: dict[tuple[int, ...], _Entry] = {}
        self._seats: list[Seat] = []
        self._closed = ""

    def seats(self) -> list[Seat]:
        """All clients that read."""
        with self._lock:
            return list(self._seats)

    def existing(self) -> tuple[int, ...]:
        """All channels of the Time Tagger."""
        return self._station.hardware() + self._station.virtual()

    def join(self, channels: Collection[int] | None, resume: Resume | None, client: str, peer: str) -> Seat:
        """Let a client read.

        Parameters
        ----------
        channels
            What it wants; `None` for all that are exposed.
        resume
            Where it stood before its connection broke.
        client, peer
            Its own name for itself, and its address.

        Raises
        ------
        ArgumentError
            (ValueError) A channel that is not there for it.
        StateError
            (RuntimeError) There are too many clients, or too many different sets of channels.
        EndOfFeed
            (RuntimeError) The server is closing.
        """
        existing = self.existing()
        wanted = self._access.check_channels(self._access.exposed(existing) if channels is None else channels, existing)
        if len(self._seats) >= MOST_SEATS:
            raise StateError(f"there are {MOST_SEATS} streams already; chain servers with `tagwire relay` for more")
        entry = self._entry(wanted)
        seat = Seat(entry.outlet, entry.outlet.ring.cursor(resume), client, peer)
        with self._lock:
            self._seats.append(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """A client goes; its feed stays for a while."""
        seat.close()
        with self._lock:
            if seat in self._seats:
                self._seats.remove(seat)
            entry = self._entries.get(seat.channels)
            if entry is not None:
                entry.idle_since = time.monotonic()

    def hear(self, client: str) -> None:
        """A client has said that it is alive."""
        for seat in self.seats():
            if seat.client == client:
                seat.hear()

    def sweep(self) -> list[Seat]:
        """Close feeds that nobody has read for long; gives the clients that a synchronous stream waits for in vain."""
        now = time.monotonic()
        with self._lock:
            read = {seat.channels for seat in self._seats}
            idle = [k for k, e in self._entries.items() if k not in read and now - e.idle_since > KEPT_S]
            gone = [self._entries.pop(k) for k in idle]
        for entry in gone:
            entry.outlet.close()
        return [seat for seat in self.seats() if self._access.synchronous and seat.dead]

    def close(self, reason: str) -> None:
        """End all feeds, and take no more clients."""
        with self._lock:
            self._closed = reason
            entries, self._entries = list(self._entries.values()), {}
        for entry in entries:
            entry.outlet.ring.close(reason)  # all of them first: the stream may be waiting for a client of any
        for entry in entries:
            entry.outlet.close()

    def _entry(self, channels: tuple[int, ...]) -> _Entry:
        """The feed of these channels, made where there is none.

        Making one waits for the stream, which may wait for a dead client that only `sweep` can send away: so nobody
        else's lock is held meanwhile.
        """
        with self._making:
            with self._lock:
                entry = self._entries.get(channels)
                capacity = self._capacity()
            if entry is not None and not entry.outlet.ring.closed:  # closed where the stream broke off
                entry.idle_since = time.monotonic()
                return entry
            if entry is not None:
                entry.outlet.close()
            self._make_room()
            entry = _Entry(self._station.outlet(channels, capacity, self._access.synchronous), capacity)
            with self._lock:
                if not self._closed:
                    self._entries[channels] = entry
                    return entry
        entry.outlet.close()
        raise EndOfFeed(self._closed)

    def _make_room(self) -> None:
        """Close the feed that nobody has read for longest, where there are as many as there may be."""
        with self._lock:
            if len(self._entries) < MOST_FEEDS:
                return
            idle = set(self._entries).difference(seat.channels for seat in self._seats)
            if not idle:
                raise StateError(
                    f"clients read {MOST_FEEDS} different sets of channels already; ask for one that another client has"
                )
            gone = self._entries.pop(min(idle, key=lambda channels: self._entries[channels].idle_since))
        gone.outlet.close()

    def _capacity(self) -> int:
        """Room for one more ring: half of what is left, so that there always is some."""
        left = self._memory - sum(e.capacity for e in self._entries.values())
        return max(CAPACITY_MIN, min(CAPACITY, left // 2))
