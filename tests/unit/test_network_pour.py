"""Bytes from one socket to another: all of them, in their order, with and without the compiled loop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from tagwire.network import pour
from tagwire.network.pour import Pour

MANY = np.random.default_rng(1).bytes(5_000_000)
PATIENCE_S = 120


@pytest.fixture(
    params=[pytest.param(True, marks=pytest.mark.skipif(not pour.COMPILED, reason="no descriptors")), False]
)
def pairs(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[socket.socket, socket.socket, socket.socket, socket.socket]]:
    monkeypatch.setattr(pour, "COMPILED", request.param)
    made = *socket.socketpair(), *socket.socketpair()
    yield made
    for sock in made:
        sock.close()


def taken(sock: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (came := sock.recv(2**16)):
        got += came
    return got


def test_all_bytes_come_in_order(pairs: tuple[socket.socket, ...]) -> None:
    begin, source, target, end = pairs
    poured = Pour(source, target)
    thread = threading.Thread(target=poured.run, daemon=True)
    sending = threading.Thread(target=begin.sendall, args=(MANY,), daemon=True)
    for started in (thread, sending):
        started.start()
    assert taken(end, len(MANY)) == MANY
    sending.join(PATIENCE_S)
    begin.shutdown(socket.SHUT_WR)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert poured.poured == len(MANY)


def test_a_target_that_goes_is_an_error(pairs: tuple[socket.socket, ...]) -> None:
    begin, source, target, end = pairs
    end.close()
    begin.sendall(b"into the void")
    with pytest.raises(ConnectionError):
        Pour(source, target).run()


def test_a_source_that_breaks_is_an_error(pairs: tuple[socket.socket, ...]) -> None:
    _, source, target, _ = pairs
    source.close()
    with pytest.raises(OSError, match="descriptor"):
        Pour(source, target).run()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_signals_do_not_end_it(pairs: tuple[socket.socket, ...]) -> None:
    begin, source, target, end = pairs
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1) or (len(seen) == 20 and begin.sendall(b"late")))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        begin.sendall(b"early")
        stop = threading.Thread(target=lambda: (taken(end, 9), begin.shutdown(socket.SHUT_WR)), daemon=True)
        stop.start()
        poured = Pour(source, target)
        poured.run()  # in the main thread, whose calls signals interrupt
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    stop.join(PATIENCE_S)
    assert poured.poured == 9
    assert len(seen) >= 20
