"""A server with keys: tokens, TLS, plain clients, silent ones, and the log of who came.

No address beyond loopback is used: the server is told whether to take its clients' address for another computer's.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import Pyro5.api
import Pyro5.errors
import pytest
import tiny_instrument
from Pyro5 import protocol

import tagwire
from steady import PATIENCE_S, wait_for
from tagwire.cli.child import ServerProcess
from tagwire.core.catalog import Catalog
from tagwire.errors import AccessRefused, KeysUnusable, LimitReached, NotAllowed, ProtocolError, ServerNotTrusted
from tagwire.rpc.limits import Limits
from tagwire.rpc.server import Server
from tagwire.security import AuditLog, Identity, Role, ServerSecurity, Tokens, private

HERE = "127.0.0.1"

Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where clients of the test remember servers."""
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path / "client"))
    monkeypatch.delenv("TAGWIRE_TOKEN", raising=False)
    return tmp_path / "client"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.create(tmp_path_factory.mktemp("server"))


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "server")


@pytest.fixture
def anna(tokens: Tokens) -> str:
    return tokens.add("anna", Role.CONTROL)


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[AuditLog]:
    log = AuditLog(tmp_path / "audit.jsonl")
    yield log
    log.close()


@pytest.fixture
def serve(tiny_catalog: Catalog, identity: Identity, tokens: Tokens, audit: AuditLog) -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:

        def start(limits: Limits | None = None, *, elsewhere: bool = True, **options: Any) -> Server:
            demands = {
                "identity": identity,
                "audit": audit,
                "is_local": lambda _: not elsewhere,
                "refusal_s": 0.05,
            } | options
            security = ServerSecurity(tokens, **demands)
            server = Server(tiny_instrument, HERE, 0, catalog=tiny_catalog, security=security, limits=limits)
            return stack.enter_context(server)

        yield start


@pytest.fixture
def keys_process(
    tmp_path: Path, identity: Identity, anna: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServerProcess]:
    """A server with keys in a process of its own."""
    folder = tmp_path / "server"
    (folder / identity.path.name).write_bytes(identity.path.read_bytes())
    (folder / identity.path.name).chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGWIRE_HOME", str(folder))
        server = ServerProcess("--simulate", "20", "--auth", "--everywhere-is-remote")
        with server:
            patch.undo()
            yield server


def resident(pid: int) -> int:
    """Bytes of memory that a process has now."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        pytest.skip("this system does not tell how much memory a process has")


def entries(audit: AuditLog) -> list[dict[str, Any]]:
    return [json.loads(line) for line in audit.path.read_text().splitlines()]


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "lab-pc.example"])
def test_beyond_this_computer_it_refuses_without_keys(tiny_catalog: Catalog, host: str) -> None:
    with pytest.raises(KeysUnusable, match="tagwire keys init"):
        Server(tiny_instrument, host, 0, catalog=tiny_catalog)


def test_a_token_and_tls_open_it(serve: Serve, anna: str, identity: Identity, audit: AuditLog) -> None:
    server = serve()
    with tagwire.connect(HERE, server.port, token=anna, tls=True) as TT:
        assert TT.getVersion() == "1.2.3"
    with tagwire.connect(HERE, server.port, token=anna) as TT:  # the fingerprint is known now, so TLS is used
        assert TT.echo(b"x" * 3_000_000) == b"x" * 3_000_000
    entry = entries(audit)[0]
    assert (entry["event"], entry["who"], entry["role"]) == ("connected", "anna", "control")
    assert (entry["address"], entry["tls"]) == (HERE, "TLSv1.3")
    assert anna not in audit.path.read_text()


def test_no_token_or_a_wrong_one_does_not(serve: Serve, anna: str, audit: AuditLog, tokens: Tokens) -> None:
    server = serve()
    with pytest.raises(AccessRefused, match="tagwire login"):
        tagwire.connect(HERE, server.port, tls=True)
    with pytest.raises(AccessRefused, match="revoked"):
        tagwire.connect(HERE, server.port, tls=True, token=anna[:-1])
    tokens.revoke("anna")
    with pytest.raises(AccessRefused, match="revoked"):
        tagwire.connect(HERE, server.port, tls=True, token=anna)
    assert [entry["event"] for entry in entries(audit)] == ["refused"] * 3
    assert len(server.service.registry) == 0


def test_damaged_keys_let_nobody_in_and_tell_strangers_nothing(serve: Serve, anna: str, tokens: Tokens) -> None:
    server = serve()
    private.write(tokens.path, b"{")
    with pytest.raises(ProtocolError, match="cannot read its keys") as caught:
        tagwire.connect(HERE, server.port, token=anna, tls=True)
    assert str(tokens.path) not in str(caught.value)


def test_without_tls_nobody_comes_in_from_elsewhere(serve: Serve, anna: str, audit: AuditLog) -> None:
    server = serve()
    with pytest.raises(ProtocolError, match="connect with tls=True"):
        tagwire.connect(HERE, server.port, token=anna, tls=False)
    assert [(e["event"], e["reason"]) for e in entries(audit)] == [("refused", "no TLS")]


def test_at_the_server_itself_tls_may_be_left_out(serve: Serve, anna: str) -> None:
    server = serve(elsewhere=False)
    with tagwire.connect(HERE, server.port, token=anna) as TT:
        assert TT.getVersion() == "1.2.3"
    with pytest.raises(AccessRefused):
        tagwire.connect(HERE, server.port)


def test_no_tls_has_to_be_said_on_both_sides(serve: Serve, anna: str) -> None:
    server = serve(identity=None)
    with tagwire.connect(HERE, server.port, token=anna, tls=False) as TT:
        assert TT.getVersion() == "1.2.3"
    with pytest.raises(ServerNotTrusted, match="tls=False"):
        tagwire.connect(HERE, server.port, token=anna, tls=True)


def test_another_server_at_the_same_address_gets_no_token(
    serve: Serve, anna: str, tmp_path: Path, identity: Identity
) -> None:
    server = serve()
    impostor = Identity.create(tmp_path / "impostor")
    with pytest.raises(ServerNotTrusted, match="NOT THE ONE IT WAS"):
        tagwire.connect(HERE, server.port, token=anna, fingerprint=impostor.fingerprint)
    with tagwire.connect(HERE, server.port, token=anna, fingerprint=identity.fingerprint) as TT:
        assert TT.getVersion() == "1.2.3"


def test_the_log_says_who_did_what(serve: Serve, anna: str, audit: AuditLog, tokens: Tokens) -> None:
    server, screen = serve(), tokens.add("screen", Role.OBSERVE)
    with (
        tagwire.connect(HERE, server.port, token=anna, tls=True) as TT,
        tagwire.connect(HERE, server.port, token=screen, tls=True) as other,
        TT.createTimeTagger() as tagger,
    ):
        tagger.setInputDelay(1, 5)
        tagger.getInputDelay(1)
        with pytest.raises(NotAllowed):
            other.createTimeTagger().setInputDelay(1, 6)
        with pytest.raises(NotAllowed):
            other.createTimeTaggerVirtual()
    done = [(e["event"], e["who"], e.get("call") or e.get("what") or e.get("tls")) for e in entries(audit)]
    assert [entry for entry in done if entry[0] in ("called", "not allowed")] == [
        ("called", "anna", "createTimeTagger"),
        ("called", "anna", "TimeTagger.setInputDelay"),
        ("called", "screen", "createTimeTagger"),
        ("not allowed", "screen", "setInputDelay"),
        ("not allowed", "screen", "createTimeTaggerVirtual"),
    ]
    assert ("session", "anna", "came") in done
    call = next(entry for entry in entries(audit) if entry.get("call") == "TimeTagger.setInputDelay")
    assert list(call["arguments"].values()) == [1, 5]


def test_the_log_says_when_an_instrument_was_closed(serve: Serve, anna: str, audit: AuditLog, tokens: Tokens) -> None:
    server, screen = serve(), tokens.add("screen", Role.OBSERVE)
    with (
        tagwire.connect(HERE, server.port, token=anna, tls=True) as TT,
        tagwire.connect(HERE, server.port, token=screen, tls=True) as other,
    ):
        mine, shared = TT.createTimeTagger("T1"), other.createTimeTagger("T1")
        TT.freeTimeTagger(mine)
        assert "closed" not in [entry["event"] for entry in entries(audit)]  # somebody has it still
        other.freeTimeTagger(shared)
        (closed,) = (entry for entry in entries(audit) if entry["event"] == "closed")
    assert (closed["who"], closed["call"], *closed["arguments"].values()) == ("screen", "TimeTagger", "T1")


@pytest.mark.parametrize("target", ["TimeTagger", "TimeTaggerRPC", "Pyro.Daemon", "nothing"])
def test_plain_clients_come_in_only_when_allowed(serve: Serve, anna: str, audit: AuditLog, target: str) -> None:
    server = serve()
    with (
        Pyro5.api.Proxy(f"PYRO:{target}@{HERE}:{server.port}") as proxy,
        pytest.raises(Pyro5.errors.CommunicationError, match="--allow-plain-pyro"),
    ):
        proxy._pyroBind()
    assert [(e["event"], e["address"], e["reason"]) for e in entries(audit)] == [
        ("refused", HERE, "a plain Pyro5 client"),
    ]


def test_an_open_server_can_keep_a_log_too(tiny_catalog: Catalog, audit: AuditLog) -> None:
    security = ServerSecurity(audit=audit)
    with Server(tiny_instrument, HERE, 0, catalog=tiny_catalog, security=security) as server:
        with tagwire.connect(HERE, server.port) as TT:
            assert TT.getVersion() == "1.2.3"
        with Pyro5.api.Proxy(server.uri) as proxy:
            assert proxy.getVersion() == "1.2.3"
    clients = [entry["client"] for entry in entries(audit) if entry["event"] == "connected"]
    assert clients[1:] == ["plain Pyro5"]
    assert str(os.getpid()) in clients[0]
    with pytest.raises(KeysUnusable):
        Server(tiny_instrument, "0.0.0.0", 0, catalog=tiny_catalog, security=security)


def test_plain_clients_that_the_operator_allows(serve: Serve, anna: str, audit: AuditLog) -> None:
    server = serve(plain_pyro=True)
    with Pyro5.api.Proxy(f"PYRO:TimeTagger@{HERE}:{server.port}") as proxy:
        assert proxy.getVersion() == "1.2.3"
    assert entries(audit)[0]["client"] == "plain Pyro5"
    with pytest.raises(ProtocolError, match="connect with tls=True"):
        tagwire.connect(HERE, server.port, token=anna, tls=False)


@pytest.mark.parametrize("beginning", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"P"])
def test_silent_connections_delay_nobody(serve: Serve, anna: str, beginning: bytes) -> None:
    server = serve(limits=Limits(newcomers=20))
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_connection((HERE, server.port), timeout=120)) for _ in range(60)]
        for sock in socks:
            with contextlib.suppress(OSError):  # sent away already
                sock.sendall(beginning)
        # All have come in, each on a thread of its own, and there is room for 20 of them.
        wait_for(lambda: len(select.select(socks, [], [], 0)[0]) == 40)
        with tagwire.connect(HERE, server.port, token=anna, tls=True) as TT:
            assert TT.getVersion() == "1.2.3"


def test_a_silent_connection_ends_by_itself(serve: Serve) -> None:
    server = serve(limits=Limits(handshake_s=0.1))
    for beginning in (b"", b"\x16"):
        with socket.create_connection((HERE, server.port), timeout=120) as sock:
            sock.sendall(beginning)
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""


def test_wrong_tokens_delay_nobody_else(serve: Serve, anna: str) -> None:
    server = serve()
    refused: list[BaseException] = []

    def guess() -> None:
        try:
            tagwire.connect(HERE, server.port, token="wrong", tls=True)
        except AccessRefused as error:
            refused.append(error)

    guessing = [threading.Thread(target=guess) for _ in range(10)]
    for thread in guessing:
        thread.start()
    with tagwire.connect(HERE, server.port, token=anna, tls=True) as TT:
        assert TT.getVersion() == "1.2.3"
    for thread in guessing:
        thread.join(PATIENCE_S)
    assert len(refused) == 10


def test_a_full_server_says_so(serve: Serve, anna: str) -> None:
    server = serve(plain_pyro=True, limits=Limits(connections=1))
    with Pyro5.api.Proxy(server.uri) as first, Pyro5.api.Proxy(server.uri) as second:
        assert first.getVersion() == "1.2.3"
        with pytest.raises(Pyro5.errors.CommunicationError, match="the server is full: 1 connections are open"):
            second._pyroBind()
        with pytest.raises(LimitReached, match="the server is full"):
            tagwire.connect(HERE, server.port, token=anna, tls=True)
        assert first.getVersion() == "1.2.3"


def test_one_token_opens_no_more_than_its_share_of_connections(serve: Serve, tokens: Tokens, anna: str) -> None:
    server = serve(limits=Limits(connections_per_token=1))
    with tagwire.connect(HERE, server.port, token=anna, tls=True):
        with pytest.raises(LimitReached, match="1 connections are open with the token of anna"):
            tagwire.connect(HERE, server.port, token=anna, tls=True)
        with tagwire.connect(HERE, server.port, token=tokens.add("ben", Role.OBSERVE), tls=True) as TT:
            assert TT.getVersion() == "1.2.3"


def test_garbage_before_authentication_allocates_nothing(serve: Serve, anna: str) -> None:
    server = serve()
    for beginning in (b"\x16\x03\x01\xff\xff" + bytes(70_000), b"PYRO" + b"\xff" * 70_000, b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection((HERE, server.port), timeout=120) as sock, contextlib.suppress(OSError):
            sock.sendall(beginning)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    with tagwire.connect(HERE, server.port, token=anna, tls=True) as TT:
        assert TT.getVersion() == "1.2.3"


GREETINGS = {
    "nested lists": b"\x91" * 4000,
    "many lists": b"\xdd\x00\x00\x0f\x00" + b"\x90" * 3840,
    "many maps": b"\xdd\x00\x00\x0f\x00" + b"\x80" * 3840,
    "a long map": b"\xdf\x7f\xff\xff\xff" + b"\xa0" * 3900,
    "a long array": b"\xdd\x7f\xff\xff\xff" + b"\x01" * 3900,
    "long bytes": b"\xc6\x7f\xff\xff\xff" + b"x" * 3900,
}


def frame(serializer: int, payload: bytes, size: int | None = None) -> bytes:
    """A connection request of Pyro's protocol."""
    length = len(payload) if size is None else size
    fields = (b"PYRO", 502, protocol.MSG_CONNECT, serializer, 0, 1, length, 0, b"\0" * 16, 0, 0x4DC5)
    return struct.pack("!4sHBBHHII16sHH", *fields) + payload


BEFORE_ANY_TOKEN = [
    *(pytest.param(frame(4, greeting), id=name) for name, greeting in GREETINGS.items()),
    pytest.param(frame(1, b"('x'," + b"[1]," * 950 + b")"), id="serpent"),
    pytest.param(frame(3, b"[" + b"[1]," * 950 + b"1]"), id="json"),
    pytest.param(frame(4, b"", size=2**31), id="announced size"),
    pytest.param(frame(4, b"x" * 100_000), id="too long"),
    pytest.param(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + bytes(16_000), id="TLS"),
    pytest.param(b"\x16\x03\x01\xff\xff\x01\xff\xff\xff" + bytes(70_000), id="TLS too long"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000, id="HTTP"),
]


@pytest.mark.parametrize("sent", BEFORE_ANY_TOKEN)
def test_nothing_makes_it_allocate_a_megabyte_before_a_token(serve: Serve, anna: str, sent: bytes) -> None:
    server = serve(elsewhere=False)
    with tagwire.connect(HERE, server.port, token=anna) as TT:  # what is loaded at first use is loaded
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            with socket.create_connection((HERE, server.port), timeout=120) as sock, contextlib.suppress(OSError):
                sock.sendall(sent)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            assert tracemalloc.get_traced_memory()[1] - before < 1_000_000
        finally:
            tracemalloc.stop()
        assert TT.getVersion() == "1.2.3"


def test_greetings_that_never_end_take_little_memory_each(keys_process: ServerProcess) -> None:
    """What C libraries allocate counts too: the whole process is looked at, with many connections at once."""
    count, here = 200, keys_process.address
    before = resident(keys_process.pid)
    with contextlib.ExitStack() as stack:
        for number in range(count):
            sock = stack.enter_context(socket.create_connection(here, timeout=120))
            sock.sendall([frame(4, b"x" * 3000, size=4000), b"\x16\x03\x01\x40\x00" + bytes(16_000)][number % 2])
        with pytest.raises(AccessRefused):  # it has come to all of them
            tagwire.connect(*here, tls=True)
        assert (resident(keys_process.pid) - before) / count < 1_000_000


def test_one_client_cannot_take_all_objects(serve: Serve, anna: str) -> None:
    server = serve(Limits(objects=3))
    with (
        tagwire.connect(HERE, server.port, token=anna, tls=True) as TT,
        tagwire.connect(HERE, server.port, token=anna, tls=True) as other,
    ):
        tagger = TT.createTimeTagger()
        made = [TT.Counter(tagger, [1]), TT.Counter(tagger, [1])]
        with pytest.raises(LimitReached, match="3"):
            TT.Counter(tagger, [1])
        assert made[0].getData().shape == (1, 1)
        assert other.createTimeTagger().getSerial()
