"""A lock whose waiters come in between two turns of its most frequent holder."""

from __future__ import annotations

import threading


class Turnstile:
    """A re-entrant lock that does not starve those who wait for it.

    A thread that gives the lock back and takes it again at once would win every time over one that sleeps on it. Here
    everybody first passes a gate which the next in line holds, so the hub's thread comes after those who wait.
    """

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._depth = 0

    @property
    def mine(self) -> bool:
        """Whether the calling thread holds it."""
        return self._owner == threading.get_ident()

    def __enter__(self) -> None:
        if not self.mine:
            with self._gate:
                self._lock.acquire()
            self._owner = threading.get_ident()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
            self._lock.release()
