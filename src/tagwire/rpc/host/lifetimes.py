"""How long an object of a plain Pyro client lives.

Such a client cannot say that it has finished with an object; all that the server sees are connections. Pyro gives
each proxy a connection of its own at its first call, and closes it when Python collects the proxy. Hence:

* an object that was never called lives as long as the connection on which it was made;
* one that was called lives as long as some connection to it is open, and a grace time longer, so that a proxy may
  drop its connection and take it up again, as it must to move to another thread.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass
class _Life:
    creator: Hashable
    creator_open: bool = True
    connected: int = 0
    called: bool = False
    end: float = math.inf

    def goes_on(self) -> bool:
        return self.connected > 0 or (self.creator_open and not self.called)


class Lifetimes:
    """Decides when objects of plain Pyro clients end.

    Parameters
    ----------
    end
        Called with the id of an object whose time is over.
    grace
        Seconds that an object outlives its last connection.
    clock
        Time in s.
    changed
        Called when something may be due earlier than `end_due` said.
    """

    def __init__(
        self,
        end: Callable[[str], object],
        grace: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._end = end
        self._grace = grace
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._lives: dict[str, _Life] = {}

    def born(self, object_id: str, creator: Hashable) -> None:
        """An object was made on the connection `creator`."""
        with self._lock:
            self._lives[object_id] = _Life(creator)

    def gone(self, object_id: str) -> None:
        """The object was freed by other means."""
        with self._lock:
            self._lives.pop(object_id, None)

    def connected(self, object_id: str) -> None:
        """A connection to the object was opened."""
        with self._lock:
            life = self._lives.get(object_id)
            if life is not None:
                life.called = True
                life.connected += 1
                self._reckon(life)

    def disconnected(self, object_id: str, connection: Hashable) -> None:
        """The `connection`, which was opened to `object_id`, has closed."""
        with self._lock:
            life = self._lives.get(object_id)
            if life is not None:
                life.connected -= 1
                self._reckon(life)
            for made in self._lives.values():
                if made.creator == connection:
                    made.creator_open = False
                    self._reckon(made)

    def end_due(self) -> float:
        """End every object whose time is over; returns when the next one's will be."""
        with self._lock:
            now = self._clock()
            due = [object_id for object_id, life in self._lives.items() if life.end <= now]
            for object_id in due:
                del self._lives[object_id]
        for object_id in due:
            self._end(object_id)
        with self._lock:
            return min((life.end for life in self._lives.values()), default=math.inf)

    def _reckon(self, life: _Life) -> None:
        if life.goes_on():
            life.end = math.inf
        elif life.end == math.inf:
            life.end = self._clock() + self._grace
            self._changed()
