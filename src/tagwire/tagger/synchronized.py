"""Several measurements that start, stop and clear at one and the same stream time."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tagwire.core.arguments import boolean, integer
from tagwire.engine.chain import Member
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError, ArgumentKindError


class SynchronizedMeasurements:
    """Steers measurements together, so that they see exactly the same tags.

    Parameters
    ----------
    tagger
        Time Tagger whose measurements are to be steered.

    Notes
    -----
    Every call acts on all registered measurements between the same two blocks of the stream, and from the same stream
    time on: measurements behind a virtual channel that holds tags back get the same capture as those before it.
    Registration does not keep a measurement alive.
    """

    def __init__(self, tagger: TimeTaggerBase) -> None:
        self._hub = require_tagger(tagger)._hub
        self._members: list[weakref.ref[IteratorBase]] = []
        self._proxy = SynchronizedTagger(tagger, weakref.ref(self))

    def getTagger(self) -> TimeTaggerBase:
        """A stand-in for the tagger: what is created on it is registered here and does not start by itself."""
        return self._proxy

    def registerMeasurement(self, measurement: IteratorBase) -> None:
        """Add a measurement or virtual channel; its state does not change.

        Parameters
        ----------
        measurement
            Made on the same tagger; one that is registered already stays so, once.
        """
        member = _require_iterator(measurement)
        if member._hub is not self._hub:
            raise ArgumentError("measurement belongs to another tagger than this SynchronizedMeasurements")
        if member not in self._live():
            self._members.append(weakref.ref(member))

    def unregisterMeasurement(self, measurement: IteratorBase) -> None:
        """Remove a measurement; nothing happens when it is not registered.

        Parameters
        ----------
        measurement
            The measurement, which goes on as it is.
        """
        gone = _require_iterator(measurement)
        self._members = [weakref.ref(m) for m in self._live() if m is not gone]

    def start(self) -> None:
        """Begin or continue to capture with all of them."""
        self._each(lambda member, now: member._begin(now, None, False))

    def startFor(self, capture_duration: int, clear: bool = True) -> None:
        """Capture the same span of stream time with all of them.

        Parameters
        ----------
        capture_duration
            Span in ps, at least 0.
        clear
            Drop the results captured so far.
        """
        duration, wipe = integer(capture_duration, "capture_duration", 0), boolean(clear, "clear")
        self._each(lambda member, now: member._begin(now, duration, wipe))

    def stop(self) -> None:
        """Stop to capture with all of them.

        While tags flow, this waits until those behind virtual channels have seen what the others saw. Where none flow,
        all stop at once, and what virtual channels hold back is not captured; likewise in a hook of a measurement or
        while the caller holds its mutex, since no tags flow meanwhile.
        """
        self._each(lambda member, now: member._end_at(now))
        while self._hub.flowing and not self._hub.exclusive.mine and not self.waitUntilFinished(int(WAIT_SLICE * 1000)):
            pass
        self._each(lambda member, now: member._halt())
        for member in self._live():
            member._settle()

    def clear(self) -> None:
        """Drop the results of all of them; those that run begin anew."""
        self._each(lambda member, now: member._wipe(now))

    def isRunning(self) -> bool:
        """Whether any of them captures."""
        return any(m.isRunning() for m in self._live())

    def waitUntilFinished(self, timeout: int = -1) -> bool:
        """Wait until the capture of all of them has ended; Ctrl-C interrupts.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            True when all have ended, False when the time was up before.
        """
        limit = integer(timeout, "timeout")
        deadline = time.monotonic() + limit / 1000
        return all(
            m.waitUntilFinished(-1 if limit < 0 else max(0, int((deadline - time.monotonic()) * 1000)))
            for m in self._live()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._members = []

    def _each(self, action: Callable[[IteratorBase, int], None]) -> None:
        """Do the same with all of them between two blocks, given the stream time."""

        def act(now: int) -> None:
            for member in self._live():
                action(member, now)

        self._hub.command(act)

    def _live(self) -> list[IteratorBase]:
        return [m for m in (ref() for ref in self._members) if m is not None]


class SynchronizedTagger(TimeTaggerBase):
    """Stand-in for a tagger, which registers what is created on it.

    Parameters
    ----------
    tagger
        The tagger behind it; its stream and its settings are shared.
    group
        Where to register.
    """

    _autostart = False

    def __init__(self, tagger: TimeTaggerBase, group: weakref.ref[SynchronizedMeasurements]) -> None:
        self._tagger = tagger
        self._group = group
        self._hub = tagger._hub

    def getConfiguration(self) -> dict[str, Any]:
        """That of the tagger behind it."""
        return self._tagger.getConfiguration()

    def _adopt(self, iterator: Member) -> None:
        require_tagger(self._tagger)
        group = self._group()
        if group is not None:
            group.registerMeasurement(_require_iterator(iterator))
        super()._adopt(iterator)

    def _free(self) -> None:
        """The stand-in is freed; the tagger behind it stays."""
        self._freed = True


def _require_iterator(value: object) -> IteratorBase:
    if value is None:
        raise ArgumentError("measurement is None, but must be a measurement")
    if not isinstance(value, IteratorBase):
        raise ArgumentKindError(f"measurement must be a measurement or a virtual channel, not {value!r}")
    return value
