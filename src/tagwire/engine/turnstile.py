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

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._owner != me:
            with self._gate:
                self._lock.acquire()
            self._owner = me
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
            self._lock.release()
