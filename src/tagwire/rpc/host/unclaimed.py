"""Objects that a client may not know of: made by requests whose answers it did not wait for."""

from __future__ import annotations

import threading
from typing import TypeVar

Value = TypeVar("Value")


class Unclaimed:
    """Objects made by requests whose answers the client may not have got: it may give up waiting, by Ctrl-C say.

    Of each request that made objects, the ids stay here for a while. The latest `KEPT` are enough: a client gives up
    in the middle of a call or not at all.
    """

    KEPT = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[int, list[str]] = {}
        self._given_up: dict[int, None] = {}

    def offer(self, number: int, made: list[str]) -> list[str]:
        """Request `number` has made objects; those that nobody waits for any more."""
        with self._lock:
            if number in self._given_up:
                return made
            _keep(self._made, number, made, self.KEPT)
            return []

    def give_up(self, number: int) -> list[str]:
        """The client did not wait for the answer to `number`; the objects made for it, if it is done already."""
        with self._lock:
            _keep(self._given_up, number, None, self.KEPT)
            return self._made.pop(number, [])


def _keep(latest: dict[int, Value], number: int, value: Value, count: int) -> None:
    latest[number] = value
    if len(latest) > count:
        del latest[next(iter(latest))]
