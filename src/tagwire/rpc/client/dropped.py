"""What a client has no use for any more, until its server has heard of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

_AT_ONCE = 1000
"""Most that is told with one message."""

_TOGETHER_S = 0.01
"""How long to wait for more before the server hears of objects that were dropped while nothing is called."""


class Dropped:
    """Ids of objects that were collected, and numbers of requests whose answers nobody awaits.

    It knows no `Link`, so whatever adds to it keeps none alive.
    """

    def __init__(self) -> None:
        self._waiting: deque[str | int] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._telling = threading.Lock()

    def add(self, what: str | int) -> None:
        """Called by the garbage collector at any moment in any thread, so it takes no lock and does no I/O."""
        self._waiting.append(what)
        if self._wake.empty():
            self._wake.put(None)

    def tell(self, send: Callable[[list[str | int]], object]) -> None:
        """Give `send` everything; what it raises for goes again the next time."""
        with self._telling:
            while some := [self._waiting[i] for i in range(min(_AT_ONCE, len(self._waiting)))]:
                send(some)
                for _ in some:  # only now: the server takes no harm from hearing it twice
                    self._waiting.popleft()

    def wake(self) -> None:
        """Let `wait` return: there may be a way to the server again, or nothing more comes."""
        self._wake.put(None)

    def wait(self) -> None:
        """Wait until something was added, and a moment longer for more of it."""
        self._wake.get()
        time.sleep(_TOGETHER_S)

    def __len__(self) -> int:
        """How much the server has not heard of."""
        return len(self._waiting)
