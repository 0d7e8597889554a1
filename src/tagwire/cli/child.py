"""A server in a process of its own, which ends with the process that started it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from tagwire.cli.common import Address
from tagwire.cli.serve import READY
from tagwire.errors import TagwireError

END_TIMEOUT = 5.0
"""Seconds that a server gets to end by itself before it is killed."""


class ServerProcess:
    """``tagwire serve`` on a free port of this computer, started by ``with`` and ended with it.

    The server holds on to the other end of a pipe, so it ends whenever this process does, however that happens.

    Parameters
    ----------
    options
        Further options of ``tagwire serve``.

    Attributes
    ----------
    address
        Where it listens.
    """

    address: Address

    def __init__(self, *options: str) -> None:
        self._command = [sys.executable, "-P", "-m", "tagwire", "serve", "--port", "0", "--while-stdin-open", *options]
        self._command += ["--config", os.devnull]  # it is this program's server, not the user's

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **_out_of_reach_of_ctrl_c(),
        )
        try:
            self.address = self._wait_until_ready()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def end(self) -> int:
        """End the server; its exit code."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_TIMEOUT)
        finally:
            self._process.kill()
            self._process.stdout.close()
        return self._process.wait()

    def _wait_until_ready(self) -> Address:
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            if match := re.match(rf"{READY} at (\S+):(\d+)", line):
                return Address(match[1].strip("[]"), int(match[2]))
            said.append(line)
        raise TagwireError("the server did not start; it said:\n" + "".join(said))


def _out_of_reach_of_ctrl_c() -> dict[str, Any]:
    """Options that keep the terminal's Ctrl-C to the starting process, which then ends the server in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
