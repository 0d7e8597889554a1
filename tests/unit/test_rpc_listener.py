"""Sockets of the listener: dead peers are noticed, and every connection ends with it."""

from __future__ import annotations

import socket
import threading

from tagwire.rpc.host.listener import Listener, peer_is_gone
from tagwire.rpc.keepalive import prepare


def test_dead_peers_are_found_by_the_system_within_seconds() -> None:
    with socket.socket() as sock:
        prepare(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if hasattr(socket, "TCP_KEEPIDLE"):
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            idle, interval, count = (sock.getsockopt(socket.IPPROTO_TCP, option) for option in options)
            assert idle + interval * count <= 5


def test_a_closed_peer_is_told_from_a_silent_one() -> None:
    here, there = socket.socketpair()
    with here:
        assert not peer_is_gone(here)
        there.sendall(b"x")
        assert not peer_is_gone(here)
        assert here.recv(1) == b"x"
        there.close()
        assert peer_is_gone(here)
    assert peer_is_gone(here)


def test_close_ends_the_connections() -> None:
    served, ended = threading.Event(), threading.Event()

    def serve(sock: socket.socket) -> None:
        served.set()
        assert sock.recv(1) == b""
        ended.set()

    listener = Listener("127.0.0.1", 0, serve)
    runner = threading.Thread(target=listener.run)
    runner.start()
    with socket.create_connection(listener.address, timeout=120):
        assert served.wait(120)
        listener.close()
    assert ended.is_set()
    runner.join(120)
    assert not runner.is_alive()


def test_an_error_ends_one_connection_only() -> None:
    def serve(sock: socket.socket) -> None:
        if sock.recv(1) == b"!":
            raise ValueError("of the server")
        sock.sendall(b"fine")

    listener = Listener("127.0.0.1", 0, serve)
    runner = threading.Thread(target=listener.run)
    runner.start()
    for word, answer in [(b"!", b""), (b"?", b"fine")]:
        with socket.create_connection(listener.address, timeout=120) as sock:
            sock.sendall(word)
            assert sock.recv(4) == answer
    listener.close()
    runner.join(120)
