"""Marks in the stream that stand for "now": who waits at one knows that everything older has been processed."""

from __future__ import annotations

import threading

WAIT_SLICE = 0.1
"""Longest uninterrupted wait in s, so that Ctrl-C works on every platform."""


class Fences:
    """Counts fences as they are set and passed; safe to use from any thread.

    Attributes
    ----------
    flowing
        Whether tags are under way; while none are, every fence is passed at once.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._last = 0
        self._passed = 0
        self.flowing = False

    def latest(self, new: bool) -> int:
        """A new fence, or the latest one."""
        with self._changed:
            self._last += new
            return self._last

    def flow(self, flowing: bool) -> None:
        """Tags flow, or not: then nothing is under way, and every fence is passed at once."""
        with self._changed:
            self.flowing = flowing
            if not flowing:
                self._passed = self._last
            self._changed.notify_all()

    def reach(self, fence: int) -> None:
        """Everything older than `fence` has been handed on."""
        with self._changed:
            self._passed = max(self._passed, fence)
            self._changed.notify_all()

    def wait(self, fence: int, timeout: float) -> bool:
        """Wait at most `timeout` s until `fence` is passed."""
        with self._changed:
            return self._changed.wait_for(lambda: fence <= self._passed or not self.flowing, timeout)
