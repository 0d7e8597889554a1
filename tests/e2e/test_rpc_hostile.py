"""Peers that lie, stammer, fall silent or vanish: the server answers the others and keeps nothing of theirs."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import msgpack
import numpy as np
import Pyro5.api
import pytest
import tiny_instrument
from Pyro5 import protocol
from raw_pyro import JSON, MSGPACK, SERPENT, answer, hello, message

import tagwire
from tagwire.core.catalog import Catalog
from tagwire.rpc.limits import Limits
from tagwire.rpc.server import Server


@pytest.fixture
def calm(tiny_server: Server, caplog: pytest.LogCaptureFixture) -> Iterator[Server]:
    """The server, which after the test must be empty, responsive, and silent about what peers did."""
    with caplog.at_level(logging.INFO, logger="tagwire"):
        yield tiny_server
    with tagwire.connect("127.0.0.1", tiny_server.port) as TT:
        assert TT.getVersion() == "1.2.3"
    assert tiny_server.service.registry.wait_until(0, timeout=120)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert max((len(record.getMessage()) for record in caplog.records), default=0) < 400


@contextlib.contextmanager
def greeted(server: Server, target: str, serializer: int = MSGPACK) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as sock:
        sock.sendall(hello(target, serializer))
        assert answer(sock)[0] == protocol.MSG_CONNECTOK
        yield sock


def ask(sock: socket.socket, payload: bytes, serializer: int = MSGPACK) -> tuple[int, bytes]:
    sock.sendall(message(protocol.MSG_INVOKE, payload, serializer))
    return answer(sock)[1:]


def nested(code: int, depth: int) -> bytes:
    data = msgpack.packb([1])
    for _ in range(depth):
        data = msgpack.packb([msgpack.ExtType(code, data)])
    return data


BOMBS = [
    *(nested(code, 400) for code in range(1, 9)),
    b"\x91" * 100_000,
    b"\x81" * 100_000,
    msgpack.packb([7, "call", "echo", msgpack.ExtType(2, msgpack.packb(["|O", [1], b"\0" * 8])), {}]),
    msgpack.packb([7, "call", "echo", [msgpack.ExtType(7, msgpack.packb([0, 2**62, 1]))], {}]),
    msgpack.packb([7, "call", "echo", [msgpack.ExtType(5, msgpack.packb([["x"], {}]))], {}]),
    msgpack.packb([7, "call", "echo", [], {1: 2}]),
    msgpack.packb([7, "call", ["echo"], [], {}]),
    msgpack.packb([7, "call", "fail", ["\ud800"], {}], unicode_errors="surrogatepass"),
    msgpack.packb([7, "release", [["x"]]]),
    msgpack.packb([7, "release", 3]),
    msgpack.packb([7, "get", {}, "x"]),
    msgpack.packb([7, "call", "echo", 5, 5, 5, 5, 5]),
    msgpack.packb(["7", "describe"]),
    msgpack.packb([7, ["describe"]]),
    msgpack.packb([7]),
    msgpack.packb([]),
    msgpack.packb(7),
]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_bombs_from_clients_of_ours_are_answered_by_an_error(calm: Server, bomb: bytes) -> None:
    with greeted(calm, "tagwire") as sock:
        assert ask(sock, bomb)[0] & protocol.FLAGS_EXCEPTION
        flags, payload = ask(sock, msgpack.packb([7, "call", "getVersion", [], {}]))
        assert (flags, payload) == (0, msgpack.packb("1.2.3"))


def serpent(args: str, kwargs: str = "{}") -> bytes:
    return f"# serpent utf-8 python3.2\n('TimeTagger','echo',{args},{kwargs})".encode("utf-8", "surrogatepass")


def as_json(params: str, kwargs: str = "{}") -> bytes:
    return f'{{"object":"TimeTagger","method":"echo","params":{params},"kwargs":{kwargs}}}'.encode()


CLASSES = [
    "Pyro5.core.URI", "Pyro5.server.Daemon", "Pyro5.errors.PyroError", "Pyro5.core._ExceptionWrapper", "struct.error",
    "builtins.SystemExit", "sqlite3.Error", "Pyro5.util.SerpentSerializer", "numpy.ndarray", "float", "__main__.X", "",
]  # fmt: skip

PLAIN_BOMBS = [
    *((SERPENT, serpent(f"({{'__class__':{name!r},'state':(),'args':(),'__exception__':True}},)")) for name in CLASSES),
    *((JSON, as_json(json.dumps([{"__class__": name, "state": [], "args": []}]))) for name in CLASSES),
    (SERPENT, serpent("[" * 5000)),
    (SERPENT, serpent("(" + "-" * 50_000 + "1,)")),
    (SERPENT, serpent("(1" + "+1" * 50_000 + ",)")),
    (SERPENT, serpent("(" + "not " * 50_000 + "1,)")),
    (SERPENT, serpent("(__import__('os').system('false'),)")),
    (SERPENT, serpent("('\ud800',)")),
    (SERPENT, serpent("(1,)", "{1: 2}")),
    (SERPENT, serpent("(1,)", "{('a',): 2}")),
    (SERPENT, serpent("{1, 2}")),
    (SERPENT, serpent("({'__class__':'Pyro5.client.Proxy','state':()},)")),
    (SERPENT, serpent("({'__class__':'Pyro5.client.Proxy'},)")),
    (SERPENT, serpent("({'__class__':['x']},)")),
    (SERPENT, b"\xff\xfe\x00"),
    (SERPENT, b""),
    (JSON, as_json("[" * 100_000)),
    (JSON, as_json('[{"__class__": {"a": 1}}]')),
    (JSON, b"[]"),
    (JSON, b"null"),
    (MSGPACK, b"\x91" * 100_000),
    (MSGPACK, msgpack.packb(["TimeTagger", "echo", [msgpack.ExtType(0x31, b"9" * 10_000)], {}])),
    (MSGPACK, msgpack.packb(["TimeTagger", "echo", [msgpack.ExtType(0x30, b"9")], {}])),
    (MSGPACK, msgpack.packb(["TimeTagger", "echo", [msgpack.ExtType(0x7F, b"")], {}])),
    (MSGPACK, msgpack.packb(["TimeTagger", "__getattr__", [[]], None])),
    (MSGPACK, msgpack.packb(["TimeTagger", "__getattr__", [], None])),
    (MSGPACK, msgpack.packb(["TimeTagger", "__setattr__", ["CHANNEL_UNUSED"], None])),
    (MSGPACK, msgpack.packb([["TimeTagger"], "echo", [1], {}])),
    (MSGPACK, msgpack.packb(["TimeTagger", "echo"])),
]


@pytest.mark.parametrize(("serializer", "bomb"), PLAIN_BOMBS, ids=range(len(PLAIN_BOMBS)))
def test_bombs_from_plain_clients_are_answered_by_an_error(calm: Server, serializer: int, bomb: bytes) -> None:
    with greeted(calm, "TimeTagger", serializer) as sock:
        assert ask(sock, bomb, serializer)[0] & protocol.FLAGS_EXCEPTION
        sock.sendall(message(protocol.MSG_PING, b""))
        assert answer(sock)[0] == protocol.MSG_PING


@pytest.mark.parametrize("serializer", [SERPENT, JSON, MSGPACK])
def test_text_that_is_no_text_comes_back_as_an_error(calm: Server, serializer: int) -> None:
    fail = {
        SERPENT: rb"('TimeTagger','fail',('\ud800',),{})",
        JSON: rb'{"object":"TimeTagger","method":"fail","params":["\ud800"],"kwargs":{}}',
        MSGPACK: msgpack.packb(["TimeTagger", "fail", ["x"], {}]),
    }
    with greeted(calm, "TimeTagger", serializer) as sock:
        flags, payload = ask(sock, fail[serializer], serializer)
        assert flags & protocol.FLAGS_EXCEPTION
        assert b"RuntimeError" in payload
        sock.sendall(message(protocol.MSG_PING, b""))
        assert answer(sock)[0] == protocol.MSG_PING


@pytest.mark.parametrize("serializer", [SERPENT, JSON, MSGPACK])
def test_bombs_in_the_handshake_are_refused(calm: Server, serializer: int) -> None:
    bombs = [bomb for kind, bomb in PLAIN_BOMBS if kind == serializer and len(bomb) < 4000]
    names = ["\ud800", "x" * 3000, "a\nb"]
    bombs += [json.dumps({"handshake": 1, "object": name}).encode() for name in names]
    for bomb in bombs:
        with socket.create_connection(("127.0.0.1", calm.port), timeout=120) as sock:
            sock.sendall(message(protocol.MSG_CONNECT, bomb, serializer))
            assert answer(sock)[0] == protocol.MSG_CONNECTFAIL
            assert sock.recv(1) == b""


def test_random_bytes_at_every_stage(calm: Server) -> None:
    dice = random.Random(5)
    starts = [b"", hello("TimeTagger"), hello("tagwire"), hello("TimeTagger")[:40]]
    for turn in range(120):
        valid = message(protocol.MSG_INVOKE, msgpack.packb([7, "call", "echo", [1], {}]), dice.choice([1, 2, 3, 4, 99]))
        wrong = bytearray(valid if turn % 2 else dice.randbytes(dice.randrange(200)))
        for _ in range(dice.randrange(4)):
            if wrong:
                wrong[dice.randrange(len(wrong))] = dice.randrange(256)
        with socket.create_connection(("127.0.0.1", calm.port), timeout=120) as sock, contextlib.suppress(OSError):
            sock.sendall(dice.choice(starts) + wrong)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass


@pytest.mark.parametrize(
    ("target", "size"), [("TimeTagger", 2**30 - 1), ("tagwire", 2**30 - 1), ("tagwire", 2**22 + 1)]
)
def test_what_is_too_large_is_not_even_read(calm: Server, target: str, size: int) -> None:
    with greeted(calm, target) as sock:
        sock.sendall(message(protocol.MSG_INVOKE, b"", size=size))
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_a_plain_request_that_would_take_gigabytes_to_read_is_cut_off(calm: Server) -> None:
    with greeted(calm, "TimeTagger", SERPENT) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(message(protocol.MSG_INVOKE, serpent("([" + "0," * 2_000_000 + "],)"), SERPENT))
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_too_large_a_request_of_ours_is_refused_before_it_is_sent(calm: Server) -> None:
    with tagwire.connect("127.0.0.1", calm.port) as TT:
        with pytest.raises(ValueError, match=r"at most 4194304 .* as NumPy arrays"):
            TT.echo(b"x" * 2**22)
        with pytest.raises(ValueError, match="at most 33554432"):
            TT.echo(np.zeros(2**25, np.uint8))
        assert TT.getVersion() == "1.2.3"


def test_a_handshake_has_one_time_limit_however_it_trickles_in(tiny_catalog: Catalog) -> None:
    limits = Limits(handshake_s=0.3)
    with (
        Server(tiny_instrument, "127.0.0.1", 0, catalog=tiny_catalog, limits=limits) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=120) as sock,
    ):
        stop = threading.Event()

        def trickle() -> None:
            for byte in message(protocol.MSG_CONNECT, b"x" * 60_000):
                if stop.wait(0.02):
                    return
                with contextlib.suppress(OSError):
                    sock.send(bytes([byte]))

        thread = threading.Thread(target=trickle)
        thread.start()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
        stop.set()
        thread.join(120)


def test_hundreds_come_and_go(calm: Server) -> None:
    for target in ("TimeTagger", "tagwire", ""):
        socks = [socket.create_connection(("127.0.0.1", calm.port), timeout=120) for _ in range(100)]
        for sock in socks:
            sock.sendall(hello(target) if target else b"PYRO")
        with Pyro5.api.Proxy(calm.uri) as proxy:
            assert proxy.getVersion() == "1.2.3"
        for sock in socks:
            sock.close()


def test_clients_that_never_read_hold_up_nobody(calm: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            sock = stack.enter_context(greeted(calm, "tagwire"))
            for _ in range(3):
                sock.sendall(message(protocol.MSG_INVOKE, msgpack.packb([7, "call", "echo", [b"x" * 2_000_000], {}])))
        with tagwire.connect("127.0.0.1", calm.port) as TT:
            assert TT.Counter(TT.createTimeTagger(), [1]).getData().shape == (1, 1)


def test_a_client_has_a_name(calm: Server) -> None:
    data: Any = {"handshake": {"tagwire": 2, "client": ""}, "object": "tagwire"}
    with socket.create_connection(("127.0.0.1", calm.port), timeout=120) as sock:
        sock.sendall(message(protocol.MSG_CONNECT, msgpack.packb(data)))
        assert answer(sock)[0] == protocol.MSG_CONNECTFAIL
