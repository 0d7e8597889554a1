"""One connection for everything: many calls in flight, interrupts anywhere, broken links, and every way to send."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from steady import PATIENCE_S, process
from tagwire.core.catalog import Catalog
from tagwire.errors import ArgumentError, ConnectionBroken, ConnectionClosed, ServerUnreachable
from tagwire.rpc import message
from tagwire.rpc.capabilities import CAPABILITIES
from tagwire.rpc.client import greeting, link
from tagwire.rpc.limits import Limits
from tagwire.rpc.server import Server

SIZES = (0, 1_000, 2_049, 30_000, 300_000)


@pytest.fixture
def TT(tiny_server: Server) -> Iterator[Any]:
    with tagwire.connect("127.0.0.1", tiny_server.port) as module:
        yield module


@pytest.fixture
def kind_server(tiny_catalog: Catalog) -> Iterator[Server]:
    """One that keeps the objects of a client that is lost."""
    with Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog) as server:
        yield server
        tiny._go_on.set()


def in_threads(count: int, work: Any) -> None:
    """Call ``work(number)`` in threads; the first error is raised here."""
    failed: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    if failed:
        raise failed[0]


@pytest.mark.parametrize("missing", ["", "gather", "shared_memory", "narrow", "gather shared_memory narrow"])
def test_arrays_by_every_way(tiny_server: Server, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for capability in missing.split():
        monkeypatch.setattr(CAPABILITIES, capability, False)
    if not missing:
        monkeypatch.setattr(CAPABILITIES, "shared_memory", False)  # else nothing is narrowed
    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        for size in SIZES:
            for array in (np.arange(size) % 250, np.arange(size) - 5, np.linspace(0, 1, size), [np.arange(size)] * 3):
                answer = TT.echo(array)
                np.testing.assert_array_equal(answer, array)
                if isinstance(array, np.ndarray):
                    assert answer.dtype == array.dtype
                    assert answer.flags.writeable


def test_counts_travel_in_a_small_type(tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CAPABILITIES, "shared_memory", False)
    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        exchange = TT._link._connections[0].exchange
        sizes: list[int] = []

        def weighed(*request: Any) -> Any:
            answer = exchange(*request)
            sizes.append(answer.size)
            return answer

        monkeypatch.setattr(TT._link._connections[0], "exchange", weighed)
        counts = np.arange(100_000) % 200
        np.testing.assert_array_equal(TT.echo(counts), counts)
        assert sizes[0] < 110_000


def test_many_threads_with_answers_of_all_sizes(TT: Any) -> None:
    def work(number: int) -> None:
        dice = random.Random(number)
        for i in range(30):
            array = np.arange(dice.choice(SIZES)) + number
            np.testing.assert_array_equal(TT.echo(array), array)
            assert TT.echo((number, i)) == (number, i)

    in_threads(10, work)
    (connection,) = TT._link._connections
    assert (connection._calls, connection._waiting) == ({}, {})
    assert not connection._reading.locked()


def test_waiting_calls_hold_up_nobody(TT: Any, tiny_server: Server) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    waiters = [threading.Thread(target=counter.waitUntilFinished) for _ in range(8)]
    waiters.append(threading.Thread(target=TT.hold))
    for waiter in waiters:
        waiter.start()
    assert tiny._entered.wait(120)
    in_threads(4, lambda number: [TT.echo(number) for _ in range(25)])
    assert all(waiter.is_alive() for waiter in waiters)
    counter.finish()
    tiny._go_on.set()
    for waiter in waiters:
        waiter.join(120)
        assert not waiter.is_alive()


def test_ten_thousand_objects_on_one_connection(TT: Any, tiny_server: Server) -> None:
    gates = [TT.Gate(i) for i in range(10_000)]
    assert len(tiny_server.service.registry) == 10_000
    assert (gates[0].channel, gates[9_999].channel) == (0, 9_999)
    assert len(TT._link._connections) == 1
    gates.clear()
    TT.getVersion()
    assert len(tiny_server.service.registry) == 0


def test_each_call_is_one_message(TT: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = TT.createTimeTagger()
    (connection,) = TT._link._connections
    exchange, made = connection.exchange, []
    monkeypatch.setattr(connection, "exchange", lambda *request: made.append(request) or exchange(*request))
    counter = TT.Counter(tagger, [1])
    counter.getData()
    assert len(made) == 2
    del counter
    TT.getVersion()
    assert len(made) == 3


def test_a_request_that_is_too_large_for_the_server_is_not_sent(tiny_catalog: Catalog) -> None:
    with (
        Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog, limits=Limits(request_bytes=10_000)) as server,
        tagwire.connect("127.0.0.1", server.port) as TT,
    ):
        with pytest.raises(ArgumentError, match="at most 10000"):
            TT.echo(np.zeros(10_000))
        with pytest.raises(ArgumentError, match="at most 10000"):
            TT.echo(b"x" * 10_000)
        assert TT.echo(b"x" * 9_000) == b"x" * 9_000


def test_an_answer_that_no_message_can_hold_is_an_error(TT: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "_SIZE_MAX", 100_000)
    with pytest.raises(ArgumentError, match="at most 100000"):
        TT.Counter(TT.createTimeTagger(), [1], n_values=50_000).getData()
    assert TT.getVersion() == "1.2.3"


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "CONNECT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ServerUnreachable, match=r"not answered within 0\.1 s"):
            tagwire.connect("127.0.0.1", port)
        with pytest.raises(ServerUnreachable, match=r"not answered within 0\.1 s"):
            asyncio.run(tagwire.aconnect("127.0.0.1", port))


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def interrupt_when(entered: threading.Event) -> None:
    def wait() -> None:
        entered.wait(120)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait).start()


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="there, a signal does not end a socket's wait")


@needs_signals
def test_an_interrupt_while_another_thread_reads(TT: Any) -> None:
    (connection,) = TT._link._connections
    reader = threading.Thread(target=TT.hold)
    reader.start()
    assert tiny._entered.wait(120)
    tiny._entered.clear()
    interrupt_when(tiny._entered)
    with pytest.raises(KeyboardInterrupt):
        TT.hold()
    assert TT.getVersion() == "1.2.3"
    tiny._go_on.set()
    reader.join(120)
    assert not reader.is_alive()
    assert TT._link._connections == [connection]
    assert connection.ended is None


@needs_signals
def test_others_go_on_when_the_reader_is_interrupted(TT: Any) -> None:
    (connection,) = TT._link._connections
    done: list[int] = []
    other = threading.Thread(target=lambda: done.append(TT.hold()))

    def interrupt() -> None:
        tiny._entered.wait(120)
        tiny._entered.clear()
        other.start()
        tiny._entered.wait(120)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        TT.hold()
    tiny._go_on.set()
    other.join(120)
    assert done == [1]
    assert TT._link._connections == [connection]
    assert connection.ended is None


@needs_signals
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_interrupts_in_the_middle_of_large_arrays(tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CAPABILITIES, "shared_memory", False)

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    large, interrupted, dice = np.arange(400_000), 0, random.Random(1)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
            (connection,) = TT._link._connections
            span = min(seconds(lambda: TT.echo(large)) for _ in range(5))  # none takes less on a computer that is busy
            for i in range(40):
                try:
                    signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-5, span))
                    np.testing.assert_array_equal(TT.echo(large + i)[::1000], (large + i)[::1000])
                    assert TT.echo(i) == i
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    interrupted += 1
                signal.setitimer(signal.ITIMER_REAL, 0)
                np.testing.assert_array_equal(TT.echo(large)[::1000], large[::1000])
            assert interrupted > 5
            assert TT._link._connections == [connection]
            assert connection.ended is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@needs_signals
def test_a_large_request_behind_a_large_answer_that_nobody_took(
    tiny_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CAPABILITIES, "shared_memory", False)
    functions = tiny_server.service.library._functions
    echo = functions["echo"]
    large = np.random.default_rng(1).integers(0, 2**60, 3_000_000)

    def slowly(value: Any) -> Any:
        tiny.hold()
        return echo(value)

    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        functions["echo"] = slowly
        try:
            interrupt_when(tiny._entered)
            with pytest.raises(KeyboardInterrupt):
                TT.echo(large)
        finally:
            functions["echo"] = echo
        tiny._go_on.set()  # now both sides have 24 MB to send, and neither may wait for the other
        np.testing.assert_array_equal(TT.echo(large), large)


def test_after_a_broken_link_everything_is_as_it_was(kind_server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with tagwire.connect("127.0.0.1", kind_server.port) as TT:
        gate, broken = TT.Gate(4), []

        def hold() -> None:
            try:
                TT.hold()
            except ConnectionBroken as error:
                broken.append(error)

        holding = threading.Thread(target=hold)
        holding.start()
        assert tiny._entered.wait(120)
        tiny._entered.clear()
        TT._link._connections[0]._sock.shutdown(2)
        holding.join(120)
        assert "unknown" in str(broken[0])
        in_threads(6, TT.echo)
        assert gate.channel == 4
        tiny._go_on.set()
        assert not tiny._entered.is_set()  # nothing was done twice
        assert len(kind_server.service.registry) == 1
    said = [record.getMessage() for record in caplog.records if record.name == link.__name__]
    assert len(said) == 1
    assert said[0].endswith("is there again")


def test_a_link_that_broke_while_nobody_called_costs_no_call(kind_server: Server) -> None:
    with tagwire.connect("127.0.0.1", kind_server.port) as TT:
        gate = TT.Gate(4)
        TT._link._connections[0]._sock.shutdown(2)
        TT._link._connections[0]._used -= 10  # some time ago
        assert gate.channel == 4


def test_a_client_that_is_closed_while_it_comes_back_leaves_nothing(
    kind_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    TT = tagwire.connect("127.0.0.1", kind_server.port)
    gate, connect = TT.Gate(1), TT._link._connect

    def slowly() -> Any:
        connection = connect()
        TT.close()
        return connection

    monkeypatch.setattr(TT._link, "_connect", slowly)
    TT._link._connections[0]._end(ConnectionError("the cable was pulled"))
    with pytest.raises(ConnectionClosed):
        gate.channel
    assert kind_server.service.registry.wait_until(0, timeout=120)


def test_what_was_made_by_a_lost_answer_is_taken_back(kind_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with tagwire.connect("127.0.0.1", kind_server.port) as TT:
        set_up = tiny.TimeTagger._set_up

        def slowly(self: tiny.TimeTagger, serial: str) -> None:
            tiny._entered.set()
            tiny._go_on.wait(120)
            set_up(self, serial)

        def cut() -> None:
            tiny._entered.wait(120)
            TT._link._connections[0]._sock.shutdown(2)

        tried = threading.Event()
        release, connect = TT._link.release_dropped, TT._link._connect

        def try_in_vain() -> None:
            release()
            if threading.current_thread().name == "tagwire-gc":
                tried.set()

        def late() -> Any:
            assert tried.wait(PATIENCE_S)
            return connect()

        monkeypatch.setattr(tiny.TimeTagger, "_set_up", slowly)
        monkeypatch.setattr(TT._link, "release_dropped", try_in_vain)
        monkeypatch.setattr(TT._link, "_connect", late)
        threading.Thread(target=cut).start()
        with pytest.raises(ConnectionBroken):
            TT.createTimeTagger("T1")
        tiny._go_on.set()
        TT.getVersion()
        assert kind_server.service.registry.wait_until(0, timeout=120)


CTRL_C = """
import signal, sys, threading, tagwire
TT = tagwire.connect("127.0.0.1", int(sys.argv[1]))
counter = TT.Counter(TT.createTimeTagger("T1"), [1])
connection = TT._link._connections[0]
for call in (counter.waitUntilFinished, TT.hold):
    try:
        print("calling", flush=True)
        call()
    except KeyboardInterrupt:
        print("interrupted", counter.getData().shape, TT._link._connections[0] is connection, flush=True)
"""


@needs_signals
def test_ctrl_c_in_a_shell(tiny_server: Server) -> None:
    command = [sys.executable, "-c", CTRL_C, str(tiny_server.port)]
    with process(command, stdout=subprocess.PIPE) as shell:
        for entered in (None, tiny._entered):
            assert shell.stdout.readline() == "calling\n"
            if entered is not None:
                assert entered.wait(PATIENCE_S)
            shell.send_signal(signal.SIGINT)
            assert shell.stdout.readline() == "interrupted (1, 1) True\n"
        assert shell.wait(PATIENCE_S) == 0
