"""Arrays through shared memory: right, given back, never left behind, and left alone where it does not work."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from steady import wait_for
from tagwire.rpc import segments
from tagwire.rpc.capabilities import CAPABILITIES
from tagwire.rpc.host import lending
from tagwire.rpc.host.lending import Lender
from tagwire.rpc.server import Server

pytestmark = pytest.mark.skipif(not segments.place(), reason="this system has no shared memory that we use")

FOLDER = Path("/dev/shm")
LARGE = np.arange(200_000)


def names() -> set[str]:
    return {name for name in os.listdir(FOLDER) if name.startswith("tagwire-")}


@pytest.fixture
def lenders(monkeypatch: pytest.MonkeyPatch) -> list[Lender]:
    """Those that are made in this test."""
    made: list[Lender] = []
    init = Lender.__init__
    monkeypatch.setattr(Lender, "__init__", lambda self: made.append(self) or init(self))  # type: ignore[func-returns-value]
    return made


@pytest.fixture
def TT(lenders: list[Lender], tiny_server: Server) -> Iterator[Any]:
    with tagwire.connect("127.0.0.1", tiny_server.port) as module:
        yield module


def lender(lenders: list[Lender]) -> Lender:
    (one,) = (each for each in lenders if each.lends)
    return one


def test_large_arrays_are_shared_and_given_back(TT: Any, lenders: list[Lender]) -> None:
    for i in range(10):
        answer = TT.echo(LARGE + i)
        np.testing.assert_array_equal(answer, LARGE + i)
        answer[:] = 7  # it is the caller's own
    del answer
    TT.getVersion()
    one = lender(lenders)
    assert len(one._free) <= 2
    assert one._lent == {}
    assert names().isdisjoint(segment.name for segment in one._free)  # nobody can open them any more


def test_a_part_of_an_array_keeps_its_segment(TT: Any) -> None:
    row = TT.echo(LARGE.reshape(2, -1))[1][5:]
    gc.collect()
    others = [TT.echo(LARGE + 1) for _ in range(5)]
    np.testing.assert_array_equal(row, LARGE[100_005:])
    assert len(others) == 5


def test_what_does_not_fit_goes_through_the_connection(
    TT: Any, lenders: list[Lender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "MOST", 5 * 2**20)
    kept = [TT.echo(LARGE + i) for i in range(6)]
    assert all(np.array_equal(one, LARGE + i) for i, one in enumerate(kept))
    assert len(lender(lenders)._lent) == 2  # of 2 MB each


def test_segments_that_became_too_small_are_given_up_on_both_sides(
    TT: Any, lenders: list[Lender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "MOST", 20 * 2**20)
    held = TT._link._connections[0]._borrower._segments
    for megabytes in range(1, 16):
        array = np.full(megabytes * 2**20, megabytes, np.uint8)
        np.testing.assert_array_equal(TT.echo(array), array)
    TT.getVersion()
    one = lender(lenders)
    assert set(held) == {segment.number for segment in one._free}
    assert sum(map(len, held.values())) == one._size <= lending.MOST


def test_without_room_it_goes_through_the_connection(TT: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(size: int) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(segments, "create", full)
    np.testing.assert_array_equal(TT.echo(LARGE), LARGE)


def test_small_arrays_strings_and_errors_are_not_shared(TT: Any, lenders: list[Lender]) -> None:
    TT.echo(np.zeros(1000))
    TT.echo(b"x" * 1_000_000)
    assert lender(lenders)._free == []


def test_switched_off(lenders: list[Lender], tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CAPABILITIES, "shared_memory", False)
    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        np.testing.assert_array_equal(TT.echo(LARGE), LARGE)
        assert not any(each.lends for each in lenders)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "tagwire-" + "0" * 32, "tagwire-0", "/dev/shm/x"])
def test_a_client_that_cannot_read_the_probe_gets_no_shared_memory(
    lenders: list[Lender], tiny_server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    probe = Lender.probe
    monkeypatch.setattr(Lender, "probe", lambda self: probe(self) and name)
    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        np.testing.assert_array_equal(TT.echo(LARGE), LARGE)
        assert not any(each.lends for each in lenders)
        assert lenders[0]._probe_name in names()
    wait_for(lambda: lenders[0]._probe_name not in names())  # it goes with the connection


def test_a_wrong_proof_is_none(TT: Any, lenders: list[Lender]) -> None:
    TT._link.request("shares", b"x" * 32)
    np.testing.assert_array_equal(TT.echo(LARGE), LARGE)
    assert not any(each.lends for each in lenders)


def test_another_computer_gets_no_probe(tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagwire.rpc.client.greeting.place", lambda: "elsewhere")
    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        assert "probe" not in TT._link.welcome
        np.testing.assert_array_equal(TT.echo(LARGE), LARGE)


KILLED = """
import sys, numpy, tagwire
TT = tagwire.connect("127.0.0.1", int(sys.argv[1]))
kept = [TT.echo(numpy.arange(200_000)) for _ in range(5)]
TT.hold()
"""


def test_a_killed_client_leaves_no_segment(lenders: list[Lender], tiny_server: Server) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tiny_server.port)])
    try:
        assert tiny._entered.wait(120)
        assert len(lender(lenders)._lent) == 5
        mine = {segment.name for segment in lender(lenders)._lent.values()}
    finally:
        process.kill()
        process.wait(120)
    tiny._go_on.set()
    assert names().isdisjoint(mine)


@pytest.mark.skipif(sys.platform == "win32", reason="there, a signal does not end a socket's wait")
def test_an_interrupted_call_costs_no_memory(TT: Any, tiny_server: Server, lenders: list[Lender]) -> None:
    functions = tiny_server.service.library._functions
    echo = functions["echo"]

    def slowly(value: Any) -> Any:
        tiny.hold()
        return echo(value)

    def interrupt() -> None:
        tiny._entered.wait(120)
        os.kill(os.getpid(), signal.SIGINT)

    for _ in range(3):
        tiny._entered.clear()
        tiny._go_on.clear()
        functions["echo"] = slowly
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            TT.echo(LARGE)
        tiny._go_on.set()
        functions["echo"] = echo
        np.testing.assert_array_equal(TT.echo(LARGE), LARGE)
    one = lender(lenders)
    wait_for(lambda: TT.getVersion() and not one._lent)
    assert one._size <= 3 * 2**21
