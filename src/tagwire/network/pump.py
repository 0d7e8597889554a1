"""Drives the hub of a client: a block as soon as it has come, and never a wait while the hub is held."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from tagwire.core.tags import TIME_MAX
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.hub import Hub

logger = logging.getLogger(__name__)

TRIM_S = 2.0
"""Seconds for which a channel is still streamed that nobody listens to any more."""


class Waiting(Protocol):
    """A source that says when it has something, and can be told which channels are needed."""

    @property
    def channels(self) -> tuple[int, ...]: ...
    @property
    def carried(self) -> frozenset[int]: ...
    def wait(self, timeout: float) -> bool: ...
    def request(self, channels: frozenset[int]) -> None: ...
    def look_after(self) -> None: ...


class NetworkPump:
    """Pulls blocks through a hub as they come in, and gives channels back that nobody needs.

    Parameters
    ----------
    hub
        What to drive.
    source
        Its source.
    """

    def __init__(self, hub: Hub, source: Waiting, name: str = "client") -> None:
        self._hub, self._source = hub, source
        self._stopped = threading.Event()
        self._asking = threading.Lock()
        self._idle_since: float | None = None
        self.thread = threading.Thread(target=self._run, name=f"tagwire-{name}", daemon=True)
        self._keeper = threading.Thread(target=self._keep, name=f"tagwire-{name}-keeper", daemon=True)

    def start(self) -> None:
        """Begin to pull."""
        self._hub.flow()
        self.thread.start()
        self._keeper.start()

    def halt(self) -> None:
        """Ask to stop after the present block, without waiting for it."""
        self._stopped.set()

    def stop(self) -> None:
        """Stop after the present block and wait for it, unless called from the hub's own thread."""
        self.halt()
        for thread in (self.thread, self._keeper):
            if thread.is_alive() and threading.current_thread() is not thread:
                thread.join()

    def ask(self) -> None:
        """Let the stream carry all channels that somebody listens to, from about now on."""
        with self._asking:  # else a request for fewer, decided upon before, could come behind this one
            needed, carried = self._needed(), self._source.carried
            if not needed <= carried:
                self._source.request(needed | carried)

    def _run(self) -> None:
        failure: Exception | None = None
        try:
            while not self._stopped.is_set():
                if self._source.wait(WAIT_SLICE) and not self._hub.step(TIME_MAX // 2):
                    break
        except Exception as error:
            logger.exception("the stream broke off")
            failure = error
        finally:
            self._hub.rest(failure)

    def _keep(self) -> None:
        while not self._stopped.wait(1.0):
            try:
                self._source.look_after()
                self.ask()
                self._trim()
            except Exception:
                logger.exception("looking after the stream failed")

    def _trim(self) -> None:
        """Ask for fewer channels when some have been unused for a while."""
        with self._asking:
            needed, carried = self._needed(), self._source.carried
            if needed >= carried:
                self._idle_since = None
            elif self._idle_since is None:
                self._idle_since = time.monotonic()
            elif time.monotonic() - self._idle_since >= TRIM_S:
                self._idle_since = None
                self._source.request(needed)

    def _needed(self) -> frozenset[int]:
        return self._hub.registered() & frozenset(self._source.channels)
