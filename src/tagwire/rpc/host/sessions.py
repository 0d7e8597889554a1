"""The sessions of Tagwire's own clients: what a client makes belongs to its session, not to its connection.

A `Client` is one program; its `Session` owns the objects. A client that says goodbye ends its session; one that is
lost (cable, crash, laptop lid) may come back within the grace time and finds everything as it was. A session with a
name stays until it is told to end: whoever comes back with the name, as the same principal, finds it, and several
clients may be in it at once. What they hold they hold together.
"""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tagwire.core.catalog import Kind
from tagwire.errors import ArgumentError, LimitReached, ObjectGone
from tagwire.rpc.host.objects import Caller, Lease
from tagwire.rpc.host.pyro import Refused
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client, Push, Session, nowhere
from tagwire.rpc.limits import Limits
from tagwire.security import Principal

log = logging.getLogger(__name__)

GRACE_S = 60.0
"""How long a session outlives a connection that broke, unless the server is told otherwise."""

MOST_TEXT = 100
"""Most characters of the name of a session, and of what a client says of itself."""


_PASSING = (Kind.DATA, Kind.VALUE, Kind.READER)
"""Kinds of objects that go when a client drops them, in a session that keeps its objects too."""


class Sessions:
    """All sessions of a server.

    Parameters
    ----------
    grace
        Seconds that a session outlives a connection that broke.
    limits
        How many sessions there may be (the oldest of those that wait for their client in vain gives way to a new one),
        and how many with a name one principal may have; without authentication everybody is the same one.
    clock
        Time in s.
    changed
        Called when something may be due earlier than `end_due` said.
    """

    def __init__(
        self,
        service: Service,
        grace: float = GRACE_S,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._service = service
        self._grace, self._limits, self._clock, self._changed = grace, limits or Limits(), clock, changed
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._clients: dict[str, Client] = {}
        self._count = 0
        self._listeners: tuple[Callable[[str, Client], object], ...] = ()

    def listen(self, listener: Callable[[str, Client], object]) -> None:
        """Call `listener` with ``"came"``, ``"came back"``, ``"was lost"`` or ``"went"`` and the client."""
        self._listeners = (*self._listeners, listener)

    def join(self, hello: Mapping[str, Any], principal: Principal, push: Push) -> Client:
        """A connection was opened by the client that says `hello` (see `tagwire.rpc.client.greeting`).

        `Refused`, `ArgumentError` or `LimitReached` when it asks for what this principal cannot have.
        """
        client_id, name, who = _client_id(hello), _label(hello, "session"), _label(hello, "who")
        with self._lock:
            client = self._clients.get(client_id)
            back = client is not None
            if client is None:
                client = self._enter(client_id, name, principal, who)
            elif (client.caller.principal, client.caller.role) != (principal.name, str(principal.role)):
                raise Refused("this client came with another token before")
            client.connections += 1
            client.push, client.end = push, math.inf
            client.known = back
            client.resumed |= back
        self._service.controls.connected(client.caller)
        self._tell("came back" if back else "came", client)
        return client

    def leave(self, client: Client, clean: bool) -> None:
        """A connection of the client has closed; `clean` when it has said goodbye before."""
        with self._lock:
            client.connections -= 1
            if client.connections:
                return
            client.push = nowhere
            client.end = self._clock() + (0 if clean else self._grace)
        if clean:
            self._service.controls.left(client.caller)
        else:
            self._service.controls.disconnected(client.caller)
            self._tell("was lost", client)
        self.end_due()
        self._changed()

    def keep(self, client: Client, name: str) -> str:
        """Let the client's session stay until it is told to end; the name by which to come back to it."""
        name = _checked(name, "name") or client.session.name or client.session.id
        with self._lock:
            session = client.session
            known = self._named(name, session.principal)
            if known is not None and known is not session:
                raise ArgumentError(f"there is another session {name!r} already")
            if not session.kept:
                self._check_names(session.principal)
            session.name, session.kept = name, True
        return name

    def end(self, client: Client) -> None:
        """Release everything that the client's session holds, and forget its name; its clients stay connected."""
        with self._lock:
            session = client.session
            session.name, session.kept = "", False
        log.info("%s ends its session", client.caller.label)
        self._release(session)

    def drop(self, client: Client, object_id: str) -> None:
        """The client has no use for the object any more; what runs in a session that is kept goes on running."""
        registry = self._service.registry
        with contextlib.suppress(ObjectGone):
            lease = registry.find(object_id, client.caller)
            if not client.session.kept or lease.resource.spec.kind in _PASSING:
                registry.release(lease)

    def held(self, client: Client, kinds: Iterable[Kind]) -> list[Lease]:
        """What the client's session holds of these kinds, oldest first."""
        leases = reversed(self._service.registry.held_by(client.caller))
        return [lease for lease in leases if lease.resource.spec.kind in kinds]

    def is_over(self, client: Client) -> bool:
        """Whether the client's session has ended: what a call that was under way has made then belongs to nobody."""
        with self._lock:
            return client.session.id not in self._sessions

    def clients(self) -> list[Client]:
        """Who is connected, in the order of coming."""
        with self._lock:
            return [client for client in self._clients.values() if client.connections]

    def end_due(self) -> float:
        """End what is over: clients, and sessions, whose grace has passed; returns when the next one's will have."""
        with self._lock:
            gone, over = self._end_due()
            due = min((client.end for client in self._clients.values()), default=math.inf)
        for client in gone:
            self._tell("went", client)
        for session in over:
            self._release(session)
        return due

    def _enter(self, client_id: str, name: str, principal: Principal, who: str) -> Client:
        session = self._named(name, principal.name)
        resumed = session is not None
        session = session or self._begin(name, principal)
        self._count += 1
        caller = Caller(
            f"client {self._count}", domain=session.id, role=str(principal.role), who=who, principal=principal.name
        )
        client = self._clients[client_id] = Client(client_id, session, caller, resumed=resumed)
        session.clients.add(client)
        return client

    def _begin(self, name: str, principal: Principal) -> Session:
        self._make_room(principal.name)
        if name:
            self._check_names(principal.name)
        session = Session(secrets.token_hex(8), name, principal.name, kept=bool(name))
        self._sessions[session.id] = session
        return session

    def _named(self, name: str, principal: str) -> Session | None:
        sessions = (s for s in self._sessions.values() if s.name == name and s.principal == principal)
        return next(sessions, None) if name else None

    def _check_names(self, principal: str) -> None:
        kept = [session.name for session in self._sessions.values() if session.kept and session.principal == principal]
        if len(kept) >= self._limits.sessions_per_client:
            raise LimitReached(
                f"{len(kept)} sessions with names are kept for you, the most that this server allows; end one: "
                f'tagwire.connect(host, session="{kept[0]}").session.end()'
            )

    def _make_room(self, principal: str) -> None:
        """Where there is no place for one more session, end the oldest of those that wait for their clients in vain.

        So crashes lock nobody out. Who has used up the share of one token makes room among the own ones.
        """
        own = [session for session in self._sessions.values() if principal and session.principal == principal]
        if len(own) >= self._limits.sessions_per_token:
            self._end_waiting(
                own,
                f"there are {len(own)} sessions of {principal}, the most for one token; end some of them, or ask for "
                "another token",
            )
        elif len(self._sessions) >= self._limits.sessions:
            everybody = list(self._sessions.values())
            self._end_waiting(everybody, f"this server has {len(everybody)} sessions, the most that it allows at once")

    def _end_waiting(self, sessions: list[Session], full: str) -> None:
        now = self._clock()
        waiting = (s for s in sessions if not s.kept and all(now < client.end < math.inf for client in s.clients))
        oldest = next(waiting, None)
        if oldest is None:
            raise LimitReached(full)
        for client in oldest.clients:
            client.end = now
        self._changed()

    def _end_due(self) -> tuple[list[Client], list[Session]]:
        """Forget the clients whose time is over; also the sessions that nobody is left in."""
        now = self._clock()
        gone = [client for client in self._clients.values() if client.end <= now]
        for client in gone:
            del self._clients[client.id]
            client.session.clients.discard(client)
            client.gone = True
        over = [s for s in self._sessions.values() if not s.clients and not s.kept]
        for session in over:
            del self._sessions[session.id]
        return gone, over

    def _release(self, session: Session) -> None:
        owner = Caller("the server", domain=session.id)
        self._service.registry.release_all(owner)
        self._service.controls.session_ended(owner)

    def _tell(self, what: str, client: Client) -> None:
        log.info("%s (%s) %s", client.caller.name, client.caller.label, what)
        for listener in self._listeners:
            listener(what, client)


def _client_id(hello: Mapping[str, Any]) -> str:
    client_id = hello.get("client")
    if not isinstance(client_id, str) or not 16 <= len(client_id) <= MOST_TEXT:
        raise Refused("a client has to name itself by a secret of 16 to 100 characters")
    return client_id


def _label(hello: Mapping[str, Any], key: str) -> str:
    value = hello.get(key, "")
    if not isinstance(value, str):
        raise Refused(f"{key} has to be text")
    return _checked(value, key)


def _checked(value: str, key: str) -> str:
    if len(value) > MOST_TEXT or not value.isprintable():
        raise ArgumentError(f"{key} has to be at most {MOST_TEXT} printable characters, not {value[:MOST_TEXT]!r}")
    return value
