"""The sessions of Tagwire's own clients, and the calls they make.

A session is all connections that name the same token. It ends with the last of them, and everything that it held is
released.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from tagwire.core.catalog import to_plain
from tagwire.errors import ArgumentKindError, ProtocolError
from tagwire.rpc.faults import to_fault
from tagwire.rpc.objects import Caller, Lease
from tagwire.rpc.service import Service
from tagwire.rpc.wire import Codec, Handle, Member

log = logging.getLogger(__name__)

OPERATIONS = ("describe", "call", "invoke", "get", "set", "free", "release")

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


class Operations:
    """What a client of ours can ask for.

    A request is ``[number, operation, *operands]``, the number being new in the session: ``describe``; ``call`` name
    args kwargs; ``invoke`` id method args kwargs; ``get`` id name; ``set`` id name value; ``free`` id; ``release`` list
    (ids of objects that the client has no use for, numbers of requests whose answers it did not await).
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._description = service.catalog
        self._operations: dict[str, Callable[..., object]] = {
            "describe": self._describe,
            "call": lambda name, args, kwargs, session: service.call(name, args, kwargs, session.caller),
            "invoke": lambda i, name, args, kwargs, session: service.invoke(
                Handle(i), name, args, kwargs, session.caller
            ),
            "get": lambda i, name, session: service.get(Handle(i), name, session.caller),
            "set": lambda i, name, value, session: service.set(Handle(i), name, value, session.caller),
            "free": lambda i, session: service.release(Handle(i), session.caller, free=True),
            "release": self._release,
        }

    def answer(self, request: bytes | memoryview, session: Session) -> tuple[bool, bytes]:
        """Whether the request failed, and the packed result or fault."""
        made: list[str] = []
        codec = Codec(outgoing=partial(self._outgoing, made))
        try:
            number, *content = _request(codec.unpack(request))
            payload = codec.pack(self._do(content, session))
        except Exception as error:
            log.debug("%s got %s", session.caller.name, type(error).__name__, exc_info=True)
            self._release(made, session)
            return True, codec.pack(to_fault(error))
        if made:
            self._release(session.unclaimed.offer(number, made), session)
        return False, payload

    def _do(self, content: list[Any], session: Session) -> object:
        operation, *operands = content
        return self._operations[operation](*operands, session)

    def _release(self, dropped: Sequence[str | int], session: Session) -> None:
        for item in dropped:
            object_ids = session.unclaimed.give_up(item) if isinstance(item, int) else [item]
            for object_id in object_ids:
                self._service.release(Handle(object_id), session.caller)

    def _describe(self, session: Session) -> object:
        return to_plain(self._description)

    def _outgoing(self, made: list[str], value: object) -> object:
        if isinstance(value, Lease):
            made.append(value.id)
            return Handle(value.id, value.resource.spec.name)
        if isinstance(value, Enum):
            name = self._service.library.enum_name(value)
            return Member(name, value.value) if name else value.value
        raise ArgumentKindError(f"a result of type {type(value).__qualname__} cannot be sent to a client")


def _request(value: Any) -> list[Any]:
    if not (isinstance(value, list) and len(value) > 1 and type(value[0]) is int and value[1] in OPERATIONS):
        raise ProtocolError("the request makes no sense to this server")
    return value
