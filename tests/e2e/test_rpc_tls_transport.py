"""The same with TLS, where a socket cannot send several buffers at once: arrays, threads, interrupts, asyncio."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from steady import PATIENCE_S
from tagwire.core.catalog import Catalog
from tagwire.rpc.server import Server
from tagwire.security import Identity, Role, SecureSocket, ServerSecurity, Tokens

SIZES = (0, 1_000, 2_049, 30_000, 300_000)


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """How a client reaches the server."""
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path / "client"))
    identity = Identity.create(tmp_path / "server")
    token = Tokens(tmp_path / "server").add("anna", Role.CONTROL)
    return {"token": token, "tls": True, "fingerprint": identity.fingerprint}


@pytest.fixture
def server(tmp_path: Path, options: dict[str, Any], tiny_catalog: Catalog) -> Iterator[Server]:
    security = ServerSecurity(Tokens(tmp_path / "server"), identity=Identity.load(tmp_path / "server"))
    with Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog, security=security) as running:
        yield running
        tiny._go_on.set()


def test_arrays_from_many_threads(server: Server, options: dict[str, Any]) -> None:
    wrong: list[object] = []
    with tagwire.connect("127.0.0.1", server.port, **options) as TT:
        assert isinstance(TT._link._connections[0]._sock, SecureSocket)

        def work(number: int) -> None:
            for size in SIZES:
                array = np.arange(size) + number
                if not np.array_equal(TT.echo(array), array):
                    wrong.append((number, size))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        assert wrong == []


@pytest.mark.skipif(sys.platform == "win32", reason="there, a signal does not end a socket's wait")
def test_an_interrupted_call_costs_nothing_that_was_made(server: Server, options: dict[str, Any]) -> None:
    def interrupt() -> None:
        tiny._entered.wait(120)
        deadline = time.monotonic() + PATIENCE_S
        while not connection._reading.locked() and time.monotonic() < deadline:  # the request is sent as a whole
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    with tagwire.connect("127.0.0.1", server.port, **options) as TT:
        gate = TT.Gate(5)
        (connection,) = TT._link._connections
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            TT.hold()
        assert gate.channel == 5
        assert TT._link._connections == [connection]  # it was waiting, so the connection is as good as before


def test_asyncio(server: Server, options: dict[str, Any]) -> None:
    async def main() -> None:
        async with await tagwire.aconnect("127.0.0.1", server.port, **options) as TT:
            arrays = [np.arange(size) for size in SIZES]
            for array, answer in zip(arrays, await asyncio.gather(*map(TT.echo, arrays)), strict=True):
                np.testing.assert_array_equal(answer, array)

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
