"""Connections that have not said yet who they are: few, and always with room for one more."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections import Counter
from collections.abc import Iterator

from tagwire.security.places import is_loopback

log = logging.getLogger(__name__)


class Lobby:
    """Holds newcomers within bounds.

    Parameters
    ----------
    most, most_per_address
        How many there may be, in total and of one address of another computer.

    Notes
    -----
    When there are too many, the oldest of the address that has the most of them is closed. So somebody who opens
    connections and says nothing takes the place of his own ones, and keeps nobody else out.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most, self._most_per_address = most, most_per_address
        self._lock = threading.Lock()
        self._waiting: dict[socket.socket, str] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @contextlib.contextmanager
    def waiting(self, sock: socket.socket, address: str) -> Iterator[None]:
        """While the block runs, `sock` is one of the newcomers; it may be closed to make room."""
        with self._lock:
            self._waiting[sock] = address
            superfluous = self._superfluous(address)
        if superfluous is not None:
            log.info("too many newcomers: one of %s was sent away", address)
            with contextlib.suppress(OSError):
                superfluous.shutdown(socket.SHUT_RDWR)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(sock, None)

    def _superfluous(self, address: str) -> socket.socket | None:
        """Who has to go; it is not counted any more."""
        counts = Counter(self._waiting.values())
        if counts[address] > self._most_per_address and not is_loopback(address):
            crowded = address
        elif len(self._waiting) > self._most:
            crowded = counts.most_common(1)[0][0]
        else:
            return None
        oldest = next(sock for sock, where in self._waiting.items() if where == crowded)
        del self._waiting[oldest]
        return oldest
