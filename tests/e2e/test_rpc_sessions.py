"""Sessions, control and events between real clients and servers."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import Pyro5.api
import pytest
import tiny_instrument as tiny

import tagwire
from steady import PATIENCE_S, quiet_port, wait_for
from tagwire.core.catalog import Catalog
from tagwire.errors import ArgumentError, ArgumentKindError, LimitReached, NotAllowed, ObjectGone, ServerGone
from tagwire.rpc.limits import Limits
from tagwire.rpc.server import Server

WAIT_S = PATIENCE_S


@pytest.fixture
def server(tiny_catalog: Catalog) -> Iterator[Server]:
    with start(tiny_catalog) as running:
        yield running
        tiny._go_on.set()


def start(catalog: Catalog, port: int = 0, **options: Any) -> Server:
    for state in (tiny._open, tiny._running, tiny._loggers):
        state.clear()
    return Server(tiny, "127.0.0.1", port, grace=0.0, catalog=catalog, **options)


@pytest.fixture
def TT(server: Server) -> Iterator[Any]:
    with tagwire.connect("127.0.0.1", server.port) as module:
        yield module


def come(server: Server, session: str | None = None) -> Any:
    return tagwire.connect("127.0.0.1", server.port, session=session)


def lose_connection(module: Any) -> None:
    """As if the cable had been pulled: neither side says goodbye."""
    module._link._connections[0]._sock.shutdown(socket.SHUT_RDWR)


class Program:
    """A client in a process of its own, that says when it is ready."""

    def __init__(self, server: Server, code: str) -> None:
        head = f"import tagwire\nport = {server.port}\n"
        tail = "\nprint('ready', flush=True)\ninput()\n"
        self.process = subprocess.Popen(
            [sys.executable, "-c", head + code + tail], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if said != "ready\n":
            self.__exit__()
            pytest.fail(f"the program said {said!r}")

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *args: object) -> None:
        self.process.kill()
        self.process.communicate(timeout=WAIT_S)


OVERNIGHT = """
TT = tagwire.connect("127.0.0.1", port, session="overnight")
tagger = TT.createTimeTagger("T1")
counter = TT.Counter(tagger, channels=[1, 2], n_values=3)
counter.count()
"""


def test_a_session_with_a_name_survives_the_death_of_its_client(server: Server) -> None:
    with Program(server, OVERNIGHT) as program:
        program.process.kill()
        program.process.wait(WAIT_S)
        with come(server, "overnight") as TT:
            wait_for(lambda: len(TT.session.clients) == 1)
            (counter,) = TT.session.measurements
            (tagger,) = TT.session.taggers
            np.testing.assert_array_equal(counter.getData(), np.arange(6).reshape(2, 3) + 1)
            assert isinstance(counter, TT.Counter)
            assert TT.session.about(counter).parameters == {
                "tagger": "<TimeTagger>", "channels": [1, 2], "n_values": 3,
            }  # fmt: skip
            assert TT.session.about(counter).since < TT.session.clients[0].since
            assert tagger.getSerial() == "T1"
            assert TT.createTimeTagger().getSerial() == "T1"
            TT.session.end()
            assert TT.session.measurements == []
            with pytest.raises(ObjectGone):
                counter.getData()
    assert len(server.service.registry) == 0


def test_a_lost_client_without_a_name_keeps_its_objects_for_the_grace_time_only(tiny_catalog: Catalog) -> None:
    with start(tiny_catalog, session_grace=0.2) as server:
        with Program(server, OVERNIGHT.replace('"overnight"', "None")):
            assert len(server.service.registry) == 2
        assert server.service.registry.wait_until(0, WAIT_S)


def test_a_broken_connection_costs_no_object(TT: Any, server: Server) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    session = TT.session.id
    lose_connection(TT)
    wait_for(lambda: not server._daemon.sessions.clients())
    counter.count()
    assert counter.getData() == [[1]]
    assert TT.session.id == session
    assert len(server.service.registry) == 2


def test_what_runs_in_a_session_with_a_name_needs_no_variable(server: Server) -> None:
    with come(server, "lab") as TT:
        TT.Counter(TT.createTimeTagger(), [1]).getDataObject()
        gc.collect()
        (counter,) = TT.session.measurements
        (again,) = TT.session.measurements
        assert again is counter
        assert len(server.service.registry) == 2
        TT.session.free(counter)
        assert TT.session.measurements == []
        TT.freeTimeTagger(TT.session.taggers[0])
        assert TT.session.taggers == []
        TT.session.end()


def test_two_programs_in_one_session(server: Server) -> None:
    with Program(server, OVERNIGHT), come(server, "overnight") as TT:
        assert len(TT.session.measurements) == 1
        me, other = sorted(TT.session.clients, key=lambda client: not client.here)
        assert (me.session, other.session) == ("overnight", "overnight")
        assert me.who.split("(")[0] == other.who.split("(")[0]
        assert me.who != other.who
        TT.session.end()


def test_a_session_is_kept_by_saying_so(server: Server) -> None:
    with come(server) as TT:
        assert TT.session.name == ""
        counter = TT.Experimental.Pulser(TT.createTimeTagger())
        assert TT.session.virtual_channels == [counter]
        assert TT.session.keep("later") == "later"
    with come(server, "later") as TT:
        assert [obj.getChannel() for obj in TT.session.virtual_channels] == [1001]
        TT.session.end()


def test_limits_of_a_session(tiny_catalog: Catalog) -> None:
    with start(tiny_catalog, limits=Limits(objects=2, sessions_per_client=1)) as server:
        with come(server, "only") as TT:
            tagger = TT.createTimeTagger()
            TT.Counter(tagger, [1])
            with pytest.raises(LimitReached, match="holds 2 objects"):
                TT.Counter(tagger, [1])
            assert len(tiny._running) == 1
        with pytest.raises(LimitReached, match="1 sessions with names"):
            come(server, "another")
        with pytest.raises(ArgumentError, match="printable"):
            come(server, "two\nlines")


def test_what_is_there_reads_well(TT: Any) -> None:
    counter, events = TT.Counter(TT.createTimeTagger(), [1]), TT.session.events()
    with TT.control():
        (client,), (control,) = TT.session.clients, TT.session.control
    assert str(client) == f"{client.who}: control since {client.since:%Y-%m-%d %H:%M:%S} (here)"
    assert str(control) == f"{client.who}: control of all instruments since {control.since:%Y-%m-%d %H:%M:%S}"
    assert str(TT.session.about(counter)).startswith("Counter(tagger='<TimeTagger>', channels=[1]) since 2")
    assert str(events.next(WAIT_S)).endswith(f"{client.who}: control taken of all instruments")
    assert TT.session.role == "control"


def test_names_of_sessions_and_objects_are_checked(TT: Any) -> None:
    with pytest.raises(ArgumentError, match="printable"):
        TT.session.keep("a\tb")
    with pytest.raises(ArgumentKindError, match="object of the server"):
        TT.session.about(3)


CONTROL = """
TT = tagwire.connect("127.0.0.1", port)
tagger = TT.createTimeTagger("T1")
control = TT.control(tagger, lease_s=0.2)
"""


def test_control_of_one_process_keeps_another_from_writing(TT: Any, server: Server) -> None:
    tagger = TT.createTimeTagger("T1")
    with Program(server, CONTROL) as program:
        holder = f"({program.process.pid})"
        with pytest.raises(NotAllowed) as refused:
            tagger.setInputDelay(1, 5)
        assert holder in str(refused.value)
        assert tagger.getInputDelay(1) == 0
        (seen,) = TT.session.control
        assert (holder in seen.who, seen.until, seen.lease_s) == (True, None, 0.2)
        with pytest.raises(NotAllowed, match="force=True"):
            TT.control()
    wait_for(lambda: not TT.session.control)
    tagger.setInputDelay(1, 5)


def test_control_is_taken_over_by_force(TT: Any, server: Server) -> None:
    tagger = TT.createTimeTagger("T1")
    with come(server) as other:
        theirs = other.createTimeTagger("T1")
        events = other.session.events()
        with other.control(theirs):
            with TT.control(force=True):
                with pytest.raises(NotAllowed, match="took it over from you"):
                    theirs.setInputDelay(1, 7)
                tagger.setInputDelay(1, 5)
            theirs.setInputDelay(1, 6)
        happened = [events.next(WAIT_S).what for _ in range(4)]
    assert happened == ["control taken", "control taken over", "control taken", "control given back"]
    assert tagger.getInputDelay(1) == 6


def test_control_ends_with_a_goodbye(TT: Any, server: Server) -> None:
    with come(server) as other:
        other.control()
        assert len(TT.session.control) == 1
    wait_for(lambda: not TT.session.control)


def test_who_changed_what(TT: Any, server: Server) -> None:
    tagger = TT.createTimeTagger("T1")
    heard: list[Any] = []
    arrived = tagger.on_settings(heard.append)
    changes = tagger.on_settings()
    with come(server) as other:
        other.createTimeTagger("T1").setInputDelay(1, delay=5)
    with Pyro5.api.Proxy(server.uri) as plain:
        plain.createTimeTagger("T1").setInputDelay(2, 7)
    first, second = changes.next(WAIT_S), changes.next(WAIT_S)
    assert (first.method, first.arguments) == ("setInputDelay", {"channel": 1, "delay": 5})
    assert "setInputDelay(channel=1, delay=5)" in str(first)
    assert second.who == "a plain Pyro client"
    assert TT.session.history(tagger) == [first, second]
    wait_for(lambda: heard == [first, second])
    arrived.close()
    assert arrived.closed


def test_one_device_for_two_programs_with_the_same_options_only(TT: Any, server: Server) -> None:
    mine, second = TT.createTimeTagger(), TT.createTimeTagger("T2")
    with come(server) as other:
        theirs = other.createTimeTagger()
        assert theirs.getSerial() in ("T1", "T2")
        with pytest.raises(tagwire.errors.NoDevice, match=r"T1 .*Standard.*HighRes"):
            other.createTimeTagger("T1", TT.Resolution.HighRes)
        with pytest.raises(tagwire.errors.NoDevice, match=r"T1 .*Standard.*HighRes"):
            other.createTimeTagger(resolution=TT.Resolution.HighRes)
        other.freeTimeTagger(theirs)
    assert mine.getSerial() == "T1"
    assert second.getSerial() == "T2"


def test_data_come_without_asking(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1, 2])
    updates = counter.on_update(0.01)
    np.testing.assert_array_equal(updates.next(WAIT_S), [[0], [1]])
    tiny._running[0].count()
    np.testing.assert_array_equal(next(updates), [[1], [2]])
    with pytest.raises(TimeoutError):
        updates.next(0.05)
    tiny._running[0].count()
    updates.close()
    assert list(updates) == []


def test_data_come_to_a_function_as_long_as_the_object_is_there(TT: Any, server: Server) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    heard: list[int] = []
    updates = counter.on_update(0.01, lambda data: heard.append(int(data[0, 0])))
    wait_for(lambda: heard == [0])
    tiny._running[0].count()
    wait_for(lambda: heard == [0, 1])
    del counter
    gc.collect()
    wait_for(lambda: updates.closed)


def test_a_loop_keeps_its_object_and_a_dropped_one_lets_it_go(TT: Any, server: Server) -> None:
    tagger = TT.createTimeTagger()
    updates = TT.Counter(tagger, [1]).on_update(0.01)
    gc.collect()
    assert updates.next(WAIT_S) == [[0]]
    del updates
    gc.collect()
    assert server.service.registry.wait_until(1, WAIT_S)
    assert TT.Counter(tagger, [1]).on_update(0.01).next(WAIT_S) == [[0]]


def test_other_values_can_be_watched(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    gate = TT.Counter(tagger, [1]).on_update(0.01, value="isRunning")
    assert gate.next(WAIT_S) is True
    with pytest.raises(ArgumentError, match="getData, isRunning"):
        TT.Counter(tagger, [1]).on_update(1, value="getRain")
    with pytest.raises(ArgumentError, match="interval_s"):
        TT.Counter(tagger, [1]).on_update(0)
    with pytest.raises(ArgumentError, match="value='name of a getter'"):
        tagger.on_update(1)
    assert not hasattr(TT.Gate(1), "on_update")
    assert not hasattr(TT.Counter, "on_settings")


def test_ends_and_overflows_come_without_asking(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    counter = TT.Counter(tagger, [1])
    finished, overflows = counter.on_finished(), tagger.on_overflow()
    tiny._open["T1"].overflow()
    assert overflows.next(WAIT_S) == 1
    tiny._running[0].finish()
    assert finished.next(WAIT_S) is None


def test_events_in_an_async_loop(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])

    async def three() -> list[int]:
        seen = []
        async with counter.on_update(0.01) as updates:
            async for data in updates:
                seen.append(int(data[0, 0]))
                if len(seen) == 3:
                    break
                tiny._running[0].count()
        return seen

    assert asyncio.run(asyncio.wait_for(three(), WAIT_S)) == [0, 1, 2]


def test_an_async_loop_ends_with_the_object(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    finished = counter.on_finished()  # before the object goes, however late the loop begins

    async def all_of_them() -> list[Any]:
        return [data async for data in finished]

    threading.Timer(0.1, lambda: counter.__exit__(None, None, None)).start()
    assert asyncio.run(asyncio.wait_for(all_of_them(), WAIT_S)) == []


def test_the_log_of_the_library(TT: Any, server: Server) -> None:
    heard: list[tuple[int, str]] = []
    TT.setLogger(lambda level, message: heard.append((level, message)))
    log = TT.session.log()
    assert TT.say("hello") == 1
    assert log.next(WAIT_S) == (10, "hello")
    wait_for(lambda: heard == [(10, "hello")])
    TT.setLogger(None)
    log.close()
    wait_for(lambda: not tiny._loggers)
    with pytest.raises(ArgumentKindError, match="callback"):
        TT.setLogger(3)


def test_a_slow_function_gets_the_latest_data(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    busy, go_on = threading.Event(), threading.Event()
    heard: list[int] = []

    def slow(data: Any) -> None:
        heard.append(int(data[0, 0]))
        busy.set()
        go_on.wait(WAIT_S)

    counter.on_update(0.01, slow)
    assert busy.wait(WAIT_S)
    for _ in range(50):
        counter.count()
    go_on.set()
    wait_for(lambda: heard[-1] == 50)
    assert len(heard) <= 3


def test_events_go_on_after_a_broken_connection(TT: Any, server: Server) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    updates = counter.on_update(0.01)
    assert updates.next(WAIT_S) == [[0]]
    lose_connection(TT)
    tiny._running[0].count()
    wait_for(lambda: updates.next(WAIT_S) == [[1]])  # of the one before, the server may not have heard that it came


@pytest.mark.parametrize("named_later", [False, True])
def test_events_and_objects_go_on_after_a_long_absence_in_a_session_with_a_name(
    tiny_catalog: Catalog, named_later: bool
) -> None:
    with start(tiny_catalog, session_grace=0.0) as server, come(server, None if named_later else "lab") as TT:
        if named_later:
            TT.session.keep("lab")
        counter = TT.Counter(TT.createTimeTagger(), [1])
        updates = counter.on_update(0.01)
        assert updates.next(WAIT_S) == [[0]]
        lose_connection(TT)
        tiny._running[0].count()
        wait_for(lambda: updates.next(WAIT_S) == [[1]])
        assert TT.session.measurements == [counter]
        TT.session.end()
        lose_connection(TT)
        wait_for(lambda: TT.session.name == "")
        assert len(server.service.registry) == 0


def test_loops_end_when_the_connection_is_closed(server: Server) -> None:
    TT = come(server)
    updates = TT.Counter(TT.createTimeTagger(), [1]).on_update(0.01)
    assert updates.next(WAIT_S) == [[0]]
    threading.Timer(0.05, TT.close).start()
    assert list(updates) == []


@pytest.fixture
def tenacious(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients wait for their server as long as the test takes to start it anew."""
    monkeypatch.setattr("tagwire.rpc.client.link.PAUSES_S", (0.0, *[0.05] * 2400))


@pytest.mark.usefixtures("tenacious")
def test_loops_end_with_an_error_when_the_server_is_restarted(tiny_catalog: Catalog) -> None:
    port = quiet_port()
    with start(tiny_catalog, port) as server:
        TT = come(server)
        updates = TT.Counter(TT.createTimeTagger(), [1]).on_update(0.01)
        assert updates.next(WAIT_S) == [[0]]
    with start(tiny_catalog, port), pytest.raises(ObjectGone, match="restarted"):
        list(updates)
    TT.close()


@pytest.mark.usefixtures("tenacious")
def test_what_concerns_no_object_goes_on_after_a_restart(tiny_catalog: Catalog) -> None:
    heard: list[str] = []
    port = quiet_port()
    with start(tiny_catalog, port) as server:
        TT = come(server)
        TT.setLogger(lambda level, message: heard.append(message))
        events = TT.session.events()
    with start(tiny_catalog, port) as again, come(again) as other:
        wait_for(lambda: len(other.session.clients) == 2)
        wait_for(lambda: tiny._loggers)
        other.say("hello")
        wait_for(lambda: heard == ["hello"])
        assert not events.closed
        TT.close()


def test_a_function_that_hears_no_more_is_told_in_the_log(
    tiny_catalog: Catalog, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagwire.rpc.client.link.PAUSES_S", (0.0, 0.01))
    with start(tiny_catalog) as server:
        TT = come(server)
        updates = TT.createTimeTagger().on_overflow(print)
    wait_for(lambda: updates.closed)
    assert "nothing more comes of 'overflow'" in caplog.text
    TT.close()


def test_loops_end_with_an_error_when_the_server_is_gone(
    tiny_catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagwire.rpc.client.link.PAUSES_S", (0.0, 0.01))
    with start(tiny_catalog) as server:
        TT = come(server)
        updates = TT.Counter(TT.createTimeTagger(), [1]).on_update(0.01)
        assert updates.next(WAIT_S) == [[0]]
    with pytest.raises(ServerGone):
        list(updates)
    TT.close()


def test_names_of_ours_hide_none_of_the_library(TT: Any) -> None:
    assert {"session", "control"}.isdisjoint(TT.__all__)
    assert {"session", "control", "setLogger"} <= set(dir(TT))


def test_all_of_it_with_asyncio(server: Server) -> None:
    async def evening() -> None:
        async with await tagwire.aconnect("127.0.0.1", server.port, session="overnight") as TT:
            tagger = await TT.createTimeTagger()
            async with TT.control(tagger):
                await tagger.setInputDelay(1, 5)
                assert [one.of for one in await TT.session.control] == ["this TimeTagger"]
            assert await TT.session.control == []
            await TT.Counter(tagger, [1])

    async def morning() -> list[Any]:
        async with await tagwire.aconnect("127.0.0.1", server.port, session="overnight") as TT:
            (tagger,) = await TT.session.taggers
            (counter,) = await TT.session.measurements
            assert [change.method for change in await TT.session.history(tagger)] == ["setInputDelay"]
            assert (await TT.session.about(counter)).parameters["channels"] == [1]
            heard: list[Any] = []
            TT.setLogger(lambda level, message: heard.append(message))
            wrong = counter.on_update(0)
            with pytest.raises(ArgumentError, match="interval_s"):
                await anext(wrong)
            seen = [int(data[0, 0]) async for data in counting(counter.on_update(0.01))]
            while not await TT.say("hello"):
                pass
            await TT.session.end()
            return seen

    async def counting(updates: Any) -> Any:
        async for data in updates:
            yield data
            if data[0, 0] == 2:
                return
            tiny._running[0].count()

    asyncio.run(asyncio.wait_for(evening(), WAIT_S))
    assert asyncio.run(asyncio.wait_for(morning(), WAIT_S)) == [0, 1, 2]
    assert len(server.service.registry) == 0
