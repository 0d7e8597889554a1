"""The stream server: feeds and settings of a Time Tagger behind Arrow Flight.

``do_get`` streams tags, ``do_action`` answers questions and changes settings; ``docs/stream-format.md`` says what goes
over the wire. Arrow Flight itself is in `door`; who may do what, and which feeds there are, is decided in `access` and
`feeds`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tagwire.core.address import Address
from tagwire.core.catalog.effects import changes_tagger
from tagwire.errors import ArgumentError, EndOfFeed, NotAllowed, ProtocolError
from tagwire.network.access import Access
from tagwire.network.door import open_door
from tagwire.network.entrance import Entrance
from tagwire.network.feeds import Feeds, Seat
from tagwire.network.frame import VERSION, Frame, Resume
from tagwire.network.ring import MEMORY
from tagwire.network.station import Station
from tagwire.network.steering import Steer, Wish, freely
from tagwire.security import EVERYBODY, Principal, ServerSecurity

logger = logging.getLogger(__name__)

HEARTBEAT_S = 0.5
"""After so many seconds without a tag a client is told that the server is there."""

GRACE_S = 2.0
"""Seconds that clients get at the end to read what is in the rings."""

LONGEST_NAME = 64
"""Characters in the name of a client, at most."""


class StreamServer:
    """Serves the stream of one Time Tagger from its creation until `close`.

    Parameters
    ----------
    station
        The Time Tagger.
    access
        What clients may do.
    address
        Where to listen; port 0 for any free one.
    security
        Keys and tokens; without them only this computer is served.
    memory
        Bytes that clients that are slow can take, all together.
    steer
        Makes the calls that change the Time Tagger, or refuses to.

    Raises
    ------
    StateError
        (RuntimeError) The address cannot be had, or is not this computer's alone and there are no keys.
    """

    def __init__(
        self,
        station: Station,
        access: Access,
        address: Address,
        security: ServerSecurity | None = None,
        memory: int = MEMORY,
        steer: Steer = freely,
    ) -> None:
        self.access, self._steer = access, steer
        self._station, self._security = station, security
        self._feeds = Feeds(station, access, memory)
        self._closing = threading.Event()
        self._entrance: Entrance
        self._door, self._entrance, port = open_door(self, address, security)
        self.address = Address(address.host, port)
        self._keeper = threading.Thread(target=self._keep, name="tagwire-stream-server", daemon=True)
        self._keeper.start()

    def clients(self) -> list[str]:
        """Addresses of all who read the stream, as ``host:port``."""
        return sorted({seat.peer for seat in self._feeds.seats()})

    def information(self) -> dict[str, Any]:
        """Settings and channels, as values that JSON can hold."""
        existing = self._feeds.existing()
        return {
            "access mode": self.access.mode.name,
            "configuration": self._station.configuration(),
            "exposed channels": list(self.access.exposed(existing)),
            "hardware channels": list(self._station.hardware()),
            "virtual channels": list(self._station.virtual()),
            "stream version": VERSION,
        }

    def close(self, reason: str = "the server was stopped") -> None:
        """Let clients read what is there, as far as they do, and end; more than once is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._feeds.close(reason)
        deadline = time.monotonic() + GRACE_S
        while self._feeds.seats() and time.monotonic() < deadline:
            time.sleep(0.01)
        for seat in self._feeds.seats():
            self._entrance.cut(seat.peer)
        # Where a connection cannot be cut, a thread stays behind rather than the caller.
        end = threading.Thread(target=self._door.shutdown, name="tagwire-stream-end", daemon=True)
        end.start()
        end.join(GRACE_S)
        self._entrance.close()
        self._keeper.join()

    # --- what the door asks for --------------------------------------------------------------------------------

    def comes(self, peer: str) -> str:
        """Somebody who may makes a request; from where, as ``host:port``."""
        return self._entrance.comes(peer)

    def greet(self, ticket: dict[str, Any], peer: str) -> tuple[Seat, dict[str, Any]]:
        """A place in a feed, and what the client is told first."""
        channels, resume = ticket.get("channels"), ticket.get("resume")
        if channels is not None and not (isinstance(channels, list) and all(type(c) is int for c in channels)):
            raise ArgumentError(f"channels is {channels!r}, but must be a list of channel numbers")
        try:
            place = Resume(**(resume | {"counts": tuple(resume["counts"])})) if resume else None
        except (TypeError, KeyError) as error:
            raise ProtocolError(f"resume is {resume!r}, which makes no sense") from error
        seat = self._feeds.join(channels, place, _client(ticket), peer)
        head = {"version": VERSION, "epoch": self._feeds.epoch, "synchronous": self.access.synchronous}
        return seat, head | seat.greeting()

    def stream(self, seat: Seat, cancelled: Callable[[], bool], who: Principal) -> Iterator[list[Frame]]:
        """The frames for a client as they come; an empty list now and then while there are none."""
        try:
            while not cancelled() and (self._security is None or self._security.welcomes_still(who)):
                yield seat.take(HEARTBEAT_S)
        except EndOfFeed as error:
            logger.debug("the stream to %s ends: %s", seat.peer, error)

    def leave(self, seat: Seat) -> None:
        """A client has gone."""
        self._feeds.leave(seat)

    def answer(self, name: str, request: Any, who: Principal, peer: str) -> Any:
        """Carry out an action."""
        if not isinstance(request, dict):
            raise ProtocolError("a request is a JSON object")
        match name:
            case "info":
                return self.information()
            case "call":
                return self._call(request, who, peer)
            case "fence":
                return self._fence(_client(request))
            case "alive":
                return self._feeds.hear(_client(request))
            case "clients":
                return self.clients()
        raise ProtocolError(f"there is no action {name!r}")

    def authenticate(self, token: str) -> Principal | None:
        """Who shows a token."""
        if self._security is None:
            return EVERYBODY
        principal = self._security.verify(token)
        if principal is None and self._security.audit:
            self._security.audit.refused("", "no known token", call="stream")
        return principal

    def _call(self, request: dict[str, Any], who: Principal, peer: str) -> Any:
        """Call a method of the Time Tagger for somebody who may."""
        method, args, kwargs = str(request.get("method")), request.get("args", []), request.get("kwargs", {})
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ProtocolError("args is a list, and kwargs an object")
        audit = self._security.audit if self._security else None
        try:
            self.access.check_call(method, who.role)
        except NotAllowed:
            if audit:
                audit.record("not allowed", who.name, call=method, arguments=args)
            raise
        if not changes_tagger(method):
            return self._station.call(method, args, kwargs)

        def call() -> Any:
            if audit:
                audit.record("called", who.name, call=method, arguments=args)
            return self._station.call(method, args, kwargs)

        return self._steer(Wish(method, who, peer, args, kwargs), call)

    @property
    def epoch(self) -> int:
        """Random number of this life of the server."""
        return self._feeds.epoch

    def _fence(self, client: str) -> dict[str, int]:
        """From which time on the tags of a client's stream are younger than this call."""
        now = self._station.fence()
        if now is None:  # nothing flows, so nothing comes behind what is in the ring
            now = min((seat.end for seat in self._feeds.seats() if seat.client == client), default=0)
        return {"epoch": self._feeds.epoch, "time": now}

    def _keep(self) -> None:
        while not self._closing.wait(1.0):
            for seat in self._feeds.sweep():
                logger.warning("%s has not been heard of for long and is sent away", seat.peer)
                self.leave(seat)
                self._entrance.cut(seat.peer)


def _client(request: dict[str, Any]) -> str:
    """What the client calls itself; it is remembered, so it must not be long."""
    name = request.get("client", "")
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise ArgumentError(f"client must be a text of at most {LONGEST_NAME} characters, not {str(name)[:80]!r}")
    return name
