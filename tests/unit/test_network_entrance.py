"""The entrance of a stream server: who has not shown a token gets little in, and not for long."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from steady import wait_for
from tagwire.core.address import Address
from tagwire.network import entrance, passage
from tagwire.network.entrance import Guarded

HERE = "127.0.0.1"
PATIENCE_S = 120


class Behind:
    """What listens behind the entrance: it counts what comes in on each connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HERE, 0))
        self.port = self._listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.received: list[int] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                self.received.append(0)
                threading.Thread(target=self._count, args=(len(self.received) - 1,), daemon=True).start()
        except OSError:
            return

    def _count(self, number: int) -> None:
        try:
            while came := self.connections[number].recv(2**16):
                self.received[number] += len(came)
        except OSError:
            return

    def peer(self, number: int) -> str:
        """Whom Flight would name."""
        wait_for(lambda: len(self.received) > number)
        host, port = self.connections[number].getpeername()
        return f"ipv4:{host}:{port}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def behind() -> Iterator[Behind]:
    made = Behind()
    yield made
    made.close()


@pytest.fixture
def way_in(behind: Behind) -> Iterator[Guarded]:
    made = Guarded(Address(HERE, 0), behind.port)
    yield made
    made.close()


@pytest.fixture
def visitor(way_in: Guarded) -> Iterator[socket.socket]:
    with come(way_in) as made:
        yield made


def come(way_in: Guarded) -> socket.socket:
    made = socket.create_connection((HERE, way_in.port))
    made.settimeout(PATIENCE_S)
    return made


def welcome(way_in: Guarded, peer: str, visitor: socket.socket) -> None:
    """Let a visitor be known; its way may be open on one side before the entrance has noted it."""
    wait_for(lambda: way_in.comes(peer) == "{}:{}".format(*visitor.getsockname()))


def newcomer(way_in: Guarded, stack: contextlib.ExitStack) -> socket.socket:
    """One more, who has been noted."""
    before = len(way_in._lobby)
    made = stack.enter_context(come(way_in))
    wait_for(lambda: len(way_in._lobby) > before)
    return made


def is_cut(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def send_on(sock: socket.socket, size: int) -> None:
    """Send as long as it is taken."""
    try:
        sock.sendall(bytes(size))
    except ConnectionError:
        return


def send_and_take(source: socket.socket, target: socket.socket, size: int) -> None:
    """Send so many bytes at one end and take them at the other."""
    sending = threading.Thread(target=send_on, args=(source, size), daemon=True)
    sending.start()
    got = 0
    while got < size:
        got += len(target.recv(2**20))
    sending.join(PATIENCE_S)


def test_bytes_go_both_ways(way_in: Guarded, behind: Behind, visitor: socket.socket) -> None:
    visitor.sendall(b"hello")
    wait_for(lambda: behind.received == [5])
    send_and_take(behind.connections[0], visitor, 10_000_000)
    behind.connections[0].shutdown(socket.SHUT_RDWR)
    assert is_cut(visitor)


def test_a_newcomer_gets_little_in(way_in: Guarded, behind: Behind, visitor: socket.socket) -> None:
    send_on(visitor, 8 * 2**20)
    assert is_cut(visitor)
    wait_for(lambda: behind.received)  # it may be cut before its other end has been taken up
    assert behind.received[0] <= passage.NEWCOMER_BYTES


def test_who_is_known_sends_more_but_not_everything_at_once(
    way_in: Guarded, behind: Behind, visitor: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage, "PER_S", 0)
    full, step = passage.FULL, passage.NEWCOMER_BYTES  # at most a step goes up at a time
    welcome(way_in, behind.peer(0), visitor)
    sending = threading.Thread(target=send_on, args=(visitor, 4 * full), daemon=True)
    sending.start()

    def comes_to(limit: int) -> None:
        wait_for(lambda: behind.received[0] > limit - 3 * step)
        assert behind.received[0] <= limit

    comes_to(full)
    way_in.comes(behind.peer(0))  # the next request has begun, so what came before is out of the way
    comes_to(2 * full)
    send_and_take(behind.connections[0], visitor, 8 * full)  # who receives much has much to acknowledge
    comes_to(2 * full + 8 * full // passage.SHARE)
    way_in.cut("{}:{}".format(*visitor.getsockname()))
    sending.join(PATIENCE_S)
    assert not sending.is_alive()


def test_a_newcomer_has_not_for_ever(way_in: Guarded, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    with come(way_in) as known:
        welcome(way_in, behind.peer(0), known)
        with come(way_in) as silent:
            behind.peer(1)
            monkeypatch.setattr(entrance, "NEWCOMER_S", 0.0)
            assert is_cut(silent)
        known.sendall(b"still here")
        wait_for(lambda: behind.received[0] == 10)


def test_the_oldest_newcomers_make_room(way_in: Guarded, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "NEWCOMER_S", 10**6)
    with contextlib.ExitStack() as stack:
        first, *_ = (newcomer(way_in, stack) for _ in range(entrance.NEWCOMERS))
        last = stack.enter_context(come(way_in))
        assert is_cut(first)
        last.sendall(b"here")
        wait_for(lambda: sum(behind.received) == 4)


def test_there_is_room_for_so_many(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "MOST", 1)
    way_in = Guarded(Address(HERE, 0), behind.port)
    try:
        with come(way_in) as first:
            welcome(way_in, behind.peer(0), first)
            with come(way_in) as second:
                assert is_cut(second)
            first.sendall(b"here")
            wait_for(lambda: behind.received == [4])
    finally:
        way_in.close()


def test_the_end_cuts_everything(way_in: Guarded, behind: Behind, visitor: socket.socket) -> None:
    behind.peer(0)
    way_in.close()
    assert is_cut(visitor)
    with pytest.raises(ConnectionRefusedError):
        come(way_in)
