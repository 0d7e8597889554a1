"""The objects beside the API: each belongs to the server, and its calls run one at a time."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from tagwire.core.catalog import Instrument
from tagwire.errors import StateError
from tagwire.rpc.host.objects import Caller, Lease, Resource

log = logging.getLogger(__name__)

PARALLEL = "tagwire_parallel"
"""Attribute of an object, class or module: names of members that may be used while another call runs."""

CLOSING_S = 5.0
"""How long the end of the server waits for a call of an instrument that still runs."""


class Instruments:
    """What a server offers beside the API.

    An object of this kind knows nothing of threads in general, so calls of it, and of the objects that it gives out,
    wait for each other. Those of another one, and of the Time Tagger, do not wait for them.

    Attributes
    ----------
    described
        What is offered.
    """

    def __init__(self, described: Sequence[Instrument] = ()) -> None:
        self.described = tuple(described)
        server = Caller("the server")
        self._leases = {one.name: Lease(one.name, Resource(one.obj, one.spec), server) for one in self.described}
        for lease in self._leases.values():
            lease.resource.leases.add(lease)
        self._turns = {one.name: threading.RLock() for one in self.described}
        self._names = {id(one.obj): one.name for one in self.described}

    def leases(self) -> list[Lease]:
        """All objects, each held by the server for as long as it lives; the id of one is its name."""
        return list(self._leases.values())

    def lease(self, object_id: str) -> Lease | None:
        """The object of that name."""
        return self._leases.get(object_id)

    def turn(self, instrument: str, obj: object, member: str) -> AbstractContextManager[object]:
        """Keeps others out of `instrument` while a member of `obj`, which belongs to it, is used."""
        if not instrument:
            return nullcontext()
        lock = self._turns[self._names.get(id(obj), instrument)]
        return _Turn(nullcontext() if member in _parallel(obj) else lock, instrument)

    def close(self) -> None:
        """Call ``close()`` of every object that has it, the latest first."""
        for one in reversed(self.described):
            close = getattr(one.obj, "close", None)
            if not callable(close):
                continue
            turn = self._turns[one.name]
            mine = turn.acquire(timeout=CLOSING_S)  # a call that hangs must not keep the server from ending
            try:
                close()
            except Exception:
                log.exception("closing %s failed", one.name)
            finally:
                if mine:
                    turn.release()


class _Turn:
    """A call of an instrument: nobody else's until its end, and its code cannot end a thread of the server."""

    def __init__(self, lock: AbstractContextManager[object], instrument: str) -> None:
        self._lock = lock
        self._instrument = instrument

    def __enter__(self) -> None:
        self._lock.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._lock.__exit__(kind, error, tb)
        if isinstance(error, SystemExit | KeyboardInterrupt | GeneratorExit):
            raise StateError(f"{self._instrument} raised {type(error).__name__}: {error}") from error


def _parallel(obj: object) -> Collection[str]:
    """Names of the members that may be used while another call runs."""
    names = inspect.getattr_static(obj, PARALLEL, ())
    return names if isinstance(names, tuple | list | set | frozenset) else (names,)
