"""``setLogger`` of a remote library: its messages come to a function here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tagwire.core.catalog import MethodSpec, call_doc
from tagwire.errors import ArgumentKindError
from tagwire.rpc.client.link import Link
from tagwire.rpc.client.subscription import Subscription

SET_LOGGER = "setLogger"


class RemoteLogger:
    """Who hears the log of the library at the server; one function at a time, as the library has it."""

    def __init__(self, link: Link, spec: MethodSpec) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._present: Subscription[Any] | None = None

        def set_logger(callback: Callable[[int, str], object] | None) -> None:
            self._set(callback)

        set_logger.__name__ = set_logger.__qualname__ = SET_LOGGER
        set_logger.__doc__ = call_doc(spec)
        self.set = set_logger

    def _set(self, callback: Callable[[int, str], object] | None) -> None:
        if callback is not None and not callable(callback):
            raise ArgumentKindError(f"callback must be callable or None, not {callback!r}")
        with self._lock:
            before, self._present = self._present, None
            if before is not None:
                before.close()
            if callback is not None:
                self._present = Subscription(self._link, "log", callback=lambda m: callback(m["level"], m["message"]))
