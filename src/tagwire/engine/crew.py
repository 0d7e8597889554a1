"""Several threads that do the work on one block together.

Kernels release the GIL, so measurements that see the same block can be fed at the same time.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

Task = Callable[[], object]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Threads that help whoever has several things to do; started when first needed, and idle in between.

    Parameters
    ----------
    helpers
        How many threads help at most.
    """

    def __init__(self, helpers: int) -> None:
        self._helpers = helpers
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def do(self, tasks: Iterable[Task]) -> None:
        """Do all tasks, in the caller's thread and those of the crew, and return when all are done.

        A task that raises ends its thread's part; the others go on, and the error is raised at the end.
        """
        queue = deque(tasks)
        helping = self._call(min(self._helpers, len(queue) - 1), queue)
        try:
            _work(queue)
        finally:
            for help_ in helping:
                if not help_.cancel():
                    help_.result()

    def _call(self, number: int, queue: deque[Task]) -> list[Future[None]]:
        helping: list[Future[None]] = []
        # Nobody comes any more once the interpreter is about to end, while a stream may still flow.
        with suppress(RuntimeError):
            for _ in range(number):
                helping.append(self._started().submit(_work, queue))
        return helping

    def _started(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._helpers, thread_name_prefix="tagwire-crew")
            return self._pool


def _work(queue: deque[Task]) -> None:
    while True:
        try:
            task = queue.popleft()
        except IndexError:
            return
        task()


CREW = Crew(max(1, cores() - 1))
"""The crew of this process."""
