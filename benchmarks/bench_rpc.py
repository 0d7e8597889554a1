"""How long a remote call takes: Tagwire, TimeTaggerRPC's way and a bare TCP socket, in turns.

    python -m benchmarks rpc

Each way has a server process of its own, so that all pay for the same transport. TimeTaggerRPC's way is a stock Pyro5
daemon that sends arrays as NPY in base64 in serpent, as that package does (it does not run with today's library).
"""

from __future__ import annotations

import argparse
import base64
import io
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import Pyro5.api

import tagwire
from tagwire.core.arrays import Int64Array1D
from tagwire.rpc.server import Server

__all__ = ["getData", "getVersion"]

SIZES = {"ping": 0, "1 kB": 1_000, "100 kB": 100_000, "8 MB": 8_000_000}
"""Bytes of the answer; a ping is a call without arguments that returns a short text."""


def getVersion() -> str:  # noqa: N802
    """A short answer."""
    return "1.0"


def getData(n_bytes: int) -> Int64Array1D:  # noqa: N802
    """An array of that many bytes."""
    return np.arange(n_bytes // 8, dtype=np.int64)


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


def _tcp_call(sock: socket.socket, n_bytes: int) -> None:
    sock.sendall(n_bytes.to_bytes(8, "big"))
    answer = memoryview(bytearray(max(8, n_bytes)))
    while answer:
        answer = answer[sock.recv_into(answer) :]


def _connect(way: str, port: int) -> Callable[[int], object]:
    """A call whose argument is the number of bytes to get; zero is a ping."""
    if way == "tcp":
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return lambda n_bytes: _tcp_call(sock, n_bytes)
    if way == "old":
        Pyro5.api.register_dict_to_class("numpy.ndarray", _from_dict)
    remote: Any = (
        tagwire.connect("127.0.0.1", port) if way == "tagwire" else Pyro5.api.Proxy(f"PYRO:old@127.0.0.1:{port}")
    )
    return lambda n_bytes: remote.getData(n_bytes) if n_bytes else remote.getVersion()


def measure(calls: dict[str, Callable[[int], object]], n_bytes: int, rounds: int) -> dict[str, float]:
    """Median seconds of a call, each way in turn."""
    times: dict[str, list[float]] = {way: [] for way in calls}
    for _ in range(rounds):
        for way, call in calls.items():
            begin = time.perf_counter()
            call(n_bytes)
            times[way].append(time.perf_counter() - begin)
    return {way: statistics.median(taken) for way, taken in times.items()}


SERVERS = {"tcp": serve_tcp, "tagwire": serve_tagwire, "old": serve_old}


def compare(rounds: int) -> None:
    """Print a table of medians."""
    with ExitStack() as stack:
        calls: dict[str, Callable[[int], object]] = {}
        for way in SERVERS:
            command = [sys.executable, __file__, "--serve", way]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            assert process.stdout is not None
            calls[way] = _connect(way, int(process.stdout.readline()))
        print(
            "| answer | bare TCP / ms | Tagwire / ms | TimeTaggerRPC's way / ms | Tagwire / TCP | its way / Tagwire |"
        )
        print("|---|---|---|---|---|---|")
        for label, n_bytes in SIZES.items():
            ms = {k: 1e3 * s for k, s in measure(calls, n_bytes, rounds if n_bytes < 1e6 else rounds // 10).items()}
            tcp, ours, old = ms["tcp"], ms["tagwire"], ms["old"]
            print(f"| {label} | {tcp:.3f} | {ours:.3f} | {old:.3f} | {ours / tcp:.1f} | {old / ours:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="calls each way; a tenth of it for the largest")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        SERVERS[options.serve]()
    else:
        compare(options.rounds)
