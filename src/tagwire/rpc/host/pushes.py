"""What the server tells a client without being asked: a short queue, sent by a thread of its own."""

from __future__ import annotations

import contextlib
import itertools
import threading
from queue import SimpleQueue

from tagwire.rpc import message
from tagwire.rpc.message import Buffer, Octets
from tagwire.rpc.sending import Outbox

HELD = 256
"""Most messages that wait to be sent on a connection."""


HELD_BYTES = 32 * 1024 * 1024
"""Most bytes of them; a single one may be larger."""


class Pushes:
    """The pushes of one connection.

    Attributes
    ----------
    dropped
        How many were not sent because the client reads too slowly.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._queue: SimpleQueue[list[Buffer] | None] = SimpleQueue()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._bytes = 0
        self._greeted = False
        self._started = False
        self._closed = False
        self.dropped = 0

    def push(self, data: bytes, arrays: list[Octets]) -> bool:
        """Send a packed value soon; False, without waiting, when too many wait already or the connection has ended."""
        with self._lock:
            full = self._queue.qsize() >= HELD or self._bytes >= HELD_BYTES
            if self._closed or full:
                self.dropped += 1
                return False
            seq = next(self._numbers) & 0xFFFF
            parts = message.buffers(message.INVOKE, seq, data, arrays, message.ONEWAY)
            self._bytes += sum(map(len, parts))
            self._queue.put(parts)
            self._start()
            return True

    def open(self) -> None:
        """Begin to send: the client has been greeted."""
        with self._lock:
            self._greeted = True
            if self._queue.qsize():
                self._start()

    def close(self) -> None:
        """Drop what waits."""
        with self._lock:
            self._closed = True
            self._queue.put(None)

    def _start(self) -> None:
        if self._greeted and not self._started:
            self._started = True
            threading.Thread(target=self._run, daemon=True, name="tagwire-push").start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while (parts := self._queue.get()) is not None and not self._closed:
                self._outbox.send(parts)
                with self._lock:
                    self._bytes -= sum(map(len, parts))
