"""Makes calls one after another, and goes on when one of them hangs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger(__name__)

PATIENCE_S = 0.25
"""How long a call is waited for."""

MOST = 8
"""Calls that may take longer at once; while there are so many, further ones are waited for however long they take."""

Call = Callable[[], object]


class Onlooker:
    """Makes calls one at a time, each on a thread that can be left behind with it.

    One thread alone may use it.

    Parameters
    ----------
    patience
        Seconds that a call is waited for.
    most
        Calls that may be left behind at once.
    """

    def __init__(self, patience: float = PATIENCE_S, most: int = MOST) -> None:
        self._patience = patience
        self._room = threading.Semaphore(most)
        self._worker: _Worker | None = None

    def make(self, call: Call) -> None:
        """Make `call`; returns when it is done, or goes on without it when that takes long."""
        worker = self._hire()
        if worker is None:
            call()
        elif worker.make(call).wait(self._patience):
            self._worker = worker
        else:
            worker.dismiss()

    def close(self) -> None:
        """Let go of the thread; what was left behind ends by itself."""
        if self._worker is not None:
            self._worker.dismiss()
            self._worker = None

    def _hire(self) -> _Worker | None:
        """A thread that is free, if there may be one more."""
        worker, self._worker = self._worker, None
        if worker is not None:
            return worker
        if not self._room.acquire(blocking=False):
            return None
        try:
            return _Worker(self._room)
        except RuntimeError:  # the system gives no more threads
            self._room.release()
            return None


class _Worker:
    """A thread that makes calls until it is dismissed, and then leaves its place in `room` to another one."""

    def __init__(self, room: threading.Semaphore) -> None:
        self._calls: SimpleQueue[tuple[Call, threading.Event] | None] = SimpleQueue()
        threading.Thread(target=self._run, args=(room,), daemon=True, name="tagwire-onlooker").start()

    def make(self, call: Call) -> threading.Event:
        """Begin `call`; the event tells its end."""
        done = threading.Event()
        self._calls.put((call, done))
        return done

    def dismiss(self) -> None:
        """Nothing more comes."""
        self._calls.put(None)

    def _run(self, room: threading.Semaphore) -> None:
        while self._next():
            pass
        room.release()

    def _next(self) -> bool:
        """Make the next call, if there is one; a function of its own, so that what was called is not kept till then."""
        item = self._calls.get()
        if item is None:
            return False
        call, done = item
        try:
            call()
        except Exception:
            log.exception("a look at an object failed")
        finally:
            done.set()
        return True
