"""What another process holds on to, as Linux tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path("/proc/self/fd").exists()
"""Whether this system tells."""

PATIENCE = 60.0
"""Seconds that a loaded machine may take to come to rest."""


class Footprint:
    """The present use of a process."""

    def __init__(self, pid: int) -> None:
        self._process = Path("/proc") / str(pid)

    @property
    def threads(self) -> int:
        return len(os.listdir(self._process / "task"))

    @property
    def files(self) -> int:
        return len(os.listdir(self._process / "fd"))

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int((self._process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def most_memory(self) -> int:
        """Most resident bytes so far."""
        peak = next(line for line in (self._process / "status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024


def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds; how long that takes is the machine's business."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to rest"
        time.sleep(0.05)
