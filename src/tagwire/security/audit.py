"""The audit log: who did what and when, one JSON object a line, in files of bounded size."""

from __future__ import annotations

import datetime
import io
import json
import logging
import logging.handlers
import math
import os
import threading
import time
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

FILE = "audit.jsonl"
SIZE = 5_000_000
"""Bytes of a file before the next one begins."""

KEPT = 4
"""Older files that are kept beside the present one, as ``audit.jsonl.1`` and so on."""

REFUSALS = 10
"""Refusals of one address that are written in a minute; so nobody washes out the log by knocking."""

_MINUTE_S = 60.0
_ADDRESSES = 1000
_TEXT = 300
_ITEMS = 20


class AuditLog:
    """Appends to the file at `path`, which only its owner can read. Every call is safe from any thread.

    Values are made small before they are written, so that a line is short whatever a client sent. A log that cannot be
    written is an error in the server's own log and stops no call.

    Parameters
    ----------
    path
        The file; its folder is made.
    size, kept
        Bytes of a file before the next one begins, and how many older ones are kept.
    """

    def __init__(self, path: Path, size: int = SIZE, kept: int = KEPT) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._refusals: dict[str, tuple[float, int]] = {}
        self._file = _File(path, maxBytes=size, backupCount=kept, encoding="utf-8")

    def record(self, event: str, who: str, **what: object) -> None:
        """Write that `who` caused `event`; `what` are further facts."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        facts = {"time": now, "event": event, "who": who} | {key: _small(value) for key, value in what.items()}
        self._file.handle(logging.makeLogRecord({"msg": json.dumps(facts)}))

    def refused(self, address: str, reason: str, **what: object) -> None:
        """Write that somebody at `address` was refused, or only count it, for the next line, when that is too often."""
        with self._lock:
            begin, count = self._refusals.pop(address, (0.0, 0))
            now = time.monotonic()
            new = now - begin > _MINUTE_S
            self._refusals[address] = (now, 1) if new else (begin, count + 1)
            if len(self._refusals) > _ADDRESSES:
                del self._refusals[next(iter(self._refusals))]
        if new or count < REFUSALS:
            skipped = {"not_written": count - REFUSALS} if new and count > REFUSALS else {}
            self.record("refused", "", address=address, reason=reason, **what, **skipped)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _File(logging.handlers.RotatingFileHandler):
    def _open(self) -> io.TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        log.exception("the audit log %s cannot be written", self.baseFilename)


def _small(value: Any, depth: int = 2) -> object:
    """`value` as a short piece of JSON."""
    if isinstance(value, str):
        return str(value) if len(value) <= _TEXT else f"{value[:_TEXT]}..."
    if value is None or isinstance(value, bool | int | float):
        return _short_number(value)
    if depth and isinstance(value, list | tuple):
        items = [_small(item, depth - 1) for item in value[:_ITEMS]]
        return items if len(value) <= _ITEMS else [*items, f"{len(value) - _ITEMS} more"]
    if depth and isinstance(value, dict):
        return {str(key)[:_TEXT]: _small(value[key], depth - 1) for key in list(value)[:_ITEMS]}
    return f"<{type(value).__name__}>"


def _short_number(value: float | None) -> object:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, int) and value.bit_length() > 64:
        return "a long number"
    return value
