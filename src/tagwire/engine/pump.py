"""Drives a hub from a thread, at the pace of a clock."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from tagwire.core.tags import TagBlock
from tagwire.engine.hardware_buffer import HardwareBuffer
from tagwire.engine.hub import Hub

logger = logging.getLogger(__name__)

PS_PER_S = 10**12


class Clock(Protocol):
    """Tells time and waits; tests put a clock of their own in its place."""

    def now(self) -> float:
        """Monotonic time in s."""
        ...

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Return after `seconds`, or as soon as `wake` is set."""
        ...


class SystemClock:
    """The computer's clock."""

    def now(self) -> float:
        """Monotonic time in s."""
        return time.monotonic()

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Return after `seconds`, or as soon as `wake` is set."""
        wake.wait(seconds)


class Pump:
    """Pulls blocks through a hub until it is stopped or the source ends.

    Parameters
    ----------
    hub
        What to drive.
    speed
        Stream time per real time; negative: as fast as possible.
    latency
        Longest span of one block in ps of stream time, as long as the pace is kept.
    clock
        Where real time comes from.
    name
        Name of the thread.
    buffer
        Where tags wait for those who listen, and are lost when these do not keep the pace; by default nothing is lost,
        and stream time passes more slowly than it should.

    Notes
    -----
    A source that takes longer to make its tags than they last loses nothing, with a buffer or without: stream time then
    passes more slowly. When source or device raise, the stream has broken off: see `Hub.rest`.
    """

    def __init__(
        self,
        hub: Hub,
        speed: float = 1.0,
        latency: int = 20 * 10**9,
        clock: Clock | None = None,
        name: str = "tagger",
        buffer: HardwareBuffer | None = None,
    ) -> None:
        self.hub = hub
        self.latency = latency
        self.buffer = buffer
        self._speed = speed
        self._clock: Clock = clock or SystemClock()
        self._made_at = 0.0
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tagwire-{name}", daemon=True)

    def start(self) -> None:
        """Begin to pull."""
        self.hub.flow(patient=self._speed < 0)
        self._thread.start()

    def halt(self) -> None:
        """Ask to stop after the present block, without waiting for it."""
        self._wake.set()

    def stop(self) -> None:
        """Stop after the present block and wait for it, unless called from the hub's own thread.

        Raises
        ------
        StateError
            (RuntimeError) The caller holds the stream up, so the block would never end.
        """
        other = self._thread.is_alive() and threading.current_thread() is not self._thread
        if other:
            self.hub.check_wait()
        self.halt()
        if other:
            self._thread.join()

    @property
    def running(self) -> bool:
        """Whether blocks are still being pulled."""
        return self._thread.is_alive() and not self._ended.is_set()

    def finished(self, timeout: float) -> bool:
        """Wait at most `timeout` s for the end."""
        return self._ended.wait(timeout)

    def _run(self) -> None:
        failure: Exception | None = None
        try:
            if self._speed < 0:
                self._run_free()
            else:
                self._run_paced()
        except Exception as error:
            logger.exception("the stream broke off")
            failure = error
        finally:
            self.hub.rest(failure)
            self._ended.set()

    def _run_free(self) -> None:
        while not self._wake.is_set() and self.hub.step(PS_PER_S):
            pass

    def _run_paced(self) -> None:
        per_second = self._speed * PS_PER_S
        started, origin = self._clock.now(), self.hub.position
        while not self._wake.is_set():
            behind = origin + int((self._clock.now() - started) * per_second) - self.hub.position
            if behind < self.latency:
                self._clock.wait(self._wake, (self.latency - behind) / per_second)
            elif not self._step(min(behind, 2 * self.latency)):
                return

    def _step(self, span: int) -> bool:
        if self.buffer is None:
            return self.hub.step(span)
        begin = self.hub.position
        goes_on = self.hub.step(span, self._made)
        taken = int((self._clock.now() - self._made_at) * self._speed * PS_PER_S)
        self.buffer.free(taken, self.hub.position - begin)
        return goes_on

    def _made(self, block: TagBlock) -> TagBlock:
        assert self.buffer is not None
        self._made_at = self._clock.now()
        return self.buffer.read(block)
