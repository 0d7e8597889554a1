"""The sessions of Tagwire's own clients, and the calls they make.

A session is all connections that name the same token. It ends with the last of them, and everything that it held is
released.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from tagwire.core.catalog import to_plain
from tagwire.errors import ArgumentKindError, ProtocolError
from tagwire.rpc.faults import to_fault
from tagwire.rpc.objects import Caller, Lease
from tagwire.rpc.service import Service
from tagwire.rpc.wire import Codec, Handle, Member

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Session:
    """One client."""

    token: str
    caller: Caller
    connections: int = 0


@dataclass(frozen=True)
class Answer:
    """What goes back: a packed result, or a fault if the request `failed`; `made` are ids of the live objects in it."""

    failed: bool
    payload: bytes
    made: list[str]


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

    A request is ``[operation, *operands]``: ``describe``; ``call`` name args kwargs; ``invoke`` id method args kwargs;
    ``get`` id name; ``set`` id name value; ``free`` id; ``release`` ids (of objects that the client has no use for).
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._description = service.catalog
        self._operations: dict[str, Callable[..., object]] = {
            "describe": self._describe,
            "call": service.call,
            "invoke": lambda i, name, args, kwargs, caller: service.invoke(Handle(i), name, args, kwargs, caller),
            "get": lambda i, name, caller: service.get(Handle(i), name, caller),
            "set": lambda i, name, value, caller: service.set(Handle(i), name, value, caller),
            "free": lambda i, caller: service.release(Handle(i), caller, free=True),
            "release": self._release,
        }

    def answer(self, request: bytes | memoryview, caller: Caller) -> Answer:
        """Do what is asked; never raises what the library does."""
        made: list[str] = []
        codec = Codec(outgoing=partial(self._outgoing, made))
        try:
            return Answer(False, codec.pack(self._do(codec.unpack(request), caller)), made)
        except Exception as error:
            log.debug("%s got %s", caller.name, type(error).__name__, exc_info=True)
            self._release(made, caller)
            return Answer(True, codec.pack(to_fault(error)), [])

    def withdraw(self, made: list[str], caller: Caller) -> None:
        """An answer with these objects did not reach its client, which therefore does not know them."""
        self._release(made, caller)

    def _do(self, request: Any, caller: Caller) -> object:
        if not isinstance(request, list) or not request or request[0] not in self._operations:
            raise ProtocolError("the request makes no sense to this server")
        operation, *operands = request
        return self._operations[operation](*operands, caller)

    def _release(self, object_ids: list[str], caller: Caller) -> None:
        for object_id in object_ids:
            self._service.release(Handle(object_id), caller)

    def _describe(self, caller: Caller) -> object:
        return to_plain(self._description)

    def _outgoing(self, made: list[str], value: object) -> object:
        if isinstance(value, Lease):
            made.append(value.id)
            return Handle(value.id, value.resource.spec.name)
        if isinstance(value, Enum):
            name = self._service.library.enum_name(value)
            return Member(name, value.value) if name else value.value
        raise ArgumentKindError(f"a result of type {type(value).__qualname__} cannot be sent to a client")
