"""What keeps tests right on a slow computer: long patience, processes that end with their test, ports nobody takes."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0
"""How long to wait for what comes at once on a computer that has nothing else to do; only failure takes so long."""


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until `condition` holds; how long that takes is the computer's business."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@contextlib.contextmanager
def process(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, whatever happens there; leaving `Popen` alone waits for it without end."""
    with subprocess.Popen(command, text=True, **options) as running:
        try:
            yield running
        finally:
            running.kill()  # nothing, where it has been waited for


def quiet_port() -> int:
    """A port for a server that is to come back at the same one.

    Ports that the system chose (port 0) are ephemeral: as soon as the server has gone, the next outgoing connection of
    any program may get the same number. This one is below those of every system, and free.
    """
    draw = random.Random(f"{os.getpid()} {time.monotonic_ns()}")
    while True:
        port = draw.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for family, host in ((socket.AF_INET, "127.0.0.1"), *_six()):
                stack.enter_context(socket.socket(family)).bind((host, port))
            return port


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """A port of this computer at which nobody listens, and nobody will as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.socket())
        first.bind(("127.0.0.1", 0))
        port: int = first.getsockname()[1]
        for family, host in _six():
            with contextlib.suppress(OSError):  # somebody has it, and listens or not
                stack.enter_context(socket.socket(family)).bind((host, port))
        yield port


def _six() -> list[tuple[socket.AddressFamily, str]]:
    """The other loopback address, where there is one."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        return [(socket.AF_INET6, "::1")]
    return []


def python(*words: str | Path) -> list[str]:
    """A command of this interpreter, for which warnings are errors."""
    return [sys.executable, "-W", "error", *map(str, words)]
