"""Clients and servers that stall, die or are cut off: received and reported as missed is what was sent, per channel.

Real processes and connections; stream time passes when the test says so, so nothing depends on how fast they are.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from steady import PATIENCE_S, quiet_port, wait_for

PEER = Path(__file__).with_name("stream_peer.py")
DEADLINE_S = PATIENCE_S
RING = 2**22
"""Bytes of the ring: 1.6 million tags, 80 ms of the stream."""

needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")


class Peer:
    """A process of `stream_peer`."""

    def __init__(self, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(PEER), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.first = self.read()
        except BaseException:
            self.process.kill()
            self.end()
            raise

    def ask(self, command: str) -> Any:
        self.send(command)
        return self.read()

    def send(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def read(self) -> Any:
        assert self.process.stdout is not None
        timer = threading.Timer(DEADLINE_S, self.process.kill)
        timer.start()
        try:
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        assert line, f"the process {self.process.args} ended with {self.process.wait()}"
        return json.loads(line)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        """Let it end by itself, which it has to."""
        assert self.process.stdin is not None
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process.stdin.close()


Start = Callable[..., Peer]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as peers:

        def make(*args: str) -> Peer:
            peer = Peer(*args)
            peers.callback(peer.end)
            return peer

        yield make


def server(start: Start, port: int = 0) -> Peer:
    return start("serve", str(port), str(2 * RING))


def client(start: Start, address: str) -> Peer:
    return start("measure", address, "1", "2")


def advance(peer: Peer, times: int, *followers: Peer) -> None:
    """Let 100 ms of the stream pass a few times, in parts smaller than the ring; followers get each before the next."""
    for _ in range(2 * times):
        peer.ask("advance 50")
        for follower in followers:
            assert follower.ask("sync")


def account(peer: Peer) -> dict[str, Any]:
    assert peer.ask("sync")
    counts: dict[str, Any] = peer.ask("counts")
    return counts


def total(counts: dict[str, Any]) -> list[int]:
    return [r + m for r, m in zip(counts["received"], counts["missed"], strict=True)]


def test_everything_arrives(start: Start) -> None:
    instrument = server(start)
    reader = client(start, instrument.first["address"])
    advance(instrument, 3, reader)
    counts = account(reader)
    assert counts["received"] == instrument.ask("totals")
    assert counts["missed"] == [0, 0]
    assert min(counts["received"]) > 2_500_000


@needs_signals
def test_a_stopped_client_misses_what_it_is_told_and_nobody_else_does(start: Start) -> None:
    instrument = server(start)
    address = instrument.first["address"]
    stopped, other = client(start, address), client(start, address)
    advance(instrument, 2, stopped, other)
    before = instrument.ask("memory")
    stopped.signal(signal.SIGSTOP)
    advance(instrument, 12, other)
    stopped.signal(signal.SIGCONT)
    sent = instrument.ask("totals")
    late, fine = account(stopped), account(other)
    assert total(late) == total(fine) == sent
    assert fine["missed"] == [0, 0]
    assert min(late["missed"]) > 0
    assert late["kinds"][2] == late["kinds"][3] > 0
    assert instrument.ask("memory") - before < 2 * RING + 64 * 2**20


def test_a_client_that_reads_slowly_misses_what_it_is_told(start: Start) -> None:
    instrument = server(start)
    address = instrument.first["address"]
    slow, other = client(start, address), client(start, address)
    advance(instrument, 1, slow, other)
    before = slow.ask("memory")
    slow.ask("hold")
    advance(instrument, 14, other)
    slow.ask("go")
    late = account(slow)
    assert total(late) == account(other)["received"] == instrument.ask("totals")
    assert min(late["missed"]) > 0
    assert slow.ask("memory") - before < 400 * 2**20


def test_a_killed_client_leaves_no_trace(start: Start) -> None:
    instrument = server(start)
    address = instrument.first["address"]
    victim, other = client(start, address), client(start, address)
    advance(instrument, 1, victim, other)
    assert len(instrument.ask("clients")) == 2
    victim.process.kill()
    advance(instrument, 3, other)
    wait_for(lambda: len(instrument.ask("clients")) == 1)
    fine = account(other)
    assert fine["received"] == instrument.ask("totals")
    assert fine["missed"] == [0, 0]


def test_a_restarted_server_is_found_again(start: Start) -> None:
    port = quiet_port()
    first = server(start, port)
    address = first.first["address"]
    reader = client(start, address)
    advance(first, 2, reader)
    before = account(reader)
    assert before["received"] == first.ask("totals")
    first.process.kill()
    wait_for(lambda: not reader.ask("connected"))
    second = server(start, port)
    wait_for(lambda: bool(reader.ask("connected")))
    advance(second, 2, reader)
    after = account(reader)
    assert [a - b for a, b in zip(after["received"], before["received"], strict=True)] == second.ask("totals")
    assert after["missed"] == [0, 0]
    assert after["kinds"][1:4] == [1, 1, 1]  # an error, and an overflow that begins and ends
    assert before["kinds"][1:4] == [0, 0, 0]


class Relay:
    """Passes bytes between clients and a server on, until it is told to stop or to cut all connections."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._frozen: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def freeze(self) -> None:
        """Pass nothing on any more for the connections there are, without ending them."""
        with self._lock:
            self._frozen = set(self._pairs)

    def cut(self) -> None:
        """End all connections."""
        with self._lock:
            for sock in list(self._pairs):
                self._drop(sock)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.cut()
        self._listener.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                sources = [s for s in self._pairs if s not in self._frozen]
            with selectors.DefaultSelector() as selector:
                for sock in (self._listener, *sources):
                    try:
                        selector.register(sock, selectors.EVENT_READ)
                    except ValueError:  # closed meanwhile
                        continue
                ready = [key.fileobj for key, _ in selector.select(0.05)]
            for sock in ready:
                self._serve(sock)

    def _serve(self, sock: Any) -> None:
        if sock is self._listener:
            try:
                inner, _ = self._listener.accept()
            except OSError:  # whoever knocked has gone again
                return
            outer = socket.create_connection(self._target)
            for end in (inner, outer):
                end.settimeout(DEADLINE_S)
            with self._lock:
                self._pairs |= {inner: outer, outer: inner}
            return
        try:
            data = sock.recv(2**18)
            if data:
                self._pairs[sock].sendall(data)
        except (OSError, KeyError):
            data = b""
        if not data:
            with self._lock:
                self._drop(sock)

    def _drop(self, sock: socket.socket) -> None:
        other = self._pairs.pop(sock, None)
        for end in (sock, other):
            if end is not None:
                self._pairs.pop(end, None)
                self._frozen.discard(end)
                end.close()


@pytest.mark.parametrize("fault", ["cut", "freeze"])
def test_a_broken_link_is_taken_up_again(start: Start, fault: str) -> None:
    instrument = server(start)
    relay = Relay(instrument.first["address"])
    try:
        far, near = client(start, relay.address), client(start, instrument.first["address"])
        advance(instrument, 2, far, near)
        getattr(relay, fault)()
        advance(instrument, 8, near)
        wait_for(lambda: bool(far.ask("connected")))
        counts = account(far)
        assert total(counts) == account(near)["received"] == instrument.ask("totals")
        assert counts["kinds"][2] == counts["kinds"][3]
        assert counts["kinds"][1] == 0
        advance(instrument, 1, far)
        assert total(account(far)) == instrument.ask("totals")
    finally:
        relay.close()
