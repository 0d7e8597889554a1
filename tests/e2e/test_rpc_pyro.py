"""Plain Pyro5 clients: the `TimeTagger` door, what it refuses, and how long its objects live."""

from __future__ import annotations

import contextlib
import copy
import gc
import math
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import Pyro5.api
import Pyro5.errors
import pytest
import tiny_instrument as tiny
from Pyro5 import protocol
from Pyro5.serializers import serializers

from tagwire.core.catalog import Catalog
from tagwire.rpc.server import Server


@pytest.fixture(params=["serpent", "json", "msgpack"])
def serializer(request: pytest.FixtureRequest) -> Iterator[str]:
    before = Pyro5.config.SERIALIZER
    Pyro5.config.SERIALIZER = request.param
    yield request.param
    Pyro5.config.SERIALIZER = before


def entry(server: Server, name: str = "TimeTagger") -> Any:
    return Pyro5.api.Proxy(f"PYRO:{name}@127.0.0.1:{server.port}")


@pytest.fixture
def TT(tiny_server: Server) -> Iterator[Any]:
    with entry(tiny_server) as proxy:
        yield proxy


def objects(server: Server) -> int:
    return len(server.service.registry)


def test_a_measurement_in_every_serializer(serializer: str, TT: Any) -> None:
    tagger = TT.createTimeTagger()
    assert tagger.getSerial() == "T1"
    for counter in (TT.Counter(tagger, [1, 2], n_values=2), TT.Counter(tagger=tagger, channels=[1, 2], n_values=2)):
        assert counter.getData() == [[0, 1], [2, 3]]
        assert counter.getDataObject().getTime() == [0, 1000]
    gate = TT.Gate(1, 3)
    gate.channel = 7
    assert (gate.channel, gate.edge) == (7, 3)
    assert TT.CHANNEL_UNUSED == tiny.CHANNEL_UNUSED
    assert TT.Experimental.Pulser(tagger).getChannel() == 1001
    assert math.isnan(TT.echo(float("nan")))
    assert TT.typeName(2**62) == "int"
    assert TT.edgeName(0) == "All"
    TT.freeTimeTagger(tagger)
    assert tiny._open == {}


def test_errors_in_every_serializer(serializer: str, TT: Any) -> None:
    tagger = TT.createTimeTagger()
    with pytest.raises(ValueError, match=r"channel must be in 1\.\.8, not 9") as caught:
        tagger.setInputDelay(9, 0)
    assert "tiny_instrument.py" in "".join(caught.value._pyroTraceback)
    for kind, type_ in {"KeyError": KeyError, "library": OSError, "odd": Exception, "x": RuntimeError}.items():
        with pytest.raises(type_):
            TT.fail(kind)
    with pytest.raises(ValueError, match="bad"):
        TT.fail("unicode")  # its own type holds bytes, which not every serializer knows
    with pytest.raises(RuntimeError, match="--data"):
        TT.createTimeTaggerVirtual("x.ttbin")
    with pytest.raises(RuntimeError, match="function"):
        TT.setLogger(1)


def test_enum_definitions_are_complete(TT: Any) -> None:
    definitions = TT.enum_definitions()
    assert definitions["Edge"] == ("IntFlag", (("All", 0), ("Rising", 1), ("Falling", 2), ("Both", 3)))


def test_a_batch_of_calls(serializer: str, TT: Any) -> None:
    batch = Pyro5.api.BatchProxy(TT)
    batch.echo(1)
    batch.getVersion()
    batch.fail("x")
    results = batch()
    assert [next(results), next(results)] == [1, "1.2.3"]
    with pytest.raises(RuntimeError):
        next(results)


def test_marshal_is_refused_in_words(tiny_server: Server, TT: Any) -> None:
    proxy = entry(tiny_server)
    proxy._pyroSerializer = "marshal"
    with pytest.raises(Pyro5.errors.CommunicationError, match=r"marshal serializer is unsafe.*serpent, json"):
        proxy.getVersion()
    assert TT.getVersion() == "1.2.3"
    TT._pyroSerializer = "marshal"
    with pytest.raises(Exception, match="marshal serializer is unsafe"):
        TT.getVersion()


def test_what_may_be_reached(tiny_server: Server, TT: Any) -> None:
    gate = TT.Gate(1)
    for target, name in [(TT, "__class__"), (TT, "_LOCK"), (TT, "os"), (gate, "_channel"), (gate, "__init__")]:
        with pytest.raises(AttributeError):
            target._pyroInvoke(name, (), {})
        with pytest.raises(AttributeError):
            target._pyroInvoke("__getattr__", (name,), None)
        with pytest.raises(AttributeError):
            target._pyroInvoke("__setattr__", (name, 1), None)
    about = entry(tiny_server, "Pyro.Daemon")
    assert about.ping() is None
    assert not hasattr(about, "registered")
    with pytest.raises(Pyro5.errors.CommunicationError, match=r"tagwire\.connect"):
        entry(tiny_server, "tagwire").getVersion()
    with pytest.raises(Pyro5.errors.CommunicationError, match="no object 'nothing'"):
        entry(tiny_server, "nothing").getVersion()


def test_a_proxy_never_makes_the_server_dial_out(serializer: str, tiny_server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.05)
        lure = Pyro5.api.Proxy(f"PYRO:x@127.0.0.1:{trap.getsockname()[1]}")
        for target, method, args, kwargs in [
            ("TimeTagger", "echo", (lure,), {}),
            ("TimeTagger", "Counter", (lure, [1]), {}),
            ("TimeTagger", "echo", ([{"a": lure}],), {}),
            ("TimeTagger", "echo", lure, {}),
            ("TimeTagger", "echo", (), lure),
            ("TimeTagger", lure, (), {}),
            (lure, "echo", (), {}),
        ]:
            with entry(tiny_server) as proxy:
                proxy._pyroBind()
                payload = serializers[serializer].dumpsCall(target, method, args, kwargs if kwargs is not lure else {})
                message = protocol.SendingMessage(
                    protocol.MSG_INVOKE, 0, 0, serializers[serializer].serializer_id, payload
                )
                proxy._pyroConnection.send(message.data)
                answer = protocol.recv_stub(proxy._pyroConnection, [protocol.MSG_RESULT])
                assert answer.flags & protocol.FLAGS_EXCEPTION
        with pytest.raises(TimeoutError):
            trap.accept()


def test_other_classes_are_not_rebuilt(serializer: str, TT: Any) -> None:
    for name in ("builtins.ValueError", "Pyro5.core.URI", "Pyro5.server.Daemon", "anything"):
        with pytest.raises(Pyro5.errors.SerializeError):
            TT.echo({"__class__": name, "args": (), "state": [], "__exception__": True})


def handshake(
    kind: int = protocol.MSG_CONNECT, serializer_id: int = 1, flags: int = 0, size: int | None = None
) -> bytes:
    payload = b"{'handshake': 'hello', 'object': 'TimeTagger'}"
    header = struct.pack(
        "!4sHBBHHII16sHH", b"PYRO", 502, kind, serializer_id, flags, 0, size or len(payload), 0, b"\0" * 16, 0, 0x4DC5
    )
    return header + payload


def answer_of(server: Server, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):  # the server may close while bytes of ours are unread
            while chunk := sock.recv(65536):
                received += chunk
        return received


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.0\r\n\r\n" + b" " * 100,
        handshake()[:30],
        handshake(size=10_000_000),
        handshake(kind=protocol.MSG_INVOKE),
    ],
    ids=["nothing", "http", "cut", "too large", "no handshake"],
)
def test_nonsense_before_the_handshake_is_cut_off(tiny_server: Server, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the server may close before all was said
        assert answer_of(tiny_server, data) == b""
    with entry(tiny_server) as proxy:
        assert proxy.getVersion() == "1.2.3"


def test_refusals_are_explained(tiny_server: Server) -> None:
    assert b"compressed" in answer_of(tiny_server, handshake(flags=protocol.FLAGS_COMPRESSED))
    assert b"unknown here" in answer_of(tiny_server, handshake(serializer_id=99))


def test_two_clients_share_a_tagger(tiny_server: Server, TT: Any) -> None:
    with entry(tiny_server) as other:
        mine, theirs = TT.createTimeTagger(), other.createTimeTagger()
        counter = other.Counter(theirs, [1])
        TT.freeTimeTagger(mine)
        assert TT.freeTimeTagger(mine) is None
        assert theirs.getSerial() == "T1"
        assert counter.getData() == [[0]]
        with pytest.raises(Pyro5.errors.PyroError, match="freed"):
            mine.getSerial()


def test_an_object_that_was_never_called_lives_with_its_maker(tiny_server: Server) -> None:
    proxy = entry(tiny_server)
    gate = proxy.Gate(1)
    assert objects(tiny_server) == 1
    proxy._pyroRelease()
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    with pytest.raises(Pyro5.errors.CommunicationError, match="freed"):
        gate.channel


def test_what_has_ended_is_not_left_to_the_garbage_collector(tiny_server: Server) -> None:
    gone = threading.Event()
    proxy = entry(tiny_server)
    proxy.Gate(1)
    (lease,) = tiny_server.service.registry._leases.values()
    watch = weakref.ref(lease.resource.obj, lambda _: gone.set())
    del lease
    gc.disable()
    try:
        proxy._pyroRelease()
        assert gone.wait(120)
    finally:
        gc.enable()
    assert watch() is None


def test_an_object_that_was_called_lives_with_its_connection(tiny_server: Server) -> None:
    proxy = entry(tiny_server)
    counter = proxy.Counter(proxy.createTimeTagger(), [1])
    assert counter.getData() == [[0]]
    second = copy.copy(counter)
    assert second.getData() == [[0]]
    proxy._pyroRelease()
    counter._pyroRelease()
    assert second.getData() == [[0]]
    assert objects(tiny_server) == 2  # the measurement keeps the tagger, whose own proxy is gone
    del counter, second
    gc.collect()
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert (tiny._open, tiny._running) == ({}, [])


def test_within_the_grace_time_a_proxy_may_come_back(tiny_catalog: Catalog) -> None:
    with Server(tiny, "127.0.0.1", 0, grace=60.0, catalog=tiny_catalog) as server, entry(server) as proxy:
        gate = proxy.Gate(1)
        assert gate.channel == 1
        results: list[int] = []

        def work() -> None:
            gate._pyroClaimOwnership()
            results.append(gate.channel)
            gate._pyroRelease()

        gate._pyroRelease()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(120)
        assert results == [1]
        assert objects(server) == 1


def test_more_live_objects_than_a_stock_server_has_workers(tiny_server: Server, TT: Any) -> None:
    tagger = TT.createTimeTagger()
    counters = [TT.Counter(tagger, [1]) for _ in range(100)]
    assert all(counter.getData() == [[0]] for counter in counters)


KILLED = """
import sys, Pyro5.api
TT = Pyro5.api.Proxy("PYRO:TimeTagger@127.0.0.1:" + sys.argv[1])
counter = TT.Counter(TT.createTimeTagger(), [1])
counter.getData()
print("waiting", flush=True)
counter.waitUntilFinished()
"""


def test_a_client_killed_while_it_waits_leaves_nothing(tiny_server: Server) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tiny_server.port)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == b"waiting\n"
        finally:
            process.kill()
            process.wait(120)
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert (tiny._open, tiny._running) == ({}, [])
