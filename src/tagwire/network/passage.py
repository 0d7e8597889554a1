"""One connection through the entrance of a stream server, up which little is let."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from tagwire.core.address import Address
from tagwire.network.pour import Pour
from tagwire.security.lobby import Lobby

NEWCOMER_BYTES = 2**16
"""What a client may send in all before it has shown a token: a handshake, and a first request."""

FULL = 2**20
"""What a client whose token is known may send at once; every request that it makes fills this up again."""

PER_S = 2**14
"""Bytes that it is granted with every second."""

SHARE = 16
"""It is granted one byte, besides, for so many that it receives: it has to say how far it has come."""

_PAUSE_S = 0.02


class Passage:
    """Passes bytes on between a client and the server behind the entrance.

    Parameters
    ----------
    outer, inner
        The connections to the client and to the server.
    lobby
        Where a client is until its token is known.

    Attributes
    ----------
    peer
        The client's ``host:port``.
    since
        When it came, by `time.monotonic`.
    known
        Whether it has shown a token.
    """

    def __init__(self, outer: socket.socket, inner: socket.socket, lobby: Lobby) -> None:
        host, port = outer.getpeername()[:2]
        self.peer = str(Address(host, port))
        self.since = self._filled = time.monotonic()
        self.known = False
        self._outer, self._inner = outer, inner
        self._grant = float(NEWCOMER_BYTES)
        self._down, self._honoured = Pour(inner, outer), 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._place = contextlib.ExitStack()
        self._place.enter_context(lobby.waiting(outer, host))

    def run(self) -> None:
        """Pass bytes on until one side ends the connection; the sockets stay the caller's to close."""
        down = threading.Thread(target=self._carry_down, name="tagwire-passage", daemon=True)
        down.start()
        try:
            self._carry_up()
        finally:
            self.cut()
            down.join()

    def welcome(self) -> None:
        """Its token is known, and it makes a request."""
        with self._lock:
            self._place.close()
            self.known, self._grant, self._filled = True, float(FULL), time.monotonic()

    def cut(self) -> None:
        """End the connection."""
        self._ended.set()
        with self._lock:
            self._place.close()
        for sock in (self._outer, self._inner):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _carry_up(self) -> None:
        space = memoryview(bytearray(NEWCOMER_BYTES))
        with contextlib.suppress(OSError):
            while (size := self._outer.recv_into(space)) and self._granted(size):
                self._inner.sendall(space[:size])

    def _carry_down(self) -> None:
        with contextlib.suppress(OSError):
            self._down.run()
        self.cut()

    def _granted(self, size: int) -> bool:
        """Whether so many bytes may go up, as soon as they may; never for a newcomer who sends too much."""
        while not self._take(size):
            if not self.known or self._ended.wait(_PAUSE_S):
                return False
        return True

    def _take(self, size: int) -> bool:
        with self._lock:
            if self.known:
                now, received = time.monotonic(), self._down.poured
                earned = (now - self._filled) * PER_S + (received - self._honoured) / SHARE
                self._grant = min(FULL, self._grant + earned)
                self._filled, self._honoured = now, received
            if self._grant < size:
                return False
            self._grant -= size
            return True
