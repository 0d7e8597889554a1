"""A thread of its own that writes, so that the stream never waits for a disk."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock
from tagwire.engine.fences import WAIT_SLICE
from tagwire.errors import StateError
from tagwire.recording.backlog import Action, Backlog

logger = logging.getLogger(__name__)

TICK = 0.25
"""Time in s between two calls of `Sink.tick` while no blocks come."""


class Sink(Protocol):
    """Something that blocks are written to."""

    def write(self, block: TagBlock) -> None:
        """Append a block."""
        ...

    def tick(self) -> None:
        """Called now and then."""
        ...

    def finish(self) -> None:
        """Bring everything into files that are whole; more may come."""
        ...

    def close(self) -> None:
        """Called at last, also when writing has failed: give up what is open."""
        ...


class Drain:
    """Hands blocks to a sink in a thread of its own, in order.

    Parameters
    ----------
    sink
        Used by that thread only.
    name
        Of what is written, for errors.
    index
        Channels whose tags are counted when they are lost.
    limit
        Bytes of tags that may wait.
    """

    def __init__(self, sink: Sink, name: str, index: ChannelIndex, limit: int) -> None:
        self.failure: Exception | None = None
        self._sink = sink
        self._name = name
        self._backlog = Backlog(index, limit)
        self._told = 0
        self._closed = self._ended = False
        self._thread = threading.Thread(target=self._run, name="tagwire-writer", daemon=True)
        self._thread.start()

    def put(self, block: TagBlock, patient: bool) -> None:
        """Hand on a block; where too many wait, be patient until there is room again, or lose it."""
        while patient and self.failure is None and not self._closed and not self._backlog.has_room(WAIT_SLICE):
            pass
        if self.failure is None and not self._closed:
            self._backlog.put(block)

    def finish(self) -> threading.Event:
        """Let the sink finish; the event is set when it has. Never waits."""
        return self._post(self._sink.finish)

    def do(self, action: Action) -> None:
        """Let the thread do something after all blocks so far, and wait for it; Ctrl-C interrupts the wait.

        Raises
        ------
        StateError
            (RuntimeError) Writing has failed, or was ended. What `action` raises is raised here too and ends nothing.
        """
        if self._closed:
            raise StateError(f"{self._name} was closed, nothing more can be written")
        errors: list[Exception] = []

        def attempt() -> None:
            try:
                action()
            except Exception as error:
                errors.append(error)

        wait(self._post(attempt), None)
        self.check()
        if errors:
            raise errors[0]

    def check(self) -> None:
        """Raise `StateError` when writing has failed."""
        if self.failure is not None:
            raise StateError(f"{self._name} is not complete, writing failed: {self.failure}") from self.failure

    def close(self) -> None:
        """Finish and end the thread; more than once is fine."""
        if not self._closed:
            done = self.finish()
            self._closed = True
            self._backlog.act(self._end)
            if threading.current_thread() is not self._thread:
                wait(done, None)
                self._thread.join()

    def _post(self, action: Action) -> threading.Event:
        done = threading.Event()
        if self._closed:
            done.set()
            return done

        def act() -> None:
            try:
                if self.failure is None:
                    action()
            finally:
                done.set()

        self._backlog.act(act)
        return done

    def _run(self) -> None:
        while not self._ended:
            item = self._backlog.get(TICK)
            try:
                self._handle(item)
            except Exception as error:
                self.failure = error
                logger.exception("%s: writing failed, the rest is lost", self._name)

    def _handle(self, item: TagBlock | Action | None) -> None:
        if callable(item):
            item()
        elif self.failure is None and item is not None:
            self._sink.write(item)
        elif self.failure is None:
            self._sink.tick()
        if self._backlog.lost > self._told:
            logger.warning(
                "%s: %d tags were lost, for the disk is too slow", self._name, self._backlog.lost - self._told
            )
            self._told = self._backlog.lost

    def _end(self) -> None:
        self._ended = True
        self._sink.close()


def wait(event: threading.Event, seconds: float | None) -> bool:
    """Wait for an event for at most `seconds`, in slices, so that Ctrl-C works on every platform."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while not event.is_set():
        left = WAIT_SLICE if deadline is None else min(WAIT_SLICE, deadline - time.monotonic())
        if left <= 0:
            return False
        event.wait(left)
    return True
