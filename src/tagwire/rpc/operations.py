"""The calls that Tagwire's own clients make: requests in, packed answers out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import Any

from tagwire.core.catalog import to_plain
from tagwire.core.faults import to_fault
from tagwire.errors import ArgumentKindError, ProtocolError
from tagwire.rpc.objects import Lease
from tagwire.rpc.service import Service
from tagwire.rpc.session import Client
from tagwire.rpc.wire import Codec, Handle, Member

log = logging.getLogger(__name__)

OPERATIONS = ("describe", "call", "invoke", "get", "set", "free", "release")


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

    def answer(self, request: bytes | memoryview, session: Client) -> tuple[bool, bytes]:
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

    def _do(self, content: list[Any], session: Client) -> object:
        operation, *operands = content
        return self._operations[operation](*operands, session)

    def _release(self, dropped: Sequence[str | int], session: Client) -> None:
        for item in dropped:
            object_ids = session.unclaimed.give_up(item) if isinstance(item, int) else [item]
            for object_id in object_ids:
                self._service.release(Handle(object_id), session.caller)

    def _describe(self, session: Client) -> object:
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
