"""What the server sends by itself: it arrives while nobody calls, beside calls, and after a broken link."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from tagwire.core.catalog import Catalog
from tagwire.rpc.host import pushes
from tagwire.rpc.host.session import Client
from tagwire.rpc.server import Server


@pytest.fixture
def TT(tiny_server: Server) -> Any:
    with tagwire.connect("127.0.0.1", tiny_server.port) as module:
        yield module


def client_of(server: Server) -> Client:
    (client,) = server._daemon.clients.sessions.clients()
    return client


def test_events_arrive_while_nobody_calls(TT: Any, tiny_server: Server) -> None:
    got: SimpleQueue[Any] = SimpleQueue()
    number = TT._link.subscribe(got.put)
    push = client_of(tiny_server).push
    assert push(number, (1, "x"))
    assert got.get(timeout=120) == (1, "x")
    large = np.arange(100_000)
    assert push(number, large)
    np.testing.assert_array_equal(got.get(timeout=120), large)
    TT._link.unsubscribe(number)
    assert push(number, 3)
    assert push(TT._link.subscribe(got.put), 4)
    assert got.get(timeout=120) == 4


def test_events_arrive_beside_calls(TT: Any, tiny_server: Server) -> None:
    got: SimpleQueue[Any] = SimpleQueue()
    number = TT._link.subscribe(got.put)
    push = client_of(tiny_server).push
    for i in range(200):
        assert push(number, i)
        assert TT.echo(i) == i
    assert [got.get(timeout=120) for _ in range(200)] == list(range(200))


def test_a_function_that_fails_or_calls_back_holds_up_nobody(TT: Any, tiny_server: Server) -> None:
    got: SimpleQueue[Any] = SimpleQueue()

    def work(value: Any) -> None:
        if value == 1:
            raise KeyError(value)
        got.put(TT.echo(value))

    number = TT._link.subscribe(work)
    push = client_of(tiny_server).push
    assert push(number, 1)
    assert push(number, 2)
    assert got.get(timeout=120) == 2


def test_a_client_that_does_not_read_costs_a_bounded_number_of_events(TT: Any, tiny_server: Server) -> None:
    push = client_of(tiny_server).push
    large = np.zeros(1_000_000, np.uint8)
    sent = [push(1, large) for _ in range(pushes.HELD + 100)]
    assert not all(sent)
    assert TT.getVersion() == "1.2.3"


def test_events_go_on_after_a_broken_link(tiny_catalog: Catalog) -> None:
    got: SimpleQueue[Any] = SimpleQueue()
    with (
        Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog) as server,
        tagwire.connect("127.0.0.1", server.port) as TT,
    ):
        number = TT._link.subscribe(got.put)
        back = threading.Event()
        server._daemon.clients.sessions.listen(lambda what, client: back.set() if what == "came back" else None)
        TT._link._connections[0]._sock.shutdown(2)
        assert back.wait(120)
        assert client_of(server).push(number, "again")
        assert got.get(timeout=120) == "again"
