"""What a client of `tagwire.connect` sees of a served module."""

from __future__ import annotations

import _thread
import contextlib
import copy
import gc
import inspect
import os
import pickle
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import warnings
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from steady import PATIENCE_S, nobody, quiet_port
from tagwire.core.catalog import Catalog
from tagwire.errors import (
    ArgumentError,
    ArgumentKindError,
    ConnectionBroken,
    ConnectionClosed,
    FileRefused,
    NotSupported,
    ObjectGone,
    ProtocolError,
    ServerGone,
    ServerUnreachable,
    StateError,
)
from tagwire.rpc.client import connection, greeting, link
from tagwire.rpc.message import EXCEPTION
from tagwire.rpc.server import Server


@pytest.fixture
def TT(tiny_server: Server) -> Any:
    with tagwire.connect("127.0.0.1", tiny_server.port) as module:
        yield module


def test_the_module_describes_itself(TT: Any, tiny_server: Server) -> None:
    assert sorted(TT.__all__) == sorted(tiny.__all__)
    assert set(tiny.__all__) <= set(dir(TT))
    assert repr(TT) == f"<module tiny_instrument 1.2.3 at 127.0.0.1:{tiny_server.port}>"
    assert TT.__doc__ == tiny.__doc__
    assert TT.Counter.__doc__ == "Counts clicks."
    assert TT.Counter.getData.__doc__.startswith("Counts, one row")
    assert "2-D array of int32" in TT.Counter.getData.__doc__
    assert "delay : int\n    Delay in ps." in TT.TimeTagger.setInputDelay.__doc__


def test_every_member_of_the_catalog_is_there(TT: Any, tiny_catalog: Catalog) -> None:
    for spec in tiny_catalog.classes:
        owner: Any = TT
        for part in spec.name.split("."):
            owner = getattr(owner, part)
        members = [m.name for m in (*spec.methods, *spec.properties)]
        assert all(hasattr(owner, name) for name in members)


def test_classes_look_like_the_originals(TT: Any) -> None:
    assert issubclass(TT.TimeTagger, TT.TimeTaggerBase)
    assert TT.Counter is TT.Counter
    assert TT.Counter.__module__ == "tiny_instrument"
    assert str(inspect.signature(TT.Counter)) == "(tagger, channels, binwidth=1000, n_values=1)"
    assert str(inspect.signature(TT.Counter.getData)) == "(self, rolling=True)"
    assert TT.Gate.Kind_Open == 1
    assert TT.CHANNEL_UNUSED == tiny.CHANNEL_UNUSED


def test_enums_are_real_and_complete(TT: Any) -> None:
    assert issubclass(TT.Resolution, IntEnum)
    assert issubclass(TT.Edge, IntFlag)
    assert {n: int(m) for n, m in TT.Edge.__members__.items()} == {"All": 0, "Rising": 1, "Falling": 2, "Both": 3}
    assert TT.edgeName(TT.Edge.All) == "All"
    assert TT.edgeName(2) == "Falling"
    assert TT.edgeName(edge=tiny.Edge.Rising) == "Rising"  # another module's enum counts by its value
    gate = TT.Gate(1, TT.Edge.Both)
    assert gate.edge is TT.Edge.Both


def test_measurements_by_position_and_keyword(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    assert isinstance(tagger, TT.TimeTagger)
    assert isinstance(tagger, TT.TimeTaggerBase)
    for counter in (TT.Counter(tagger, [1, 2], 10, 3), TT.Counter(tagger=tagger, channels=(1, 2), n_values=3)):
        data = counter.getData()
        assert data.dtype == np.int32
        np.testing.assert_array_equal(data, np.arange(6).reshape(2, 3))
        assert data.flags.writeable
    snapshot = TT.Counter(tagger, range(1, 3), n_values=np.int64(4)).getDataObject()
    assert isinstance(snapshot, TT.CounterData)
    assert snapshot.getTime().dtype == np.int64


VALUES = [
    None, True, 3, -(2**70), 2.5, "µ", b"\0", [1, [2]], (1, (2, "x")), {"a": (1,), 3: None}, range(2, 9, 3), 1 + 2j,
    np.int32(7), np.float64("nan"), np.bool_(False), "\udc80",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_were(TT: Any, value: Any) -> None:
    answer = TT.echo(value)
    assert type(answer) is type(value)
    assert answer == value or np.isnan(value)


@pytest.mark.parametrize(
    "dtype", ["i1", "u2", "i4", "i8", "f4", "f8", "?", "c16", ">i4", [("a", "i4"), ("b", "f8", 2)]]
)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (3, 4)])
def test_arrays_keep_type_and_shape(TT: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, dtype)
    answer = TT.echo(array)
    assert (answer.dtype, answer.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(answer, array)


def test_large_and_strided_arrays(TT: Any) -> None:
    array = np.arange(3_000_000).reshape(1000, 3000)[::2, ::-3]
    np.testing.assert_array_equal(TT.echo(array), array)


def test_values_that_cannot_travel_are_refused_here(TT: Any) -> None:
    for value in (object(), {1, 2}, lambda: 0, np.array([object()])):
        with pytest.raises(ArgumentKindError):
            TT.echo(value)


def test_properties(TT: Any) -> None:
    gate = TT.Gate(3)
    gate.channel = 5
    assert gate.channel == 5
    with pytest.raises(AttributeError):
        gate.edge = 1


def test_typos_are_found_without_the_server(TT: Any) -> None:
    gate = TT.Gate(1)
    TT.close()
    with pytest.raises(AttributeError, match="Did you mean: channel"):
        gate.chanel
    with pytest.raises(AttributeError, match="Counter"):
        TT.Conter


def test_live_objects_inside_results(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    together = TT.SynchronizedMeasurements(tagger)
    counter = TT.Counter(together.getTagger(), [1])
    together.registerMeasurement(counter)
    (member,) = together.getMembers()
    assert isinstance(member, TT.Counter)
    assert member.getData().shape == (1, 1)
    assert isinstance(TT.Experimental.Pulser(tagger).getChannel(), int)


def test_a_remote_object_cannot_be_copied(TT: Any) -> None:
    gate = TT.Gate(1)
    with pytest.raises(TypeError, match="lives at the server"):
        copy.copy(gate)
    with pytest.raises(TypeError, match="lives at the server"):
        pickle.dumps(gate)


def test_local_code_is_refused_clearly(TT: Any) -> None:
    with pytest.raises(NotSupported, match="your own code"):
        TT.CustomMeasurement(None)
    with pytest.raises(NotSupported, match="your own code"):
        type("Mine", (TT.CustomMeasurement,), {})


def test_a_remote_class_can_be_extended(TT: Any) -> None:
    class Mine(TT.Counter):  # type: ignore[misc]
        def total(self) -> int:
            return int(self.getData().sum())

    assert Mine(TT.createTimeTagger(), [1, 2], n_values=2).total() == 6


def test_errors_are_those_of_the_library(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    with pytest.raises(ArgumentError, match=r"channel must be in 1\.\.8, not 9") as caught:
        tagger.setInputDelay(9, 0)
    assert any("tiny_instrument.py" in note for note in caught.value.__notes__)
    with pytest.raises(ValueError, match="a valid Time Tagger"):
        TT.Counter(None, [1])
    with pytest.raises(TypeError, match="unexpected keyword argument 'bogus'"):
        TT.Counter(tagger, [1], bogus=1)
    with pytest.raises(TypeError, match="missing 2 required"):
        TT.Counter()
    with pytest.raises(AttributeError, match="class is abstract"):
        TT.TimeTaggerBase()
    with pytest.raises(AttributeError, match="No constructor defined"):
        TT.CounterData()


@pytest.mark.parametrize(
    ("kind", "type_", "message"),
    [
        ("KeyError", KeyError, "'x'"),
        ("library", OSError, "disk"),
        ("odd", tagwire.errors.RemoteError, "Odd: strange"),
        ("state", StateError, "state"),
        ("unicode", UnicodeDecodeError, "bad"),
    ],
)
def test_error_types(TT: Any, kind: str, type_: type[Exception], message: str) -> None:
    with pytest.raises(type_, match=message) as caught:
        TT.fail(kind)
    assert type(caught.value) is type_


def test_files_need_a_data_folder(TT: Any) -> None:
    with pytest.raises(FileRefused, match="--data"):
        TT.createTimeTaggerVirtual("x.ttbin")
    assert TT.createTimeTaggerVirtual().getFile() == ""
    assert TT.createTimeTaggerVirtual("").getFile() == ""


def test_files_stay_in_the_data_folder(tmp_path: Path, tiny_catalog: Catalog) -> None:
    shared, outside = tmp_path / "shared", tmp_path / "outside"
    shared.mkdir()
    outside.mkdir()
    (shared / "link").symlink_to(outside)
    inside = str(shared.resolve() / "a")
    with (
        Server(tiny, "127.0.0.1", 0, shared, catalog=tiny_catalog) as server,
        tagwire.connect("127.0.0.1", server.port) as TT,
    ):
        assert TT.createTimeTaggerVirtual("a").getFile() == inside
        assert TT.createTimeTaggerVirtual(filename=Path("a")).getFile() == inside
        assert TT.merge(inside, ["a", "b"]) == [inside, inside, str(shared.resolve() / "b")]
        bad = ["/etc/passwd", "../x", "link/x", "a\0b", str(outside / "x"), "sub/../../x", ".", "~/../x"]
        for name in bad:
            with pytest.raises(FileRefused):
                TT.createTimeTaggerVirtual(name)
            with pytest.raises(FileRefused):
                TT.merge("a", input_filenames=["a", name])
            with pytest.raises(FileRefused):
                TT.merge(output_filename=name, input_filenames=[])
        for kind in (b"/etc/passwd", 3, np.array(["/etc/passwd"])):
            with pytest.raises(TypeError):
                TT.createTimeTaggerVirtual(kind)


def test_with_frees_and_use_after_that_is_an_error(TT: Any, tiny_server: Server) -> None:
    with TT.createTimeTagger() as tagger, TT.Counter(tagger, [1]) as counter:
        assert len(tiny._running) == 1
    assert (tiny._running, tiny._open, len(tiny_server.service.registry)) == ([], {}, 0)
    with pytest.raises(ObjectGone):
        counter.getData()
    with pytest.raises(ObjectGone):
        tagger.getSerial()
    assert TT.freeTimeTagger(tagger) is None  # as often as one likes
    with pytest.raises(TypeError, match="freeTimeTagger"):
        TT.freeTimeTagger(5)


def test_collected_objects_are_gone_before_the_next_call(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    counter = TT.Counter(tagger, [1])
    del counter
    TT.getVersion()
    assert tiny._running == []


def test_collected_objects_are_gone_without_another_call(TT: Any, tiny_server: Server) -> None:
    gate = TT.Gate(1)
    assert len(tiny_server.service.registry) == 1
    del gate
    assert tiny_server.service.registry.wait_until(0, timeout=120)


def test_a_measurement_keeps_its_tagger(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    TT.getVersion()
    assert list(tiny._open) == ["T1"]
    del counter
    TT.getVersion()
    assert tiny._open == {}


def test_taggers_are_shared_and_never_stolen(TT: Any, tiny_server: Server) -> None:
    with tagwire.connect("127.0.0.1", tiny_server.port) as other:
        mine, theirs = TT.createTimeTagger(), other.createTimeTagger()
        assert list(tiny._open) == ["T1"]
        mine.setInputDelay(1, 77)
        assert theirs.getInputDelay(1) == 77
        assert other.createTimeTagger("T1").getInputDelay(1) == 77
        counter = other.Counter(theirs, [1])
        TT.freeTimeTagger(mine)
        with pytest.raises(ObjectGone):
            mine.getSerial()
        assert theirs.getSerial() == "T1"
        assert counter.getData().size == 1
        with pytest.raises(RuntimeError, match="is open with"):
            TT.createTimeTagger("T1", TT.Resolution.HighRes)
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert tiny._open == {}


def test_one_client_gets_a_second_device_when_it_asks_twice(TT: Any) -> None:
    assert [TT.createTimeTagger().getSerial(), (kept := TT.createTimeTagger()).getSerial()] == ["T1", "T1"]
    second, third = TT.createTimeTagger(), TT.createTimeTagger()
    assert (kept.getSerial(), second.getSerial(), third.getSerial()) == ("T1", "T2", "T1")


def test_virtual_taggers_belong_to_their_client(TT: Any, tiny_server: Server) -> None:
    with tagwire.connect("127.0.0.1", tiny_server.port) as other:
        mine, theirs = TT.createTimeTaggerVirtual(), other.createTimeTaggerVirtual()
        mine.setInputDelay(1, 5)
        assert theirs.getInputDelay(1) == 0


def test_objects_of_another_client_are_out_of_reach(TT: Any, tiny_server: Server) -> None:
    with tagwire.connect("127.0.0.1", tiny_server.port) as other:
        gate = other.Gate(1)
        with pytest.raises(ArgumentKindError, match="another connection"):
            TT.echo(gate)
        with pytest.raises(ObjectGone):
            TT._link.request("get", gate._tagwire_handle.id, "channel")


def test_only_what_the_catalog_names_can_be_called(TT: Any) -> None:
    gate = TT.Gate(1)._tagwire_handle.id
    for name in ("__class__", "_channel", "__init__", "nothing"):
        with pytest.raises((AttributeError, ObjectGone)):
            TT._link.request("get", gate, name)
        with pytest.raises((AttributeError, ObjectGone)):
            TT._link.request("invoke", gate, name, (), {})
    for name in ("_LOCK", "threading", "np", "__builtins__", "Counter.__init__", "Gate.channel", "os.system"):
        with pytest.raises(AttributeError):
            TT._link.request("call", name, (), {})
    for nonsense in ([1, "no such operation"], [], 3, [1, "call", "echo"], [1, "invoke", 1, 2, 3, 4, 5, 6]):
        answer = TT._link._connections[0].exchange(TT._link.codec.pack(nonsense))
        assert answer.flags & EXCEPTION


def test_waiting_is_sliced_and_ends_in_time(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    assert counter.waitUntilFinished(timeout=0) is False
    assert counter.waitUntilFinished(30) is False
    waiter = threading.Thread(target=counter.waitUntilFinished)
    waiter.start()
    counter.finish()
    waiter.join(120)
    assert not waiter.is_alive()
    assert counter.waitUntilFinished() is True


def test_sync_sets_one_fence(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    assert tagger.sync() is True  # the tiny tagger refuses to wait longer than a slice
    assert tagger.getFence() == 2


def test_use_from_many_threads(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1], n_values=50)
    wrong: list[object] = []

    def work(seed: int) -> None:
        for i in range(40):
            if TT.echo((seed, i)) != (seed, i) or counter.getData().shape != (1, 50):
                wrong.append((seed, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert wrong == []
    (only,) = TT._link._connections
    assert only._calls == {}


def test_objects_made_and_dropped_in_many_threads(TT: Any, tiny_server: Server) -> None:
    def work() -> None:
        with tagwire.connect("127.0.0.1", tiny_server.port) as own:
            for _ in range(30):
                assert own.Counter(own.createTimeTagger("T1"), [1]).getData().shape == (1, 1)

    failed: list[threading.ExceptHookArgs] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", failed.append)
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive()
    assert failed == []
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert (tiny._open, tiny._running) == ({}, [])


def test_one_long_call_holds_up_nobody(TT: Any) -> None:
    waiter = threading.Thread(target=TT.hold)
    waiter.start()
    assert tiny._entered.wait(120)
    assert TT.getVersion() == "1.2.3"
    tiny._go_on.set()
    waiter.join(120)
    assert not waiter.is_alive()


def test_a_socket_that_is_connected_to_itself_is_nobody() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        try:
            sock.connect(sock.getsockname())
        except OSError as error:
            pytest.skip(f"this system never connects a socket to itself ({error})")
        with pytest.raises(ServerUnreachable, match=r"nobody answers at here:7 .* tagwire serve --port 7"):
            greeting.refuse_itself(sock, "here", 7)


def test_a_server_that_ends_during_the_greeting_may_be_tried_again() -> None:
    def end(listener: socket.socket) -> None:
        listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        ending = threading.Thread(target=end, args=(listener,))
        ending.start()
        with pytest.raises(ConnectionBroken):
            tagwire.connect(*listener.getsockname())
        ending.join(60)


def test_nobody_answers() -> None:
    with nobody() as port, pytest.raises(ServerUnreachable, match=f"127.0.0.1:{port}.*tagwire serve"):
        tagwire.connect("127.0.0.1", port)


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        (("127.0.0.1", 0), ValueError, r"port is 0, but must be within \[1, 65535\]"),
        (("127.0.0.1", 99999), ValueError, r"port is 99999, but must be within \[1, 65535\]"),
        (("127.0.0.1", "23000"), TypeError, "port must be an integer, not '23000'"),
        ((23000,), TypeError, "host must be a string, not 23000"),
    ],
)
def test_what_is_no_address(address: tuple[Any, ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        tagwire.connect(*address)


def test_somebody_else_answers(TT: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            sock, _ = other.accept()
            with sock, contextlib.suppress(OSError):
                sock.sendall(b"HTTP/1.0 400 Bad Request, this is something else altogether\r\n\r\n")
                while sock.recv(4096):  # until the client has had enough: else the connection would be reset
                    pass

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ProtocolError, match="not a Tagwire server"):
            tagwire.connect("127.0.0.1", other.getsockname()[1])
        thread.join(PATIENCE_S)


def test_after_close(TT: Any) -> None:
    gate = TT.Gate(1)
    TT.close()
    with pytest.raises(ConnectionClosed):
        gate.channel
    with pytest.raises(ConnectionClosed):
        TT.getVersion()


def test_the_server_dies_in_mid_call(tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "PAUSES_S", (0.0,))
    TT = tagwire.connect("127.0.0.1", tiny_server.port)
    caught: list[BaseException] = []

    def call() -> None:
        try:
            TT.hold()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert tiny._entered.wait(120)
    closer = threading.Thread(target=tiny_server.close)
    closer.start()
    thread.join(120)
    assert isinstance(caught[0], ConnectionBroken)
    with pytest.raises(ServerGone):
        TT.getVersion()
    tiny._go_on.set()
    closer.join(120)
    TT.close()


def test_a_restarted_server_is_found_again(
    tiny_catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link, "PAUSES_S", (0.0, 0.01))
    monkeypatch.setattr(connection, "_IDLE_S", 3600.0)  # it does not look whether the server is there before it calls
    port = quiet_port()
    with Server(tiny, "127.0.0.1", port, catalog=tiny_catalog) as server, tagwire.connect("127.0.0.1", port) as TT:
        gate = TT.Gate(1)
        server.close()
        with pytest.raises(ConnectionBroken):
            TT.getVersion()
        noted = len(TT._link._dropped)
        for _ in range(3):
            with pytest.raises(ServerGone):
                TT.getVersion()
        assert len(TT._link._dropped) == noted  # who asks all night must not collect anything
        with Server(tiny, "127.0.0.1", port, catalog=tiny_catalog, session_grace=0.0) as again:
            assert TT.getVersion() == "1.2.3"
            with pytest.raises(ObjectGone, match="restarted"):
                gate.channel
            kept = TT.Gate(2)
            assert not again.service.registry.wait_until(0, timeout=0.1)
            assert kept.channel == 2
    said = [record.getMessage() for record in caplog.records if record.name == link.__name__]
    assert len(said) == 2
    assert "could not be made again" in said[0]
    assert "restarted" in said[1]


def test_interrupting_a_call_costs_only_that_call(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])

    def interrupt() -> None:
        tiny._entered.wait(120)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        TT.hold()
    assert counter.getData().shape == (1, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="there, a signal does not end a socket's wait")
def test_what_an_interrupted_call_makes_is_taken_back(TT: Any, tiny_server: Server) -> None:
    set_up = tiny.TimeTagger._set_up

    def slowly(self: tiny.TimeTagger, serial: str) -> None:
        tiny._entered.set()
        tiny._go_on.wait(120)
        set_up(self, serial)

    def interrupt() -> None:
        tiny._entered.wait(120)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny.TimeTagger, "_set_up", slowly)
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            TT.createTimeTagger("T1")
        tiny._go_on.set()
        tagger = TT.createTimeTagger("T1")  # comes after the first one
    TT.freeTimeTagger(tagger)
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert tiny._open == {}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets given up while they connect
def test_interrupts_at_any_moment_mix_up_no_answers(TT: Any, tiny_server: Server) -> None:
    dice, interrupted, kept = random.Random(3), 0, []

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-5, 1.2e-3))
                for k in range(3):
                    kept.append(TT.Gate(i + k))
                    assert (TT.echo((i, k)), kept[-1].channel) == ((i, k), i + k)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 50
    TT.getVersion()
    assert tiny_server.service.registry.wait_until(len(kept), timeout=120)
    kept.clear()
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    gc.collect()  # sockets that were given up are this test's business, not that of a later one


def test_a_wait_without_end_can_be_interrupted(TT: Any) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    waiting = threading.Event()
    invoke = tiny.Counter.waitUntilFinished

    def wait(self: tiny.Counter, timeout: int = -1) -> bool:
        waiting.set()
        return invoke(self, timeout)

    def interrupt() -> None:
        waiting.wait(120)
        _thread.interrupt_main()  # only a flag, as Ctrl-C is on systems where it does not end a socket's wait

    threading.Thread(target=interrupt).start()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(tiny.Counter, "waitUntilFinished", wait)
        counter.waitUntilFinished()
    assert counter.getData().shape == (1, 1)


KILLED = """
import sys, tagwire
TT = tagwire.connect("127.0.0.1", int(sys.argv[1]))
tagger = TT.createTimeTagger("T1")
counters = [TT.Counter(tagger, [1]) for _ in range(3)]
TT.hold()
"""


def test_a_client_killed_in_mid_call_leaves_nothing(TT: Any, tiny_server: Server) -> None:
    mine = TT.createTimeTagger("T2")
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tiny_server.port)])
    try:
        assert tiny._entered.wait(120)
        assert len(tiny_server.service.registry) == 5
    finally:
        process.kill()
        process.wait(120)
    tiny._go_on.set()
    assert tiny_server.service.registry.wait_until(1, timeout=120)
    assert list(tiny._open) == ["T2"]
    assert tiny._running == []
    assert mine.getSerial() == "T2"


def test_a_forked_child_may_not_use_the_connection(TT: Any) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    gate = TT.Gate(4)
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child only tries one call and leaves
        child = os.fork()
    if not child:
        try:
            gate.channel
        except ConnectionClosed:
            os.write(write, b"closed")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        ended = select.select([said], [], [], PATIENCE_S)[0]
        if not ended:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert ended, "the child hangs"
        assert said.read() == b"closed"
    assert gate.channel == 4


FORKED = """
import os, signal, sys, tagwire
TT = tagwire.connect("127.0.0.1", int(sys.argv[1]))
counter = TT.Counter(TT.createTimeTagger("T1"), [1])
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_does_not_keep_the_session(TT: Any, tiny_server: Server) -> None:
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", FORKED, str(tiny_server.port)], stdin=-1)
    assert process.stdin is not None
    with process.stdin:
        assert process.wait(120) == -signal.SIGKILL
        assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert tiny._open == {}


def test_the_same_object_given_twice_ends_once_both_are_gone(TT: Any, tiny_server: Server) -> None:
    together = TT.SynchronizedMeasurements(TT.createTimeTagger())
    first, second = together.getTagger(), together.getTagger()
    del first
    counter = TT.Counter(second, [1])
    del second, together
    TT.getVersion()
    assert len(tiny_server.service.registry) == 4  # each keeps the one that it was made with
    assert counter.getData().size == 1
    del counter
    TT.getVersion()
    assert len(tiny_server.service.registry) == 0


def test_a_failing_constructor_leaves_nothing(TT: Any, tiny_server: Server) -> None:
    with TT.createTimeTagger() as tagger:
        for _ in range(5):
            with pytest.raises(ArgumentError):
                TT.Counter(tagger, [1], n_values=0)
        assert len(tiny_server.service.registry) == 1


def test_what_was_never_created_can_be_looked_at(TT: Any) -> None:
    gate = TT.Gate.__new__(TT.Gate)
    assert repr(gate) == "<Gate, never created>"
    with pytest.raises(AttributeError, match="never created"):
        gate.channel


def test_a_cycle_at_the_client_ends_when_it_is_collected(TT: Any, tiny_server: Server) -> None:
    gate = TT.Gate(1)
    gate.itself = gate
    del gate
    gc.collect()
    TT.getVersion()
    assert len(tiny_server.service.registry) == 0


def test_two_clients_create_and_free_the_same_tagger_all_the_time(tiny_server: Server) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with tagwire.connect("127.0.0.1", tiny_server.port) as own:
                for _ in range(60):
                    tagger = own.createTimeTagger("T1")
                    assert tagger.getSerial() == "T1"
                    own.freeTimeTagger(tagger)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert failed == []
    assert tiny_server.service.registry.wait_until(0, timeout=120)


def test_closing_the_server_frees_everything(tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "PAUSES_S", (0.0,))
    TT = tagwire.connect("127.0.0.1", tiny_server.port)
    counter = TT.Counter(TT.createTimeTagger(), [1])
    tiny_server.close()
    assert (tiny._open, tiny._running) == ({}, [])
    with pytest.raises((ConnectionBroken, ServerUnreachable)):
        counter.getData()
    TT.close()


def test_the_client_side_is_light(tiny_server: Server) -> None:
    script = (
        "import sys, tagwire\n"
        "heavy = {'numpy', 'Pyro5', 'numba', 'msgpack'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        f"tagwire.connect('127.0.0.1', {tiny_server.port}).getVersion()\n"
        "heavy = {'numba', 'llvmlite', 'tagwire.engine', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=PATIENCE_S)
