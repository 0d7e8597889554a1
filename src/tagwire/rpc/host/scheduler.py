"""One thread that does what is due: sessions whose grace is over, measurements that are to be looked at."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


Job = Callable[[], float]
"""Does what is due and returns when it wants to be called next, on the clock of the scheduler."""

_RESPITE_S = 1.0
"""How long a job that failed is left alone."""


class Scheduler:
    """Calls jobs when they are due.

    Parameters
    ----------
    clock
        Time in s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._woken = False
        self._closed = False

    def add(self, job: Job) -> None:
        """Call `job` from now on."""
        self._jobs.append(job)

    def wake(self) -> None:
        """Something may be due earlier than the jobs said."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def run_due(self) -> float:
        """Call every job once; returns when the next call is due."""
        return min((self._call(job) for job in self._jobs), default=math.inf)

    def run(self) -> None:
        """Call jobs when they are due, until `close`."""
        while not self._closed:
            due = self.run_due()
            with self._changed:
                left = due - self.clock()
                if left > 0 and not (self._woken or self._closed):
                    self._changed.wait(None if left == math.inf else left)
                self._woken = False

    def close(self) -> None:
        """Let `run` return."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _call(self, job: Job) -> float:
        try:
            return job()
        except Exception:
            log.exception("a periodic task of the server failed")
            return self.clock() + _RESPITE_S
