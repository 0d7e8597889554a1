"""The way in to a stream server that asks for tokens.

Flight reads a message to its end, however long, and gives it a thread, before it lets anybody ask who sent it. So
clients come to sockets of ours, behind which Flight listens on this computer alone: there is room for so many
connections, those that have not shown a token yet have little of it and not for long, and nobody sends much at once.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import Protocol

from tagwire.core.address import Address
from tagwire.network import sockets
from tagwire.network.passage import Passage
from tagwire.network.pour import warm_up
from tagwire.security.lobby import Lobby

logger = logging.getLogger(__name__)

MOST = 256
"""Connections at once; a client of ours has one, and for a moment another."""

NEWCOMERS, NEWCOMERS_PER_ADDRESS = 64, 16
"""Connections at once that have not shown a token."""

NEWCOMER_S = 15.0
"""Seconds that a connection has to show one."""

_LOOK_S = 0.5


class Entrance(Protocol):
    """Where clients come from."""

    def comes(self, peer: str) -> str:
        """A client whose token is known makes a request; ``host:port`` of who is the `peer` of Flight."""
        ...

    def cut(self, peer: str) -> None:
        """End the connections of ``host:port``."""
        ...

    def close(self) -> None:
        """Let nobody in any more, and end what is left."""
        ...


class Open:
    """The `Entrance` of a server to which clients come directly."""

    def comes(self, peer: str) -> str:
        """See `Entrance`."""
        return sockets.readable(peer)

    def cut(self, peer: str) -> None:
        """See `Entrance`."""
        sockets.cut(peer)

    def close(self) -> None:
        """Nothing is left."""


class Guarded:
    """Sockets before those of a server.

    Parameters
    ----------
    address
        Where to listen; port 0 for any free one.
    inner
        Port of this computer at which the server listens.

    Attributes
    ----------
    port
        Where it listens.

    Raises
    ------
    OSError
        The address cannot be had.
    """

    def __init__(self, address: Address, inner: int) -> None:
        warm_up()
        self._inner = inner
        self._lobby = Lobby(NEWCOMERS, NEWCOMERS_PER_ADDRESS)
        self._room = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._passages: dict[str, Passage] = {}
        self._closing = threading.Event()
        self._listeners = sockets.listeners(address.host, address.port)
        self.port = int(self._listeners[0].getsockname()[1])
        self._threads = [threading.Thread(target=self._listen, args=(s,), daemon=True) for s in self._listeners]
        for thread in self._threads:
            thread.name = "tagwire-entrance"
            thread.start()

    def comes(self, peer: str) -> str:
        """See `Entrance`."""
        with self._lock:
            passage = self._passages.get(sockets.readable(peer))
        if passage is None:  # somebody on this computer who does without the entrance, or has gone
            return sockets.readable(peer)
        passage.welcome()
        return passage.peer

    def cut(self, peer: str) -> None:
        """See `Entrance`."""
        for passage in self._present():
            if passage.peer == peer:
                passage.cut()

    def close(self) -> None:
        """See `Entrance`."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        for passage in self._present():
            passage.cut()

    def _present(self) -> list[Passage]:
        with self._lock:
            return list(self._passages.values())

    def _listen(self, listener: socket.socket) -> None:
        listener.settimeout(_LOOK_S)
        with listener:
            while not self._closing.is_set():
                with contextlib.suppress(OSError):
                    self._admit(listener.accept()[0])
                self._dismiss()

    def _admit(self, outer: socket.socket) -> None:
        if not self._room.acquire(blocking=False):
            logger.warning("a connection to the tag stream was refused: %d are open", MOST)
            outer.close()
            return
        thread = threading.Thread(target=self._pass, args=(outer,), daemon=True, name="tagwire-passage")
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            self._room.release()
            outer.close()

    def _pass(self, outer: socket.socket) -> None:
        try:
            self._pass_through(outer)
        finally:
            self._room.release()

    def _pass_through(self, outer: socket.socket) -> None:
        gone = contextlib.suppress(OSError)  # the server ends, or the client has gone
        with outer, gone, socket.create_connection(("127.0.0.1", self._inner), NEWCOMER_S) as inner:
            inner.settimeout(None)
            passage, key = Passage(outer, inner, self._lobby), f"127.0.0.1:{inner.getsockname()[1]}"
            with self._lock:
                self._passages[key] = passage
            try:
                if not self._closing.is_set():  # `close` may not have seen it
                    passage.run()
            finally:
                passage.cut()
                with self._lock:
                    del self._passages[key]

    def _dismiss(self) -> None:
        """End the connections that have not shown a token in time."""
        oldest = time.monotonic() - NEWCOMER_S
        for passage in self._present():
            if not passage.known and passage.since < oldest:
                logger.info("%s has shown no token in time", passage.peer)
                passage.cut()
