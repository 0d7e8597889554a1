"""What writes the stream to a disk: an iterator whose results are files."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

from tagwire.core.arguments import integer
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.selection import select
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.recording.drain import Drain, Sink, wait

BACKLOG_BYTES = 2**28
"""Tags that may wait for the disk, in bytes; what comes on top is lost, and counted."""


class FileIterator(IteratorBase):
    """Base of `FileWriter` and `Dump`.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels to write.
    params
        As for `IteratorBase`.
    sink
        Where to write.
    name
        Of the file, for errors.

    Notes
    -----
    Whenever the capture ends, what was captured is brought into whole files; `stop` and `waitUntilFinished` wait for
    that, and so does the end of the object. The files are no results that `clear` could drop.
    """

    def __init__(
        self, tagger: TimeTaggerBase, channels: Sequence[int], params: dict[str, Any], sink: Sink, name: str
    ) -> None:
        super().__init__(tagger, channels, params)
        self._index = ChannelIndex(self._inputs)
        self._drain = Drain(sink, name, self._index, BACKLOG_BYTES)
        self._whole = threading.Event()
        self._whole.set()
        self._end = weakref.finalize(self, self._drain.close)

    def stop(self) -> None:
        """Stop to capture, and wait until everything is in the file.

        Raises
        ------
        StateError
            (RuntimeError) The file could not be written.
        """
        super().stop()
        self._settle()
        self._drain.check()

    def abort(self) -> None:
        """Stop to capture; the same as `stop`, for what is in the file stays there."""
        self.stop()

    def isRunning(self) -> bool:
        """Whether tags are being captured, or are still on their way into the file."""
        return super().isRunning() or not self._whole.is_set()

    def waitUntilFinished(self, timeout: int = -1) -> bool:
        """Wait until the capture has ended and everything is in the file; Ctrl-C interrupts.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            False when the time was up before.

        Raises
        ------
        StateError
            (RuntimeError) The file could not be written.
        """
        limit = integer(timeout, "timeout")
        deadline = time.monotonic() + limit / 1000
        if not super().waitUntilFinished(limit):
            return False
        done = wait(self._whole, None if limit < 0 else deadline - time.monotonic())
        self._drain.check()
        return done

    def _process(self, block: TagBlock) -> None:
        self._drain.put(select(block, self._index), self._hub.patient)

    def _begin(self, now: int, duration: int | None, wipe: bool) -> None:
        with self._lock:
            was_running = self._running
            super()._begin(now, duration, wipe)
            if was_running and not self._running:
                self._whole = self._drain.finish()

    def _halt(self) -> None:
        with self._lock:
            if self._running:
                self._whole = self._drain.finish()
        super()._halt()

    def _settle(self) -> None:
        wait(self._whole, None)

    def _close(self) -> None:
        super()._close()
        self._end()
