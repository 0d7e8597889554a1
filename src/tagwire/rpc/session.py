"""The sessions of Tagwire's own clients.

A session is all connections that name the same token. It ends with the last of them, and everything that it held is
released.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TypeVar

from tagwire.rpc.objects import Caller
from tagwire.rpc.service import Service

log = logging.getLogger(__name__)

Value = TypeVar("Value")


class Unclaimed:
    """Objects made by requests whose answers the client may not have got: it may give up waiting, by Ctrl-C say.

    Of each request that made objects, the ids stay here for a while. The latest `KEPT` are enough: a client gives up
    in the middle of a call or not at all.
    """

    KEPT = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[int, list[str]] = {}
        self._given_up: dict[int, None] = {}

    def offer(self, number: int, made: list[str]) -> list[str]:
        """Request `number` has made objects; those that nobody waits for any more."""
        with self._lock:
            if number in self._given_up:
                return made
            _keep(self._made, number, made, self.KEPT)
            return []

    def give_up(self, number: int) -> list[str]:
        """The client did not wait for the answer to `number`; the objects made for it, if it is done already."""
        with self._lock:
            _keep(self._given_up, number, None, self.KEPT)
            return self._made.pop(number, [])


def _keep(latest: dict[int, Value], number: int, value: Value, count: int) -> None:
    latest[number] = value
    if len(latest) > count:
        del latest[next(iter(latest))]


@dataclass(eq=False)
class Session:
    """One client."""

    token: str
    caller: Caller
    connections: int = 0
    unclaimed: Unclaimed = field(default_factory=Unclaimed)


class Sessions:
    """The clients that are connected now."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._count = 0

    def join(self, token: str) -> Session:
        """A connection of the client `token` was opened."""
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                self._count += 1
                session = self._sessions[token] = Session(token, Caller(f"client {self._count}", domain=token))
                log.info("%s came", session.caller.name)
            session.connections += 1
            return session

    def leave(self, session: Session) -> None:
        """A connection of the client has closed; with the last one everything it held is released."""
        with self._lock:
            session.connections -= 1
            if session.connections:
                return
            del self._sessions[session.token]
        log.info("%s went", session.caller.name)
        self._service.registry.release_all(session.caller)
