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
        self._started = False
        self._closed = False
        self.dropped = 0

    def push(self, data: bytes, arrays: list[Octets]) -> bool:
        """Send a packed value soon; False, without waiting, when too many wait already or the connection has ended."""
        with self._lock:
            if self._closed or self._queue.qsize() >= HELD:
                self.dropped += 1
                return False
            seq = next(self._numbers) & 0xFFFF
            self._queue.put(message.buffers(message.INVOKE, seq, data, arrays, message.ONEWAY))
            if not self._started:
                threading.Thread(target=self._run, daemon=True, name="tagwire-push").start()
                self._started = True
            return True

    def close(self) -> None:
        """Drop what waits."""
        with self._lock:
            self._closed = True
            self._queue.put(None)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while (parts := self._queue.get()) is not None and not self._closed:
                self._outbox.send(parts)
