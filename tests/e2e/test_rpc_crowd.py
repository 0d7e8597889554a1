"""A server under a crowd: clients that are killed, clients in parallel, a server that dies under load."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tagwire
from tagwire.cli.child import ServerProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/fd").exists(), reason="looks at the server through /proc, which is Linux's"
    ),
]

CROWD = Path(__file__).with_name("crowd.py")
PATIENCE = 60.0
"""Seconds that a loaded machine may take to come to rest."""


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--simulate", "ultra", "--grace", "1") as process:
        yield process


def crowd(server: ServerProcess, task: str, *numbers: object) -> None:
    """Run a crowd to its end; every client of it must have done as it should."""
    words = [sys.executable, str(CROWD), task, server.address.host, str(server.address.port), *map(str, numbers)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]


class Footprint:
    """What a process holds on to."""

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


def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds; how long that takes is the machine's business."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to rest"
        time.sleep(0.05)


def test_a_thousand_killed_clients_leave_nothing(server: ServerProcess) -> None:
    look = Footprint(server.pid)
    with tagwire.connect(*server.address) as TT, TT.createTimeTagger() as tagger:
        crowd(server, "kill", 200, 1)  # from here on nothing may grow
        eventually(lambda: not tagger.getConfiguration()["measurements"])
        threads, files, memory = look.threads, look.files, look.memory
        crowd(server, "kill", 800, 2)
        eventually(lambda: not tagger.getConfiguration()["measurements"])
        eventually(lambda: look.threads <= threads + 2 and look.files <= files)
        assert look.memory < memory + 32 * 2**20
        assert tagger.getRegistrations(1) == 0


def test_fifty_clients_at_a_time_get_right_answers(server: ServerProcess) -> None:
    with tagwire.connect(*server.address) as TT, TT.createTimeTagger() as tagger:
        tagger.setTestSignal([1, 2], True)
        assert tagger.sync(60_000)
        crowd(server, "work", 50, 60)
        eventually(lambda: not tagger.getConfiguration()["measurements"])
