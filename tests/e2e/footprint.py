"""What another process holds on to, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path("/proc/self/fd").exists()
"""Whether this system tells."""


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
