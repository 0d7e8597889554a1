"""A server under a crowd: clients that are killed, clients in parallel, a server that dies under load."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from footprint import Footprint

import tagwire
from steady import quiet_port, wait_for
from tagwire.cli.child import ServerProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/fd").exists(), reason="looks at the server through /proc, which is Linux's"
    ),
]

CROWD = Path(__file__).with_name("crowd.py")


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--simulate", "ultra", "--grace", "1", "--port", str(quiet_port())) as process:
        yield process


def gathered(server: ServerProcess, task: str, *numbers: object) -> subprocess.Popen[str]:
    """A crowd that has begun."""
    words = [sys.executable, str(CROWD), task, server.address.host, str(server.address.port), *map(str, numbers)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def finished(process: subprocess.Popen[str]) -> None:
    """Wait for a crowd's end; every client of it must have done as it should."""
    try:
        said = process.communicate(timeout=240)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGUSR1)  # each says where it is, and ends
        said = process.communicate()[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the clients, too, if they are not done
        process.communicate()
    assert process.returncode == 0, said[-3000:]


def crowd(server: ServerProcess, task: str, *numbers: object) -> None:
    """Run a crowd to its end."""
    finished(gathered(server, task, *numbers))


def test_a_thousand_killed_clients_leave_nothing(server: ServerProcess) -> None:
    look = Footprint(server.pid)
    with tagwire.connect(*server.address) as TT, TT.createTimeTagger() as tagger:
        crowd(server, "kill", 200, 1)  # from here on nothing may grow
        wait_for(lambda: not tagger.getConfiguration()["measurements"])
        threads, files, memory = look.threads, look.files, look.memory
        crowd(server, "kill", 800, 2)
        wait_for(lambda: not tagger.getConfiguration()["measurements"])
        wait_for(lambda: look.threads <= threads + 2 and look.files <= files)
        assert look.memory < memory + 32 * 2**20
        wait_for(lambda: tagger.getRegistrations(1) == 0)


def test_fifty_clients_at_a_time_get_right_answers(server: ServerProcess) -> None:
    with tagwire.connect(*server.address) as TT, TT.createTimeTagger() as tagger:
        tagger.setTestSignal([1, 2], True)
        assert tagger.sync(120_000)
        crowd(server, "work", 50, 60)
        wait_for(lambda: not tagger.getConfiguration()["measurements"])


def kept(tagger: Any) -> int:
    """How many clients hold the object by which they notice that the server died."""
    return sum(measurement["name"] == "Countrate" for measurement in tagger.getConfiguration()["measurements"])


def test_clients_go_on_with_a_server_that_was_killed_under_load(server: ServerProcess) -> None:
    clients = gathered(server, "endure", 20)
    with tagwire.connect(*server.address) as TT, TT.createTimeTagger() as tagger:
        wait_for(lambda: kept(tagger) == 20)
    os.kill(server.pid, signal.SIGKILL)
    server.end()
    with ServerProcess("--simulate", "ultra", "--port", str(server.address.port)):
        finished(clients)
