"""TLS on both sides of a socket pair: both directions at once, pins, deadlines."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tagwire.errors import ArgumentError, ServerNotTrusted
from tagwire.security import Identity, SecureSocket, client_context, client_security, server_context
from tagwire.security.known import KnownServers

PATIENCE = 120.0


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.create(tmp_path_factory.mktemp("identity"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    monkeypatch.delenv("TAGWIRE_TOKEN", raising=False)
    return tmp_path


@contextlib.contextmanager
def facing(
    identity: Identity, client: Callable[[socket.socket], SecureSocket]
) -> Iterator[tuple[SecureSocket, SecureSocket]]:
    """The two ends of one connection: client, server."""
    here, there = socket.socketpair()
    with here, there, ThreadPoolExecutor(1) as pool:
        answering = pool.submit(SecureSocket, there, server_context(identity), server_side=True, timeout=PATIENCE)
        yield client(here), answering.result(PATIENCE)


def plain_client(sock: socket.socket) -> SecureSocket:
    return SecureSocket(sock, client_context(), server_side=False, timeout=PATIENCE)


def receive(sock: SecureSocket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = sock.recv_into(view)
        assert count
        view = view[count:]
    return data


def test_bytes_pass_in_both_directions_at_once(identity: Identity) -> None:
    data = bytes(range(256)) * 20_000
    with facing(identity, plain_client) as (client, server), ThreadPoolExecutor(4) as pool:
        assert client.version == server.version == "TLSv1.3"
        assert client.peer_certificate == ssl.PEM_cert_to_DER_cert(identity.certificate.decode())
        sending = [pool.submit(client.sendall, data), pool.submit(server.sendall, data[::-1])]
        received = [pool.submit(receive, server, len(data)), pool.submit(receive, client, len(data))]
        assert received[0].result(PATIENCE) == data
        assert received[1].result(PATIENCE) == data[::-1]
        for task in sending:
            task.result(PATIENCE)


def test_what_several_threads_send_is_not_mixed(identity: Identity) -> None:
    size = 300_000
    with facing(identity, plain_client) as (client, server), ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(client.sendall, bytes([number]) * size) for number in range(4)]
        pieces = [bytes(receive(server, size)) for _ in range(4)]
        for task in sending:
            task.result(PATIENCE)
    assert sorted(pieces) == [bytes([number]) * size for number in range(4)]


def test_the_end_and_pending_bytes(identity: Identity) -> None:
    with facing(identity, plain_client) as (client, server):
        client.sendall(b"abcdef")
        assert server.recv(2) == b"ab"
        assert server.pending() == 4
        assert server.recv(100) == b"cdef"
        client.shutdown(socket.SHUT_RDWR)
        assert server.recv(1) == b""
        assert server.recv(1) == b""


def test_old_tls_is_refused(identity: Identity) -> None:
    old = client_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with facing(identity, lambda s: SecureSocket(s, old, server_side=False, timeout=PATIENCE)) as (client, _):
        assert client.version == "TLSv1.2"
    assert client_context().minimum_version == server_context(identity).minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("server_side", [True, False])
def test_a_silent_peer_has_one_deadline(identity: Identity, server_side: bool) -> None:
    context = server_context(identity) if server_side else client_context()
    here, there = socket.socketpair()
    with here, there, pytest.raises(TimeoutError):
        SecureSocket(here, context, server_side=server_side, timeout=0.05)


def test_a_slow_peer_has_the_same_deadline(identity: Identity) -> None:
    here, there = socket.socketpair()
    stop = threading.Event()

    def trickle() -> None:
        for byte in b"\x16\x03\x01\x02\x00" + bytes(512):
            if stop.wait(0.02):
                return
            with contextlib.suppress(OSError):  # the other end may have been closed already
                there.send(bytes([byte]))

    thread = threading.Thread(target=trickle)
    with here, there:
        thread.start()
        with pytest.raises((TimeoutError, ssl.SSLError)):
            SecureSocket(here, server_context(identity), server_side=True, timeout=0.3)
        stop.set()
        thread.join(PATIENCE)


def test_the_first_use_pins_and_a_change_is_refused(
    identity: Identity, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    first = client_security("lab", 23000)
    assert first.tls
    with caplog.at_level(logging.WARNING), facing(identity, first.wrap):
        assert identity.fingerprint in caplog.text
    assert KnownServers().find("lab", 23000).fingerprint == identity.fingerprint
    caplog.clear()
    with facing(identity, client_security("lab", 23000).wrap):
        assert not caplog.text
    other = Identity.create(tmp_path_factory.mktemp("other"))
    with pytest.raises(ServerNotTrusted, match="NOT THE ONE IT WAS") as caught, facing(other, first.wrap):
        pass
    for said in (identity.fingerprint, other.fingerprint, "tagwire login lab:23000 --renew"):
        assert said in str(caught.value)


def test_a_given_fingerprint_counts_more_than_a_known_one(identity: Identity) -> None:
    KnownServers().remember("lab", 1, fingerprint="0" * 64)
    digits = identity.fingerprint.replace("-", ":").upper()
    with facing(identity, client_security("lab", 1, fingerprint=digits).wrap):
        pass
    with pytest.raises(ArgumentError):
        client_security("lab", 1, fingerprint="abc")


def test_a_server_without_tls_is_named(identity: Identity) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"PYRO" + bytes(40))
        with pytest.raises(ServerNotTrusted, match="tls=False"):
            client_security("lab", 1).wrap(here, timeout=PATIENCE)


def test_the_certificate_for_libraries_that_do_tls_themselves(identity: Identity) -> None:
    def answer() -> None:
        sock, _ = listener.accept()
        with sock:
            SecureSocket(sock, server_context(identity), server_side=True, timeout=PATIENCE)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(PATIENCE)
        answering = pool.submit(answer)
        security = client_security("127.0.0.1", listener.getsockname()[1], fingerprint=identity.fingerprint)
        assert security.trusted_certificate() == identity.certificate
        answering.result(PATIENCE)


def test_when_tls_is_used(identity: Identity) -> None:
    assert not client_security("localhost", 1).tls
    assert not client_security("127.0.0.1", 1).tls
    assert client_security("localhost", 1, tls=True).tls
    assert client_security("localhost", 1, fingerprint=identity.fingerprint).tls
    assert not client_security("lab", 1, tls=False).tls
    KnownServers().remember("localhost", 1, fingerprint=identity.fingerprint)
    assert client_security("localhost", 1).tls
    KnownServers().remember("trusted", 1, token="x", plain=True)
    assert not client_security("trusted", 1).tls
    assert client_security("trusted", 1, tls=True).tls
    assert client_security("trusted", 1, fingerprint=identity.fingerprint).tls
    KnownServers().remember("trusted", 1, fingerprint=identity.fingerprint, plain=False)
    assert client_security("trusted", 1).tls
    here, there = socket.socketpair()
    with here, there:
        assert client_security("localhost", 2).wrap(here) is here


def test_which_token_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert client_security("lab", 1).token is None
    KnownServers().remember("lab", 1, token="stored")
    assert client_security("lab", 1).token == "stored"
    monkeypatch.setenv("TAGWIRE_TOKEN", "of the environment")
    assert client_security("lab", 1).token == "of the environment"
    assert client_security("lab", 1, token="given").token == "given"
    assert "given" not in repr(client_security("lab", 1, token="given"))
