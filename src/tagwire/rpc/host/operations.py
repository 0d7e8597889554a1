"""The calls that Tagwire's own clients make: requests in, packed answers out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any

from tagwire.core.catalog import to_plain
from tagwire.core.faults import to_fault
from tagwire.errors import ArgumentKindError, LimitReached, ProtocolError
from tagwire.rpc.host.objects import Lease
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client
from tagwire.rpc.host.sessions import Sessions
from tagwire.rpc.loans import LOAN
from tagwire.rpc.message import Message, Octets, checked_size
from tagwire.rpc.wire import CALLS_MAX, Codec, Handle, Member

log = logging.getLogger(__name__)

Operation = Callable[..., object]
"""Called with the client and the operands of a request; gives the result."""

_WAITING = "wait"

BATCH_BYTES = 512 * 1024 * 1024
"""A batch whose results take more than this is not gone on with; its further calls fail."""


class Operations:
    """What a client of ours can ask for, by name.

    A request is ``[number, operation, *operands]``, the number being new in the session: ``describe``; ``call`` name
    args kwargs; ``invoke`` id method args kwargs; ``wait``, an ``invoke`` that may take long; ``get`` id name; ``set``
    id name value; ``free`` id; ``release`` list (ids of objects and of loans that the client has no use for, numbers of
    requests whose answers it did not await); ``batch`` list of requests without their numbers.
    """

    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._service = service
        self._sessions = sessions
        self._description = to_plain(service.catalog)
        self._operations: dict[str, Operation] = {
            "describe": lambda client: self._description,
            "call": lambda client, name, args, kwargs: service.call(name, args, kwargs, client.caller),
            "invoke": self._invoke,
            _WAITING: self._invoke,
            "get": lambda client, i, name: service.get(Handle(i), name, client.caller),
            "set": lambda client, i, name, value: service.set(Handle(i), name, value, client.caller),
            "free": lambda client, i: service.release(Handle(i), client.caller, free=True),
            "release": self._release,
        }

    def register(self, operations: Mapping[str, Operation]) -> None:
        """Add operations; `ValueError` when there is one of that name already."""
        if known := sorted(operations.keys() & (self._operations.keys() | {"batch"})):
            raise ValueError(f"there are operations of these names already: {', '.join(known)}")
        self._operations.update(operations)

    def answer(
        self, request: Message, client: Client, waits: Callable[[], object], narrow: bool
    ) -> tuple[bool, bytes, list[Octets | bytes]]:
        """Do a request.

        Parameters
        ----------
        waits
            Called before a call that may take long.
        narrow
            Whether the client takes integers in smaller types.

        Returns
        -------
        Whether it failed, the packed result or fault, and the arrays beside it, or references to shared ones.
        """
        made: list[str] = []
        beside: list[Octets] = []
        codec = self.codec(made)
        try:
            number, operation, *operands = _request(codec.unpack(request.data, request.arrays))
            if operation == _WAITING:
                waits()
            if operation == "batch":
                result: object = list(self._batch(_batch(*operands), client, codec, beside, narrow))
            else:
                result = self._do(operation, operands, client)
            data = codec.pack(result, beside, narrow=narrow)
            sent = client.lender.lend(beside, made)
            checked_size(data, sent)
        except Exception as error:
            log.debug("%s got %s", client.caller.name, type(error).__name__, exc_info=True)
            self._free(made, client)
            return True, codec.pack(to_fault(error)), []
        if made:
            self._free(made if self._sessions.is_over(client) else client.unclaimed.offer(number, made), client)
        return False, data, sent

    def codec(self, made: list[str] | None = None) -> Codec:
        """How results are packed; the ids of the objects among them are added to `made`."""
        return Codec(outgoing=partial(self._outgoing, [] if made is None else made))

    def _do(self, operation: str, operands: Sequence[Any], client: Client) -> object:
        return self._find(operation)(client, *operands)

    def _find(self, operation: object) -> Operation:
        known = self._operations.get(operation) if isinstance(operation, str) else None
        if known is None:
            raise ProtocolError("the request makes no sense to this server")
        return known

    def _batch(
        self, requests: list[Any], client: Client, codec: Codec, beside: list[Octets], narrow: bool
    ) -> Iterator[list[Any]]:
        size = 0
        for request in requests:
            if size > BATCH_BYTES:
                full = f"not done: the results of this batch take more than {BATCH_BYTES} bytes; make two of it"
                yield [True, codec.pack(to_fault(LimitReached(full)))]
                continue
            known = len(beside)
            failed, data = self._one_of_batch(request, client, codec, beside, narrow)
            size += len(data) + sum(array.nbytes for array in beside[known:])
            yield [failed, data]

    def _one_of_batch(
        self, request: Any, client: Client, codec: Codec, beside: list[Octets], narrow: bool
    ) -> list[Any]:
        try:
            operation, *operands = request
            return [False, codec.pack(self._do(operation, operands, client), beside, narrow=narrow)]
        except Exception as error:
            return [True, codec.pack(to_fault(error))]

    def _invoke(self, client: Client, object_id: str, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> object:
        return self._service.invoke(Handle(object_id), name, args, kwargs, client.caller)

    def _release(self, client: Client, dropped: Sequence[str | int]) -> None:
        for item in dropped:
            if isinstance(item, int):
                self._free(client.unclaimed.give_up(item), client)
            elif item.startswith(LOAN):
                client.lender.give_back(item)
            else:
                self._sessions.drop(client, item)

    def _free(self, object_ids: Sequence[str], client: Client) -> None:
        for object_id in object_ids:
            if object_id.startswith(LOAN):
                client.lender.forget(object_id)
                continue
            self._service.release(Handle(object_id), client.caller)

    def _outgoing(self, made: list[str], value: object) -> object:
        if isinstance(value, Lease):
            made.append(value.id)
            return Handle(value.id, value.resource.spec.name)
        if isinstance(value, Enum):
            name = self._service.library.enum_name(value)
            return Member(name, value.value) if name else value.value
        raise ArgumentKindError(f"a result of type {type(value).__qualname__} cannot be sent to a client")


def _request(value: Any) -> list[Any]:
    if not (isinstance(value, list) and len(value) > 1 and type(value[0]) is int and type(value[1]) is str):
        raise ProtocolError("the request makes no sense to this server")
    return value


def _batch(requests: Any) -> list[Any]:
    if not isinstance(requests, list) or len(requests) > CALLS_MAX:
        raise ProtocolError(f"a batch has to be a list of at most {CALLS_MAX} requests")
    return requests
