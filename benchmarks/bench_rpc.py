"""How long a remote call takes: Tagwire, TimeTaggerRPC's way and a bare TCP socket, in turns.

    python -m benchmarks rpc

Each way has a server process of its own, so that all pay for the same transport; the socket answers with the same bytes
and does nothing else. TimeTaggerRPC's way is a stock Pyro5 daemon that sends arrays as NPY in base64 in serpent, and
has one connection per object, as that package does (it does not run with today's library).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import gc
import io
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import Pyro5.api

import tagwire
from tagwire.core.arrays import Int64Array1D
from tagwire.rpc.capabilities import CAPABILITIES
from tagwire.rpc.server import Server

__all__ = ["Counter", "getCounts", "getData", "getVersion"]

Call = Callable[[], object]
Ways = dict[str, Call]

OBJECTS = 10_000
TCP, WIRE, OLD = "bare TCP", "Tagwire", "TimeTaggerRPC's way"

_held: dict[tuple[str, int], Int64Array1D] = {}


def _array(kind: str, n_bytes: int) -> Int64Array1D:
    """Made once: what an instrument needs to count is not what is measured."""
    if (kind, n_bytes) not in _held:
        values = np.arange(n_bytes // 8, dtype=np.int64)
        _held[kind, n_bytes] = values % 200 if kind == "counts" else values * 2**30
    return _held[kind, n_bytes]


def getVersion() -> str:  # noqa: N802
    """A short answer."""
    return "1.0"


def getData(n_bytes: int) -> Int64Array1D:  # noqa: N802
    """An array of that many bytes, of large numbers."""
    return _array("data", n_bytes)


def getCounts(n_bytes: int) -> Int64Array1D:  # noqa: N802
    """An array of that many bytes, of numbers below 200."""
    return _array("counts", n_bytes)


@Pyro5.api.expose
class Counter:
    """A measurement with 1 kB of counts."""

    def __init__(self, channel: int) -> None:
        self._channel = channel

    def getData(self) -> Int64Array1D:  # noqa: N802
        """Counts."""
        return _array("counts", 1000)


def serve_tagwire() -> None:
    """Serve this module."""
    server = Server(sys.modules[__name__], "127.0.0.1", 0)
    print(server.port, flush=True)
    server.serve_forever()


@Pyro5.api.expose
class Old:
    """The same calls as `TimeTaggerRPC` would offer them."""

    def getVersion(self) -> str:  # noqa: N802
        """A short answer."""
        return getVersion()

    def getData(self, n_bytes: int) -> Int64Array1D:  # noqa: N802
        """An array of that many bytes."""
        return getData(n_bytes)

    def Counter(self, channel: int) -> Counter:  # noqa: N802
        """A measurement, as an object with a proxy of its own."""
        made = Counter(channel)
        self._pyroDaemon.register(made)  # type: ignore[attr-defined]
        return made


def serve_old() -> None:
    """A stock Pyro5 daemon."""
    Pyro5.api.register_class_to_dict(np.ndarray, _to_dict)
    with Pyro5.api.Daemon("127.0.0.1", 0) as daemon:
        daemon.register(Old(), "old")
        print(daemon.sock.getsockname()[1], flush=True)
        daemon.requestLoop()


def serve_tcp() -> None:
    """Answer each request, a number of bytes in 8 bytes, by that many bytes (8 at least)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := sock.recv(8):
            sock.sendall(getData(max(8, int.from_bytes(request, "big"))).data)


def _to_dict(array: np.ndarray[Any, Any]) -> dict[str, str]:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return {"__class__": "numpy.ndarray", "data": base64.b64encode(buffer.getvalue()).decode("ascii")}


def _from_dict(name: str, content: dict[str, Any]) -> object:
    return np.load(io.BytesIO(base64.b64decode(content["data"])), allow_pickle=False)


def _tcp_call(sock: socket.socket, n_bytes: int) -> Int64Array1D:
    sock.sendall(n_bytes.to_bytes(8, "big"))
    array = np.empty(max(8, n_bytes) // 8, np.int64)
    answer = array.data.cast("B")
    while answer:
        answer = answer[sock.recv_into(answer) :]
    return array


SERVERS = {TCP: serve_tcp, WIRE: serve_tagwire, OLD: serve_old}


def start(stack: ExitStack, way: str) -> int:
    """Port of a new server process."""
    command = [sys.executable, __file__, "--serve", way]
    process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    assert process.stdout is not None
    return int(process.stdout.readline())


@contextlib.contextmanager
def _without(*capabilities: str) -> Iterator[None]:
    before = {name: getattr(CAPABILITIES, name) for name in capabilities}
    try:
        for name in capabilities:
            setattr(CAPABILITIES, name, False)
        yield
    finally:
        for name, value in before.items():
            setattr(CAPABILITIES, name, value)


class Clients:
    """One of every kind; `plain` and `narrow` are clients that do without shared memory."""

    def __init__(self, stack: ExitStack) -> None:
        ports = {way: start(stack, way) for way in SERVERS}
        self.tcp = stack.enter_context(socket.create_connection(("127.0.0.1", ports[TCP])))
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Pyro5.api.register_dict_to_class("numpy.ndarray", _from_dict)
        self.old: Any = stack.enter_context(Pyro5.api.Proxy(f"PYRO:old@127.0.0.1:{ports[OLD]}"))
        self.same_host: Any = stack.enter_context(tagwire.connect("127.0.0.1", ports[WIRE]))
        with _without("shared_memory"):
            self.narrow: Any = stack.enter_context(tagwire.connect("127.0.0.1", ports[WIRE]))
        with _without("shared_memory", "narrow"):
            self.plain: Any = stack.enter_context(tagwire.connect("127.0.0.1", ports[WIRE]))

    def table(self) -> dict[str, Ways]:
        """What is measured, and how each way does it."""
        plain, old, tcp = self.plain, self.old, self.tcp
        rows: dict[str, Ways] = {"ping": {TCP: lambda: _tcp_call(tcp, 0), WIRE: plain.getVersion, OLD: old.getVersion}}
        for label, size in {"1 kB": 1000, "100 kB": 100_000, "8 MB": 8_000_000, "80 MB": 80_000_000}.items():
            rows[label] = {
                TCP: lambda n=size: _tcp_call(tcp, n),  # type: ignore[misc]
                WIRE: lambda n=size: plain.getData(n),  # type: ignore[misc]
                OLD: lambda n=size: old.getData(n),  # type: ignore[misc]
            }
        large = {TCP: rows["8 MB"][TCP], OLD: rows["8 MB"][OLD]}
        rows["8 MB of counts, narrowed"] = {TCP: large[TCP], WIRE: lambda: self.narrow.getCounts(8_000_000)}
        rows["8 MB, same host"] = {**large, WIRE: lambda: self.same_host.getData(8_000_000)}
        rows["create + first read"] = {WIRE: self._create, OLD: self._create_old}
        rows["10 reads in one batch"] = {WIRE: self._batch, OLD: lambda: [old.getData(1000) for _ in range(10)]}
        return rows

    def _create(self) -> object:
        return self.plain.Counter(1).getData()

    def _create_old(self) -> object:
        with self.old.Counter(1) as counter:
            return counter.getData()

    def _batch(self) -> object:
        with tagwire.batch(self.plain) as b:
            reads = [b(self.plain.getData, 1000) for _ in range(10)]
        return [read.result() for read in reads]


def measure(ways: Ways, rounds: int, at_once: int) -> dict[str, float]:
    """Median milliseconds of a call, each way in turn, `at_once` calls a turn."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, call in ways.items():
            for _ in range(at_once):
                begin = time.perf_counter()
                call()
                times[way].append(time.perf_counter() - begin)
    return {way: 1e3 * statistics.median(taken) for way, taken in times.items()}


def _row(label: str, ms: dict[str, float]) -> str:
    def cell(way: str) -> str:
        return f"{ms[way]:.3f}" if way in ms else ""

    def ratio(over: str, under: str, form: str) -> str:
        return format(ms[over] / ms[under], form) if over in ms and under in ms else ""

    cells = [label, cell(TCP), cell(WIRE), cell(OLD), ratio(WIRE, TCP, ".2f"), ratio(OLD, WIRE, ".1f")]
    return f"| {' | '.join(cells)} |"


def _rounds(label: str, rounds: int, at_once: int) -> tuple[int, int]:
    large = {"8 MB": 10, "80 MB": 60}.get(label[:5].strip())
    return (max(5, rounds // large), 1) if large else (max(1, rounds // at_once), at_once)


def objects(client: Any) -> None:
    """Print how long many live objects on one connection take."""
    begin = time.perf_counter()
    made = [client.Counter(1) for _ in range(OBJECTS)]
    assert made[-1].getData().size
    taken = time.perf_counter() - begin
    made.clear()
    client.getVersion()
    print(f"\n{OBJECTS} live objects on one connection, made in {taken:.1f} s and freed with one message")


def compare(rounds: int, at_once: int, only: str) -> None:
    """Print a table of medians."""
    print(f"load average {os.getloadavg()[0]:.1f}\n")
    print("| answer | bare TCP / ms | Tagwire / ms | TimeTaggerRPC's way / ms | Tagwire / TCP | its way / Tagwire |")
    print("|---|---|---|---|---|---|")
    with ExitStack() as stack:
        clients = Clients(stack)
        gc.disable()
        for label, ways in clients.table().items():
            if only in label:
                measure(ways, 3, 1)
                print(_row(label, measure(ways, *_rounds(label, rounds, at_once))), flush=True)
        if not only:
            objects(clients.plain)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="calls each way; fewer of the largest")
    parser.add_argument("--at-once", type=int, default=1, help="small calls each way before it is the next one's turn")
    parser.add_argument("--only", default="", help="only rows whose name has this in it")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        SERVERS[options.serve]()
    else:
        compare(options.rounds, options.at_once, options.only)
