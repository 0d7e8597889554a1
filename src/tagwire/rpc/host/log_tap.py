"""The log of the served library, for clients: its ``setLogger`` is set while somebody listens."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from tagwire.errors import NotSupported
from tagwire.rpc.host.library import Library

SET_LOGGER = "setLogger"

MOST_TEXT = 4000
"""Most characters of a message that are sent on."""


class LogTap:
    """Hands the library's messages to `hear(level, message)`, from whichever thread has something to say.

    What `hear` itself causes to be logged is not handed on: it would go round for ever.

    Attributes
    ----------
    is_open
        Whether the messages are heard now.
    """

    def __init__(self, library: Library, hear: Callable[[int, str], object]) -> None:
        self._library, self._hear = library, hear
        self._lock = threading.Lock()
        self._hearing = threading.local()
        self.is_open = False

    def open(self) -> None:
        """Listen; `NotSupported` when the library keeps its messages to itself."""
        with self._lock:
            if not self.is_open:
                self._set(self._logged)
                self.is_open = True

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            if self.is_open:
                self.is_open = False
                self._set(None)

    def _set(self, callback: Callable[..., None] | None) -> None:
        try:
            _, set_logger = self._library.callable(SET_LOGGER)
        except AttributeError:
            raise NotSupported("the library at the server has no log that could be heard") from None
        set_logger(callback)

    def _logged(self, level: Any, message: Any, *more: object) -> None:
        if getattr(self._hearing, "now", False):
            return
        self._hearing.now = True
        try:
            with contextlib.suppress(Exception):  # an error here would hit the library in whatever it was doing
                self._hear(int(level), str(message)[:MOST_TEXT])
        finally:
            self._hearing.now = False
