"""The life of everything that reads the stream: start, stop, clear, capture duration.

`IteratorBase` is the vendor's base class of all measurements and virtual channels. A subclass says which channels it
reads and folds blocks into its state; when it runs, and which part of a block belongs to its capture, is decided here,
exactly in stream time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from tagwire.core.abstract import for_subclasses
from tagwire.core.arguments import boolean, integer
from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.hub import Hub
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import StateError

PS_PER_MS = 10**9


class IteratorBase:
    """Base of measurements and virtual channels; not created by itself.

    Parameters
    ----------
    tagger
        Time Tagger whose stream is read.
    channels
        Channels that are read; each counts as one registration on the tagger.
    params
        Parameters as `getConfiguration` reports them.

    Notes
    -----
    A subclass keeps this order in its ``__init__``: check its arguments, ``super().__init__``, set up its state, and at
    last `_launch`, from where on the hub's thread calls its hooks. The hooks run under `self._lock`, which every method
    that reads the state takes as well; who needs the hub's lock, too, takes that one first:

    ``_process(block)``
        Fold a block in. Blocks follow each other without a gap between two calls of `_forget`.
    ``_forget()``
        The next block does not follow the last one: drop pending starts and the like, keep the results.
    ``_reset()``
        Drop the results as well: the state after creation.

    A measurement whose ``_process`` mostly runs in kernels, shares nothing with others, and calls neither the user's
    code nor the tagger may set `_concurrent`: large blocks then come in any of several threads, still one at a time.
    """

    _concurrent = False

    @for_subclasses
    def __init__(self, tagger: TimeTaggerBase, channels: Iterable[int], params: dict[str, Any]) -> None:
        self._tagger = require_tagger(tagger)
        self._hub: Hub = self._tagger._hub
        self._inputs: tuple[int, ...] = tuple(dict.fromkeys(channels))
        self._params = params
        self._lock = threading.RLock()
        self._finished = threading.Condition(self._lock)
        self._running = False
        self._from = 0
        self._until = TIME_MAX
        self._captured = 0
        self._failure: Exception | None = None
        self._buffer: ReorderBuffer | None = None

    def _launch(self) -> None:
        """Join the stream, and start unless the tagger says otherwise."""
        self._reset()
        self._hub.attach(self)
        self._tagger._adopt(self)

    def start(self) -> None:
        """Begin or continue to capture, from the present stream time on."""
        self._hub.command(lambda now: self._begin(now, None, False))

    def startFor(self, capture_duration: int, clear: bool = True) -> None:
        """Capture for an exact span of stream time, then stop.

        Parameters
        ----------
        capture_duration
            Span in ps, at least 0.
        clear
            Drop the results captured so far.
        """
        duration = integer(capture_duration, "capture_duration", 0)
        wipe = boolean(clear, "clear")
        self._hub.command(lambda now: self._begin(now, duration, wipe))

    def stop(self) -> None:
        """Stop to capture, at once; results stay.

        What has not reached this object yet is not captured: tags that a virtual channel with a negative delay still
        holds back, for example. `getCaptureDuration` says how much was. For a capture that ends at an exact time use
        `startFor`, for several that end at the same time `SynchronizedMeasurements`.
        """
        self._hub.command(lambda now: self._halt())

    def clear(self) -> None:
        """Drop the results and begin anew, from the present stream time on if running."""
        self._hub.command(self._wipe)

    def abort(self) -> None:
        """Stop at once and drop the results."""
        self._hub.command(self._give_up)

    def isRunning(self) -> bool:
        """Whether tags are being captured."""
        with self._lock:
            return self._running

    def waitUntilFinished(self, timeout: int = -1) -> bool:
        """Wait until the capture has ended; Ctrl-C interrupts.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            True when it has ended, False when the time was up before.

        Raises
        ------
        StateError
            (RuntimeError) The capture did not come to its end, because the stream or this object broke off; or it never
            will, because the caller is in a hook or holds a mutex, so that the stream stands still.
        """
        limit = integer(timeout, "timeout")
        if self._hub.stride:
            self._hub.step_while(lambda: self._running, limit * PS_PER_MS)
            limit = 0
        deadline = time.monotonic() + limit / 1000 if limit >= 0 else None
        with self._finished:
            if self._running and limit:
                self._hub.check_wait()
            while self._running:
                self._hub.check()
                left = WAIT_SLICE if deadline is None else min(WAIT_SLICE, deadline - time.monotonic())
                if left <= 0:
                    return False
                self._finished.wait(left)
            if self._failure is not None:
                raise StateError(f"the capture broke off: {self._failure!r}") from self._failure
            return True

    def getCaptureDuration(self) -> int:
        """Stream time captured since creation or the last clear, in ps."""
        with self._lock:
            return self._captured

    def getConfiguration(self) -> dict[str, Any]:
        """Name, parameters and channels, as values that JSON can hold."""
        return {
            "name": type(self).__name__,
            "params": dict(self._params),
            "registered channels": sorted(self._inputs),
            "virtual channels": list(self._outputs),
        }

    @property
    def _outputs(self) -> tuple[int, ...]:
        """Virtual channels that this iterator owns."""
        return ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        """Leave the stream for good."""
        with self._hub.exclusive:
            self._hub.detach(self)
            self._halt()

    def _begin(self, now: int, duration: int | None, wipe: bool) -> None:
        require_tagger(self._tagger)  # nothing comes from one that was freed, and the capture would never end
        self._hub.check()
        with self._finished:
            self._failure = None
            if wipe:
                self._captured = 0
                self._reset()
            if wipe or not self._running:
                self._forget()
                self._from = now
            self._until = TIME_MAX if duration is None else max(now, self._from) + duration
            self._running = duration is None or duration > 0
            self._finished.notify_all()

    def _halt(self) -> None:
        with self._finished:
            self._running = False
            self._finished.notify_all()

    def _fail(self, error: Exception) -> None:
        """End a running capture because something broke."""
        with self._finished:
            if self._running:
                self._failure = error
                self._halt()

    def _end_at(self, now: int) -> None:
        """Stop when the stream that reaches this iterator, which may lag behind, has come to `now`."""
        with self._finished:
            self._until = min(self._until, now)

    def _give_up(self, now: int) -> None:
        self._halt()
        self._wipe(now)

    def _wipe(self, now: int) -> None:
        with self._lock:
            self._captured = 0
            self._reset()
            self._forget()
            self._from = now

    def _feed(self, block: TagBlock) -> None:
        """Fold in what belongs to the capture."""
        with self._finished:
            if not self._running:
                return
            part = block.take(self._from, self._until)
            if part.begin < part.end:
                self._process(part)
                self._captured += min(part.end, self._until) - part.begin
            if self._until <= block.end:
                self._halt()

    def _finish(self, at: int) -> None:
        """For `_process`: the results are complete, and the capture ends at the stream time `at` of the block."""
        self._until = at

    def _pass(self, block: Strands) -> Strands:
        """Take a block from the hub and give the block for those behind in the chain."""
        if self._running:
            self._feed(self._view(block))
        return block

    def _view(self, block: Strands) -> TagBlock:
        """What this iterator sees of a block: its channels at least, and everything if it names none."""
        return block.view(frozenset(self._inputs)) if self._inputs else block.whole()

    def _process(self, block: TagBlock) -> None:
        raise NotImplementedError(type(self).__name__)

    def _forget(self) -> None:
        """The next block does not follow the last one."""

    def _settle(self) -> None:
        """After the end of a capture, in nobody's lock: wait until the results are where they belong, if not here."""

    def _reset(self) -> None:
        """Back to the state after creation."""
