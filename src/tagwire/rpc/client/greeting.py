"""How a client opens a connection and introduces itself."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from typing import Any

import msgpack

from tagwire.config import PORT
from tagwire.errors import (
    AccessRefused,
    ArgumentError,
    ConnectionBroken,
    LimitReached,
    ProtocolError,
    ServerUnreachable,
    TagwireError,
)
from tagwire.rpc import message
from tagwire.rpc.capabilities import features, place
from tagwire.rpc.keepalive import prepare
from tagwire.rpc.message import Assembler, Message
from tagwire.rpc.wire import PROTOCOL
from tagwire.security import ClientSecurity

CONNECT_S = 10.0
"""Seconds that a server may take to answer at all."""

ANSWER_LIMIT = 1024 * 1024
"""Most bytes of what a server may say before it is known."""

_REFUSALS: tuple[type[TagwireError], ...] = (AccessRefused, LimitReached, ArgumentError)
"""What else a refusal may be than a matter of the protocol."""


def dial(host: str, port: int, security: ClientSecurity) -> Any:
    """A socket to the server, with TLS if that was decided; `ServerUnreachable` when nobody answers."""
    try:
        sock = socket.create_connection((host, port), timeout=CONNECT_S)
    except OSError as error:
        raise nobody(host, port, error) from error
    try:
        refuse_itself(sock, host, port)
        prepare(sock)
        wrapped = security.wrap(sock)
        wrapped.settimeout(CONNECT_S)
        return wrapped
    except BaseException:
        sock.close()
        raise


def nobody(host: str, port: int, why: object) -> ServerUnreachable:
    """The error that says what to start where nobody answers."""
    option = "" if port == PORT else f" --port {port}"
    return ServerUnreachable(
        f"nobody answers at {host}:{port} ({why}); start a server there with: tagwire serve{option}"
    )


def refuse_itself(sock: socket.socket, host: str, port: int) -> None:
    """`ServerUnreachable` when the socket has got hold of itself.

    Without a server, the system may choose the very port that is dialled as the port to dial from: TCP then connects
    the socket to itself, and no server could listen there any more.
    """
    if sock.getsockname() == sock.getpeername():
        raise nobody(host, port, "there is no server")


def hello(client: str, session: str = "", token: str | None = None) -> dict[str, Any]:
    """What a client says of itself, and which optional ways it knows."""
    said: dict[str, Any] = {"tagwire": PROTOCOL, "client": client, "session": session, "who": _who()}
    if token is not None:
        said["token"] = token
    return said | {"features": features(), "place": place()}


def opening(said: dict[str, Any]) -> list[message.Buffer]:
    """The first message of a connection."""
    return message.buffers(message.CONNECT, 0, msgpack.packb({"handshake": said, "object": "tagwire"}))


def introduce(
    sock: Any, said: dict[str, Any], server: str, assembler: Assembler
) -> tuple[dict[str, Any], list[Message]]:
    """Shake hands on a new socket; what the server says of itself, and messages that came right behind.

    Raises
    ------
    AccessRefused
        It asks for a token, and none or an unknown one was shown.
    ProtocolError
        It refuses, is no Tagwire server, or speaks another version.
    ServerUnreachable
        It says nothing.
    ConnectionBroken
        It went away.
    """
    assembler.limit, usual = ANSWER_LIMIT, assembler.limit
    try:
        sock.sendall(b"".join(opening(said)))
        while not (answers := assembler.feed(sock.recv_into)):
            if answers is None:
                raise ConnectionBroken(f"what answers at {server} hung up: it was ending, or is not a Tagwire server")
    except TimeoutError as error:
        raise ServerUnreachable(silent(server)) from error
    except OSError as error:
        raise ConnectionBroken(f"the server at {server} went away in the middle of the greeting: {error}") from error
    except ProtocolError as error:
        raise ProtocolError(f"what answers at {server} is not a Tagwire server: {error}") from error
    sock.settimeout(None)
    assembler.limit = usual
    return welcome(answers[0], server), answers[1:]


def welcome(answer: Message, server: str) -> dict[str, Any]:
    """What the server says of itself in its answer; `ProtocolError` when it refuses."""
    try:
        content = msgpack.unpackb(answer.data)
    except Exception as error:
        raise ProtocolError(f"what answers at {server} is not a Tagwire server: {error}") from error
    if answer.kind == message.CONNECT_FAIL:
        raise _refusal(server, content)
    said = content.get("handshake") if isinstance(content, dict) else None
    if answer.kind != message.CONNECT_OK or not isinstance(said, dict) or said.get("tagwire") != PROTOCOL:
        raise ProtocolError(f"what answers at {server} is not a Tagwire server of this version")
    return said


def silent(server: str) -> str:
    """What is said of a server that says nothing."""
    return f"the server at {server} has not answered within {CONNECT_S:g} s; it may be starting, or overloaded"


def _refusal(server: str, content: Any) -> TagwireError:
    told = content if isinstance(content, dict) else {"message": content}
    kind = next((known for known in _REFUSALS if told.get("kind") == known.__name__), ProtocolError)
    return kind(f"the server at {server} refused the connection: {told.get('message')}")


def _who() -> str:
    user = "somebody"
    with contextlib.suppress(Exception):  # a process may have no name
        user = getpass.getuser()
    return f"{user}@{socket.gethostname()} ({os.getpid()})"
