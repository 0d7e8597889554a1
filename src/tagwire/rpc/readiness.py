"""Waits until a socket can be read or written, in a way that Ctrl-C ends."""

from __future__ import annotations

import select
import sys
from typing import Any

SIGNALS_END_WAITS = sys.platform != "win32"
"""Whether Ctrl-C ends a wait inside the system; else waits have to be short."""

_SLICE_S = 0.2


def wait_until_ready(sock: Any, *, read: bool = False, write: bool = False, timeout: float | None = None) -> bool:
    """Whether `sock` can be read now (or has ended); returns as soon as one of what is asked for holds.

    Parameters
    ----------
    timeout
        Longest wait in s; ``None`` waits for ever, in slices where Ctrl-C could not end it.
    """
    if timeout is None and not SIGNALS_END_WAITS:
        while not (ready := _wait(sock, read, write, _SLICE_S))[1]:
            pass
        return ready[0]
    return _wait(sock, read, write, timeout)[0]


def _wait(sock: Any, read: bool, write: bool, timeout: float | None) -> tuple[bool, bool]:
    """Whether it can be read, and whether anything holds at all."""
    if not hasattr(select, "poll"):
        readable, writable, _ = select.select([sock] if read else [], [sock] if write else [], [], timeout)
        return bool(readable), bool(readable or writable)
    poll = select.poll()
    poll.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
    events = poll.poll(None if timeout is None else 1000 * timeout)
    return any(event & ~select.POLLOUT for _, event in events) and read, bool(events)
