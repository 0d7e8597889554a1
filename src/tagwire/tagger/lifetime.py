"""A stream flows while its tagger lives, and ends with it, or with Python."""

from __future__ import annotations

import atexit
import threading
import weakref

from tagwire.engine.hardware_buffer import HardwareBuffer
from tagwire.engine.hub import Hub
from tagwire.engine.pump import Pump

_started: weakref.WeakSet[Pump] = weakref.WeakSet()


class Flow:
    """At most one pump at a time that drives a hub.

    Parameters
    ----------
    tagger
        Its owner. When that is dropped without having been freed, the pump is asked to stop; it is not waited for,
        because whoever happens to collect the tagger may hold a lock that the pump needs.
    hub
        What to drive. Neither hub nor pump may refer to the tagger.
    name
        Name of the thread.
    """

    def __init__(self, tagger: object, hub: Hub, name: str) -> None:
        self._hub = hub
        self._name = name
        self._lock = threading.Lock()
        self.pump: Pump | None = None
        weakref.finalize(tagger, self._halt).atexit = False

    def start(self, speed: float, latency: int, buffer: HardwareBuffer | None = None) -> None:
        """Let the stream flow at `speed` times real time, in blocks of at most `latency` ps.

        Tags may be lost in a `buffer`, if there is one; see `Pump`.
        """
        with self._lock:
            self._stop()
            self.pump = Pump(self._hub, speed, latency, name=self._name, buffer=buffer)
            _started.add(self.pump)
            self.pump.start()

    def stop(self) -> None:
        """Stop after the present block, and wait for it."""
        with self._lock:
            self._stop()

    def end(self) -> None:
        """Stop for good: measurements stop too, for nothing more will come."""
        self.stop()
        self._hub.end_captures()

    @property
    def running(self) -> bool:
        """Whether the stream flows."""
        return self.pump is not None and self.pump.running

    def _stop(self) -> None:
        if self.pump is not None:
            self.pump.stop()

    def _halt(self) -> None:
        if self.pump is not None:
            self.pump.halt()


@atexit.register
def _stop_all() -> None:
    """Stop what still flows while there is an interpreter to stop in."""
    for pump in list(_started):
        pump.stop()
