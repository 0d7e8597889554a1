"""The lock of a custom measurement."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self


class Mutex:
    """Keeps the stream out of a measurement for a while: ``with measurement.mutex:``.

    Parameters
    ----------
    locks
        Re-entrant locks in the order in which everybody takes them: first the one that starting, stopping and clearing
        take, then the one that hooks run under. So whoever is inside may start, stop and clear.
    """

    def __init__(self, *locks: AbstractContextManager[Any]) -> None:
        self._locks = locks

    def __enter__(self) -> Self:
        with ExitStack() as taken:
            for lock in self._locks:
                taken.enter_context(lock)
            taken.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lock in reversed(self._locks):
            lock.__exit__(kind, error, trace)
