"""Pyro5's wire protocol at the server: messages with limits, and serializers that make nothing but plain values.

Pyro5's own server trusts what it reads: it rebuilds any class it knows, follows proxies (and so opens connections to
wherever they point) and inflates compressed data without a limit. Here a proxy becomes a `Handle`, an array in the
form of TimeTaggerRPC becomes an array, and everything else is refused. The marshal format is never read.
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from typing import Any

from Pyro5 import errors as pyro_errors
from Pyro5 import protocol, serializers

from tagwire.rpc.host.npy import from_npy
from tagwire.rpc.wire import Handle
from tagwire.security.tls import SecureSocket

Socket = socket.socket | SecureSocket

HANDSHAKE_LIMIT = 4 * 1024
"""Most bytes read from somebody who has not shaken hands yet; msgpack takes up to 80 times that while it reads them."""

PLAIN_REQUEST_LIMIT = 2 * 1024 * 1024
"""Most bytes of a request of a plain Pyro client; serpent takes up to 500 times that while it reads one."""

_CHUNK = 1024 * 1024
"""Most bytes taken at once, so that an announced size costs nothing until the bytes are there."""

SERPENT, MARSHAL, JSON, MSGPACK = 1, 2, 3, 4
EXCEPTION, BATCH = protocol.FLAGS_EXCEPTION, protocol.FLAGS_BATCH
_REFUSED_FLAGS = protocol.FLAGS_COMPRESSED | protocol.FLAGS_KEEPSERIALIZED

ConnectionLost = (OSError, pyro_errors.CommunicationError)
"""What reading from and writing to a peer raises when it has gone or talks nonsense."""


class Refused(Exception):
    """The peer asks for something that this server does not do; the message is meant for its user."""


@dataclass(frozen=True)
class Request:
    """One call: object id, method, arguments."""

    target: str
    method: str
    args: list[Any]
    kwargs: dict[str, Any]


def receive(sock: Socket, accepted: tuple[int, ...], limit: int, deadline: float | None = None) -> Any:
    """The next message, its payload undecoded; all of it has to be there before `deadline` (of the monotonic clock)."""
    message = protocol.ReceivingMessage(bytes(_read(sock, 40, deadline)))
    size = message.annotations_size + message.data_size
    if message.type not in accepted or size > limit:
        raise pyro_errors.ProtocolError(f"message of type {message.type} and {size} bytes is not accepted here")
    payload = _read(sock, size, deadline)
    if not message.flags & _REFUSED_FLAGS:
        try:
            message.add_payload(payload)
        except (ValueError, AssertionError) as error:
            raise pyro_errors.ProtocolError(f"the annotations make no sense: {error}") from error
    return message


def _read(sock: Socket, size: int, deadline: float | None) -> bytearray:
    data = bytearray()
    while len(data) < size:
        if deadline is not None:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = sock.recv(min(_CHUNK, size - len(data)))
        if not chunk:
            raise pyro_errors.ConnectionClosedError("the peer closed the connection")
        data += chunk
    return data


def send(sock: Socket, kind: int, request: Any, payload: bytes, flags: int = 0) -> None:
    """Answer `request`, the payload being in the serializer that `answers_in` says."""
    message = protocol.SendingMessage(kind, flags, request.seq, answers_in(request), payload)
    sock.sendall(message.data)


def answers_in(request: Any) -> int:
    """Id of the serializer of the answer: the request's own, as far as it is known here."""
    known = request.serializer_id in serializers.serializers_by_id
    return int(request.serializer_id) if known else SERPENT


def text(value: object) -> str:
    """`value` as text that every serializer can write: lone surrogates are spelt out."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def dump(request: Any, value: object) -> bytes:
    """`value` for the answer to `request`; writing marshal is harmless, reading it is not."""
    data: bytes = serializers.serializers_by_id[answers_in(request)].dumps(value)
    return data


def check(message: Any) -> None:
    """`Refused` when the message is in a form that this server does not read."""
    if message.serializer_id == MARSHAL:
        raise Refused("the marshal serializer is unsafe on untrusted input; use serpent, json or msgpack instead")
    if message.serializer_id not in _READERS:
        raise Refused(f"serializer {message.serializer_id} is unknown here; use serpent, json or msgpack")
    if message.flags & _REFUSED_FLAGS:
        raise Refused("compressed or pre-serialized messages are not accepted; switch Pyro's COMPRESSION off")


def load_handshake(message: Any) -> tuple[Any, str]:
    """Handshake data and object id of a connection request."""
    data = _READERS[message.serializer_id].loads(message.data)
    if type(data) is not dict or not isinstance(data.get("object"), str):
        raise Refused("this is not a Pyro5 handshake")
    return data.get("handshake"), data["object"]


def load_requests(message: Any) -> list[Request]:
    """The calls of a message: one, or several in a batch."""
    target, method, args, kwargs = _READERS[message.serializer_id].loadsCall(message.data)
    if message.flags & BATCH:
        return [_request(target, *call) for call in _sequence(args)]
    return [_request(target, method, args, kwargs)]


def batch_failure(error: Exception) -> object:
    """How an error stands among the results of a batch."""
    from Pyro5.core import _ExceptionWrapper

    return _ExceptionWrapper(error)


def proxy(object_id: str, location: str, methods: frozenset[str], attributes: frozenset[str]) -> dict[str, Any]:
    """What a Pyro client reads as a proxy of the object."""
    uri = f"PYRO:{object_id}@{location}"
    state = (uri, (), tuple(sorted(methods)), tuple(sorted(attributes)), "hello", None)
    return {"__class__": "Pyro5.client.Proxy", "state": state}


def _request(target: object, method: object, args: object, kwargs: object) -> Request:
    if not isinstance(target, str) or not isinstance(method, str):
        raise pyro_errors.ProtocolError("object and method must be text")
    named = {} if kwargs is None else kwargs
    if type(named) is not dict or not all(isinstance(key, str) for key in named):
        raise pyro_errors.ProtocolError("keyword arguments must be a mapping of names")
    return Request(target, method, list(_sequence(args)), named)


def _sequence(value: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise pyro_errors.ProtocolError("arguments must be a sequence")
    return value


_URI = re.compile(r"PYRO:([^\s@]+)@")


class _PlainOnly:
    """Replaces Pyro5's rebuilding of classes from dictionaries with ``__class__``."""

    def dict_to_class(self, data: dict[Any, Any]) -> object:
        name = data.get("__class__")
        if name == "Pyro5.client.Proxy":
            match = _URI.match(str(data["state"][0]))
            if match:
                return Handle(match[1])
        elif name == "numpy.ndarray":
            return from_npy(data["data"])
        elif name == "float":  # how serpent writes nan
            return float(data["value"])
        raise pyro_errors.SerializeError(f"a value of class {name!r} is not accepted")


class _Serpent(_PlainOnly, serializers.SerpentSerializer):  # type: ignore[misc]
    pass


class _Json(_PlainOnly, serializers.JsonSerializer):  # type: ignore[misc]
    pass


class _Msgpack(_PlainOnly, serializers.MsgpackSerializer):  # type: ignore[misc]
    pass


_READERS: dict[int, Any] = {SERPENT: _Serpent(), JSON: _Json(), MSGPACK: _Msgpack()}
