"""Sends buffers on a socket, whole and in order, from any thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tagwire.rpc.capabilities import CAPABILITIES
from tagwire.rpc.message import Buffer

_GATHERED = 64
"""Most buffers given to the system at once; no system has a limit below it."""

_JOINED = 64 * 1024
"""Buffers up to this size together are made one for a socket that takes only one."""

_NO_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


_NOTHING: tuple[Sequence[Buffer], list[int]] = ((), [])


class Outbox:
    """What is to be sent on a connection.

    Somebody who is broken off in the middle, by Ctrl-C, leaves the rest here, and whoever sends next sends it first.

    Parameters
    ----------
    sock
        A connected socket. One that cannot send several buffers at once gets them one after the other.
    when_full
        Called when the system takes no more for the moment; returns when it may again. Without it, sending waits.

    Attributes
    ----------
    exact
        Whether it is known how much was sent, wherever sending is broken off.
    """

    def __init__(self, sock: socket.socket, when_full: Callable[[], object] | None = None) -> None:
        self._lock = threading.Lock()
        self._waiting = _NOTHING
        self._sock = sock
        self._gathers = CAPABILITIES.gather and hasattr(sock, "sendmsg")
        self._when_full = when_full
        self._flags = _NO_WAIT if when_full is not None else 0
        self.exact = isinstance(sock, socket.socket)

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all of `parts`; an `OSError` means that not all of them have left."""
        with self._lock:
            if self._waiting[0]:
                parts = [*_left(*self._waiting), *parts]
            self._flush(parts)

    def _flush(self, parts: Sequence[Buffer]) -> None:
        while parts:
            # The number is noted in C, where no signal can come between sending and noting.
            sent: list[int] = []
            self._waiting = parts, sent
            try:
                sent.extend(self._transmit(parts))
            except BlockingIOError:
                if self._when_full is None:
                    raise
                self._when_full()
            if len(parts) == 1 and sent and sent[0] == len(parts[0]):
                break
            parts = _left(parts, sent)
        self._waiting = _NOTHING

    def _transmit(self, parts: Sequence[Buffer]) -> Iterator[int]:
        if self._gathers and len(parts) > 1:
            return map(self._sock.sendmsg, (parts[:_GATHERED],), ((),), (self._flags,))
        if self.exact:
            return map(self._sock.send, (_first(parts),), (self._flags,))
        return map(self._send_all, (_first(parts),))

    def _send_all(self, part: Any) -> int:
        self._sock.sendall(part)
        return len(part)


def _first(parts: Sequence[Buffer]) -> Buffer:
    """The first of `parts`, or all of them when they are small."""
    return b"".join(parts) if len(parts) > 1 and sum(map(len, parts)) <= _JOINED else parts[0]


def _left(parts: Sequence[Buffer], sent: list[int]) -> Sequence[Buffer]:
    """What of `parts` was not sent."""
    count = sum(sent)
    if not count:
        return parts
    for index, part in enumerate(parts):
        size = len(part)
        if count < size:
            return [memoryview(part)[count:], *parts[index + 1 :]]
        count -= size
    return ()
