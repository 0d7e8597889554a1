"""Pyro5's messages byte by byte, for tests that say what no client would."""

from __future__ import annotations

import secrets
import socket
import struct

from Pyro5 import protocol
from Pyro5.serializers import serializers

SERPENT, JSON, MSGPACK = 1, 3, 4


def message(kind: int, payload: bytes, serializer: int = MSGPACK, flags: int = 0, size: int | None = None) -> bytes:
    header = struct.pack(
        "!4sHBBHHII16sHH", b"PYRO", 502, kind, serializer, flags, 1,
        len(payload) if size is None else size, 0, b"\0" * 16, 0, 0x4DC5,
    )  # fmt: skip
    return header + payload


def hello(target: str, serializer: int = MSGPACK) -> bytes:
    data: object = {"tagwire": 2, "client": secrets.token_hex(16)} if target == "tagwire" else "hello"
    payload = next(s for s in serializers.values() if s.serializer_id == serializer).dumps(
        {"handshake": data, "object": target}
    )
    return message(protocol.MSG_CONNECT, payload, serializer)


def answer(sock: socket.socket) -> tuple[int, int, bytes]:
    """Type, flags and payload of the next message."""
    header = receive(sock, 40)
    _, _, kind, _, flags, _, size, *_ = struct.unpack("!4sHBBHHII16sHH", header)
    return kind, flags, receive(sock, size)


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data
