"""Arrow Flight before a stream server: it translates between calls and what the server does, and asks for tokens."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pyarrow as pa

from tagwire.core.address import Address
from tagwire.errors import ArgumentError, ProtocolError, StateError, TagwireError
from tagwire.frames.codec import decode
from tagwire.network import values
from tagwire.network.batches import COLUMNS, batch
from tagwire.network.entrance import Entrance, Guarded, Open
from tagwire.network.feeds import Seat
from tagwire.network.frame import Frame, heads
from tagwire.network.sockets import free_port
from tagwire.network.transport import flight
from tagwire.security import Principal, ServerSecurity
from tagwire.security.places import is_loopback

logger = logging.getLogger(__name__)

PACKED = pa.schema([("frame", pa.binary())])


class Served(Protocol):
    """What is needed of a server; see `tagwire.network.server.StreamServer`."""

    @property
    def epoch(self) -> int: ...
    def authenticate(self, token: str) -> Principal | None: ...
    def comes(self, peer: str) -> str: ...
    def greet(self, ticket: dict[str, Any], peer: str) -> tuple[Seat, dict[str, Any]]: ...
    def stream(self, seat: Seat, cancelled: Callable[[], bool], who: Principal) -> Iterator[list[Frame]]: ...
    def leave(self, seat: Seat) -> None: ...
    def answer(self, name: str, request: Any, who: Principal, peer: str) -> Any: ...


def open_door(server: Served, address: Address, security: ServerSecurity | None) -> tuple[Any, Entrance, int]:
    """Listen; who answers, the way to it, and the port.

    Raises
    ------
    StateError
        (RuntimeError) The address cannot be had, or is not this computer's alone and there are no keys.
    """
    guarded = security is not None and security.tokens is not None
    if not guarded and not is_loopback(address.host):
        raise StateError(
            f"{address.host} can be reached from other computers, and there are no keys to protect it: make some with "
            "`tagwire keys init` and `tagwire keys add NAME`, or serve this computer alone with "
            "setServerAddress('localhost')"
        )
    try:
        if not guarded:
            door = _door(server, Address(address.host, free_port(address.host, address.port)), security)
            return door, Open(), door.port
        door = _door(server, Address("127.0.0.1", 0), security)
        try:
            entrance = Guarded(address, door.port)
        except OSError:
            door.shutdown()
            raise
        return door, entrance, entrance.port
    except (pa.ArrowException, OSError) as error:
        raise StateError(
            f"cannot listen at {address}: something else does, or the address is not this computer's; choose another "
            "port, or stop the other server"
        ) from error


def _door(server: Served, here: Address, security: ServerSecurity | None) -> Any:
    identity = security.identity if security else None
    return _Door(
        server,
        f"{'grpc+tls' if identity else 'grpc'}://{here}",
        tls_certificates=[(identity.certificate, identity.key)] if identity else None,
        middleware={"tagwire": _Guard(server)},
    )


class _Guard(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Looks at the token of every call before anything else happens."""

    def __init__(self, server: Served) -> None:
        self._server = server

    def start_call(self, _info: Any, headers: dict[str, list[str]]) -> _Visitor:
        shown = next((h[0] for name, h in headers.items() if name.lower() == "authorization" and h), "")
        principal = self._server.authenticate(shown.removeprefix("Bearer ").strip())
        if principal is None:
            raise flight.FlightUnauthenticatedError(
                "the server asks for a token, and this is none of its own"
                if shown
                else "the server asks for a token; whoever runs it makes one with `tagwire keys add NAME`"
            )
        return _Visitor(principal)


class _Visitor(flight.ServerMiddleware):  # type: ignore[misc]
    """Who makes the call."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal


class _Door(flight.FlightServerBase):  # type: ignore[misc]
    """Translates between Flight and a `Served`."""

    def __init__(self, server: Served, location: str, **options: Any) -> None:
        super().__init__(location, **options)
        self._server = server

    def do_get(self, context: Any, ticket: Any) -> Any:
        peer = self._server.comes(context.peer())
        try:
            asked = values.unpacked(ticket.ticket)
            if not isinstance(asked, dict):
                raise ProtocolError("a ticket is a JSON object")
            encoding = asked.get("encoding", "columns")
            if encoding not in _ENCODINGS:
                raise ArgumentError(f"encoding is {encoding!r}, but must be one of {list(_ENCODINGS)}")
            seat, greeting = self._server.greet(asked, peer)
        except Exception as error:
            raise _told(error) from error
        schema, batches = _ENCODINGS[encoding]
        who = context.get_middleware("tagwire").principal
        frames = self._server.stream(seat, context.is_cancelled, who)
        sent = _batches(schema, batches, greeting, frames, self._server.epoch)
        # Not at the end of the generator itself: that of a client that goes at once is never begun, and so never ends.
        weakref.finalize(sent, self._server.leave, seat).atexit = False
        return flight.GeneratorStream(schema, sent)

    def do_action(self, context: Any, action: Any) -> Iterator[Any]:
        peer = self._server.comes(context.peer())
        try:
            request = values.unpacked(action.body.to_pybytes()) if action.body is not None else {}
            who = context.get_middleware("tagwire").principal
            yield flight.Result(values.answer(self._server.answer(action.type, request, who, peer)))
        except Exception as error:
            if not isinstance(error, TagwireError | ValueError | TypeError | RuntimeError | AttributeError):
                logger.exception("%s failed", action.type)
            yield flight.Result(values.refusal(error))

    def list_actions(self, _context: Any) -> list[tuple[str, str]]:
        return [
            ("info", "settings and channels"),
            ("call", "a method of the Time Tagger: {method, args, kwargs}"),
            ("fence", "from which time on tags are younger than this call: {client}"),
            ("clients", "addresses of those who read"),
            ("alive", "a client says that it is there: {client}"),
        ]


def _told(error: Exception) -> Any:
    return flight.FlightServerError(str(error), extra_info=values.refusal(error))


def _batches(
    schema: Any,
    batches: Callable[[list[Frame], int], Iterator[tuple[Any, bytes]]],
    greeting: dict[str, Any],
    stream: Iterator[list[Frame]],
    epoch: int,
) -> Iterator[tuple[Any, Any]]:
    """What goes to one client: a greeting, then frames, and a sign of life where there are none."""
    silence = schema.empty_table().to_batches() or [pa.RecordBatch.from_arrays([[]] * len(schema), schema=schema)]
    yield silence[0], pa.py_buffer(values.packed(greeting))
    for frames in stream:
        if not frames:
            yield silence[0], None
        for rows, head in batches(frames, epoch):
            yield rows, pa.py_buffer(head)


def _packed(frames: list[Frame], epoch: int) -> Iterator[tuple[Any, bytes]]:
    if frames:
        yield pa.record_batch([pa.array([f.data for f in frames], pa.binary())], schema=PACKED), heads(epoch, frames)


def _columns(frames: list[Frame], epoch: int) -> Iterator[tuple[Any, bytes]]:
    for frame in frames:
        yield batch(decode(frame.data)), heads(epoch, [frame])


_ENCODINGS = {"packed": (PACKED, _packed), "columns": (COLUMNS, _columns)}
