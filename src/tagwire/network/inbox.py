"""Blocks between the thread that receives them and whoever pulls: a queue of bounded size."""

from __future__ import annotations

import threading
from collections import deque

from tagwire.core.tags import TagBlock
from tagwire.errors import StateError

QUEUE_TAGS = 2**21
"""Tags in the queue, at most, and one block more: 25 MB."""


class Inbox:
    """A queue of blocks that follow each other; any thread may use it.

    Parameters
    ----------
    begin
        Stream time in ps at which the first block begins.

    Attributes
    ----------
    changed
        Tells of every change, to those who wait for more than `wait` does as well; its lock is re-entrant.
    position, end
        Stream time in ps up to which blocks were taken, and up to which there are some.
    closed
        Whether nothing more comes.
    """

    def __init__(self, begin: int) -> None:
        self.changed = threading.Condition()
        self.position = self.end = begin
        self.closed = False
        self._failure: Exception | None = None
        self._blocks: deque[TagBlock] = deque()
        self._tags = 0

    @property
    def full(self) -> bool:
        """Whether there is no room for a block."""
        return self._tags >= QUEUE_TAGS

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` s until `read` has something to give."""
        with self.changed:
            return self.changed.wait_for(lambda: bool(self._blocks) or self.closed, timeout)

    def read(self, span: int) -> TagBlock | None:
        """The next block, of at most `span` ps; one of no length while nothing has come, `None` at the end. No wait.

        Raises
        ------
        StateError
            (RuntimeError) It was closed because of a failure.
        """
        with self.changed:
            if not self._blocks:
                if self._failure is not None:
                    raise StateError(f"the server sends what makes no sense: {self._failure!r}") from self._failure
                return None if self.closed else TagBlock.empty(self.position, self.position)
            block, rest = self._blocks.popleft().split(self.position + span)
            if rest.begin < rest.end:
                self._blocks.appendleft(rest)
            self._tags -= len(block)
            self.position = block.end
            self.changed.notify_all()
            return block

    def put(self, block: TagBlock) -> None:
        """Append a block as soon as there is room."""
        with self.changed:
            self.changed.wait_for(lambda: not self.full or self.closed)
            self._blocks.append(block)
            self._tags += len(block)
            self.end = block.end
            self.changed.notify_all()

    def close(self, failure: Exception | None = None) -> None:
        """Nothing more comes; what is there can still be read."""
        with self.changed:
            self.closed = True
            self._failure = self._failure or failure
            self.changed.notify_all()
