"""One connection of a client: Pyro5's messages on a socket, with Tagwire's own payloads."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from Pyro5 import errors as pyro_errors
from Pyro5 import protocol, socketutil

from tagwire.errors import (
    AccessRefused,
    ArgumentError,
    ConnectionBroken,
    ProtocolError,
    RemoteError,
    ServerUnreachable,
)
from tagwire.rpc.listener import prepare
from tagwire.rpc.pyro import Socket
from tagwire.rpc.wire import PROTOCOL, REQUEST_LIMIT
from tagwire.security import ClientSecurity

_CONNECT_S = 10.0
_MSGPACK = 4
_LOST = (OSError, pyro_errors.CommunicationError)


class Connection:
    """Opened and introduced on creation.

    Parameters
    ----------
    host, port
        The server; `ServerUnreachable` when nobody answers, `ProtocolError` when somebody else does.
    session
        Token of the client.
    security
        Whether to use TLS, whom to expect, and the token to show; `ServerNotTrusted` and `AccessRefused` otherwise.
    """

    def __init__(self, host: str, port: int, session: str, security: ClientSecurity) -> None:
        self._server = f"{host}:{port}"
        self._token = security.token
        self._sequence = 0
        try:
            self._sock: Socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        except OSError as error:
            raise ServerUnreachable(
                f"nobody answers at {self._server} ({error}); start a server there with: tagwire serve"
            ) from error
        try:
            prepare(self._sock)
            self._sock = security.wrap(self._sock)
            self._introduce(session)
            self._sock.settimeout(None)
        except BaseException:
            self.close()
            raise

    def exchange(self, payload: bytes) -> tuple[bool, Any]:
        """Send a request; whether it failed, and the payload of the answer. `ConnectionBroken` when none comes."""
        if len(payload) > REQUEST_LIMIT:
            raise ArgumentError(f"the arguments take {len(payload)} bytes; at most {REQUEST_LIMIT} can be sent at once")
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self._send(protocol.MSG_INVOKE, payload)
            answer = protocol.recv_stub(_Receiver(self._sock), [protocol.MSG_RESULT])
        except _LOST as error:
            raise ConnectionBroken(
                f"the server at {self._server} went away in the middle of a call; whether it was done is unknown"
            ) from error
        if answer.seq != self._sequence:
            raise ProtocolError(f"the server at {self._server} answered another request")
        return bool(answer.flags & protocol.FLAGS_EXCEPTION), answer.data

    def close(self) -> None:
        """Close; calls that wait on it in other threads raise `ConnectionBroken`."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def leave_to_parent(self) -> None:
        """Let go of the socket in a forked child, without a word to the server: it is the parent's."""
        self._sock.close()

    def _introduce(self, session: str) -> None:
        from Pyro5.serializers import serializers_by_id

        serializer = serializers_by_id[_MSGPACK]
        hello = {"handshake": {"tagwire": PROTOCOL, "session": session, "token": self._token}, "object": "tagwire"}
        try:
            self._send(protocol.MSG_CONNECT, serializer.dumps(hello))
            answer = protocol.recv_stub(_Receiver(self._sock), [protocol.MSG_CONNECTOK, protocol.MSG_CONNECTFAIL])
            content = serializers_by_id[answer.serializer_id].loads(answer.data)
        except _LOST as error:
            raise ProtocolError(f"what answers at {self._server} is not a Tagwire server: {error}") from error
        if answer.type == protocol.MSG_CONNECTFAIL:
            raise _refusal(self._server, content)
        if not isinstance(content.get("handshake"), dict) or content["handshake"].get("tagwire") != PROTOCOL:
            raise ProtocolError(f"what answers at {self._server} is not a Tagwire server of this version")

    def _send(self, kind: int, payload: bytes) -> None:
        message = protocol.SendingMessage(kind, 0, self._sequence, _MSGPACK, payload)
        self._sock.sendall(message.data)


def _refusal(server: str, content: Any) -> RemoteError:
    """What to raise when the server has refused the connection."""
    told = content if isinstance(content, dict) else {"message": content}
    kind = AccessRefused if told.get("kind") == AccessRefused.__name__ else ProtocolError
    return kind(f"the server at {server} refused the connection: {told.get('message')}")


class _Receiver:
    """What Pyro5's message reader wants to read from."""

    def __init__(self, sock: Socket) -> None:
        self._sock = sock

    def recv(self, size: int) -> bytes:
        data: bytes = socketutil.receive_data(self._sock, size)
        return data
