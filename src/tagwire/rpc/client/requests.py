"""Requests of a client as bytes, and answers as values: the same for the blocking and the asyncio client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tagwire.core.faults import from_fault
from tagwire.errors import ArgumentError, ConnectionBroken, ProtocolError
from tagwire.rpc import message
from tagwire.rpc.message import Message, Octets
from tagwire.rpc.wire import REQUEST_LIMIT, VALUES_LIMIT, Codec, Handle

RAW = Codec()
"""Leaves handles as they are."""

_CALLS = frozenset(("call", "invoke", "wait"))
"""Operations whose last operands are the arguments of a call."""

Keep = Callable[[Any, Message], Any]
"""Takes a result and the message that it came in, before anything else can happen to it."""

Outcome = tuple[bool, Any]
"""Whether a call has failed, and its result or error."""


def pack_request(codec: Codec, number: int, request: Sequence[Any], limit: int) -> tuple[bytes, list[Octets]]:
    """The bytes of a request ``[operation, *operands]`` and the arrays beside; `ArgumentError` when it is too large."""
    arrays: list[Octets] = []
    data = codec.pack([number, *with_list(request)], arrays)
    if len(data) > VALUES_LIMIT:
        raise ArgumentError(
            f"the arguments take {len(data)} bytes besides arrays; at most {VALUES_LIMIT} can be sent at once: send "
            "what is large as NumPy arrays"
        )
    if arrays or len(data) > limit:
        size = len(data) + sum(8 + array.nbytes for array in arrays)
        if size > limit:
            raise ArgumentError(f"the arguments take {size} bytes; at most {limit} can be sent to this server at once")
    return data, arrays


def request_limit(welcome: dict[str, Any]) -> int:
    """Most bytes of a request that a server takes which said `welcome`."""
    told = welcome.get("request_bytes")
    return told if isinstance(told, int) else REQUEST_LIMIT


def with_list(request: Sequence[Any]) -> list[Any]:
    """`request` with the arguments of a call in a list: that is packed at once, a tuple inside of itself."""
    made = [*request]
    if made[0] in _CALLS:
        made[-2] = list(made[-2])
    return made


def outcome(codec: Codec, answer: Message, keep: Keep | None = None) -> Outcome:
    """What an answer says."""
    value = codec.unpack(answer.data, answer.arrays, narrow=True)
    if answer.flags & message.EXCEPTION:
        return True, from_fault(value)
    return False, value if keep is None else keep(value, answer)


def outcomes_of_batch(codec: Codec, results: Sequence[Any], answer: Message) -> list[Outcome]:
    """What the answer to a batch says of each of its calls."""
    unpacked = [(failed, codec.unpack(data, answer.arrays, narrow=True)) for failed, data in results]
    return [(failed, from_fault(value) if failed else value) for failed, value in unpacked]


def keep_object(adopt: Callable[[Handle], None]) -> Keep:
    """Takes the handle of an object that was made, and nothing else."""

    def keep(result: Any, answer: Message) -> None:
        if not isinstance(result, Handle):
            raise ProtocolError("the server made no object")
        adopt(result)

    return keep


def broken(host: str, port: int) -> ConnectionBroken:
    """What a call raises that was out when the connection ended."""
    return ConnectionBroken(
        f"the server at {host}:{port} went away in the middle of a call; whether it was done is unknown"
    )
