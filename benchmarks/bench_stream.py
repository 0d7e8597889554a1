"""The stream over a network: codec, speed, processor time, latency, and what stalled clients do to the instrument.

    python -m benchmarks stream [--seconds 3] [--rounds 5] [--only ROW ...]

Server and clients are processes of their own on this computer. Beside the fast rows bare TCP carries the same tags as
raw columns of 12 bytes, in turns; medians. "CPU" is processor time at each end in s for 10⁹ tags; it tells more than
the speed where other programs use the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from streams import cut, jittered_laser, load, medians, poisson

from tagwire.frames.codec import decode, encode
from tagwire.security import Identity

ROLES = str(Path(__file__).parent / "stream_roles.py")
FRAME = 2**18


class Process:
    """One of the programs of `stream_roles`."""

    def __init__(self, stack: ExitStack, role: str, **options: Any) -> None:
        command = [sys.executable, ROLES, role, json.dumps(options)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(self._end)

    def hear(self) -> dict[str, Any]:
        """The next line it prints."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the benchmark ended too early")
        found: dict[str, Any] = json.loads(line)
        return found

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        """Stop, continue or kill it."""
        self._process.send_signal(number)

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def run(
    server: str, client: str, clients: int = 1, upset: Callable[[list[Process]], None] | None = None, **options: Any
) -> Any:
    """One run: what the server tells, and what each client tells that is still there."""
    with ExitStack() as stack:
        source = Process(stack, server, clients=clients, **options)
        port = source.hear()["port"]
        readers = [Process(stack, client, port=port) for _ in range(clients)]
        for reader in readers:
            reader.hear()
        source.go_on()
        if upset is not None:
            upset(readers)
        told = source.hear()
        if client == "measure":
            for reader in readers:
                reader.go_on()
            return told, [reader.hear() for reader in readers]
        source.go_on()
        return told, [reader.hear() for reader in readers[: 1 if upset else clients]]


def codec(rounds: int, _seconds: float) -> None:
    """Packed frames on one core."""
    streams = {
        "4 x 10 Mcps Poisson": poisson(10 * FRAME, dict.fromkeys([1, 2, 3, 4], 1e7)),
        "8 x 10 Mcps Poisson": poisson(10 * FRAME, dict.fromkeys(range(1, 9), 1e7)),
        "80 MHz laser, 10 ps jitter, + 1 Mcps": jittered_laser(10 * FRAME, 12_500, 10, 1e6),
        "80 MHz laser, 20 ps jitter, + 1 Mcps": jittered_laser(10 * FRAME, 12_500, 20, 1e6),
    }
    print(f"{'':38} {'encode':>8} {'decode':>8} {'B/tag':>7}")
    for name, block in streams.items():
        parts = cut(block, FRAME)
        frames = [encode(part) for part in parts]
        taken = medians({"e": lambda p=parts: [*map(encode, p)], "d": lambda f=frames: [*map(decode, f)]}, rounds)
        speeds = [f"{len(block) / taken[key] / 1e6:8.0f}" for key in "ed"]
        print(f"{name:38} {speeds[0]} {speeds[1]} {sum(map(len, frames)) / len(block):7.2f}")


def fast(rounds: int, seconds: float) -> None:
    """One client, as fast as it goes."""
    cases: dict[str, Callable[[], Any]] = {
        "bare TCP, raw columns": lambda: run("plain_send", "plain_receive", tags=FRAME, seconds=seconds),
        "packed, every tag decoded": lambda: run(
            "serve", "receive", rate=8e7, tags=FRAME, seconds=1.5 * seconds, fast=True
        ),
        "packed, TLS": lambda: run(
            "serve", "receive", rate=8e7, tags=FRAME, seconds=1.5 * seconds, fast=True, tls=True
        ),
        "createTimeTaggerNetwork, Countrate": lambda: run(
            "serve", "measure", rate=8e7, tags=FRAME, seconds=1.5 * seconds, fast=True
        ),
    }
    show(repeat(cases, rounds))


def offered(rounds: int, seconds: float) -> None:
    """80 Mtag/s from an instrument that waits for nobody."""
    cases: dict[str, Callable[[], Any]] = {
        f"80 Mtag/s, {clients} client{'s' * (clients > 1)}{', TLS' * tls}": lambda c=clients, t=tls: run(
            "serve", "receive", clients=c, rate=8e7, tags=FRAME, seconds=seconds, tls=t
        )
        for clients, tls in ((1, False), (1, True), (4, False))
    }
    show(repeat(cases, rounds))


def repeat(cases: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[Any]]:
    """Results of all cases, which take turns."""
    results: dict[str, list[Any]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            results[name].append(case())
    return results


def show(results: dict[str, list[Any]]) -> None:
    """Speeds at the clients, processor time for 10⁹ tags at server and client, share of tags reported as missed."""
    print(f"{'':38} {'Mtag/s':>8} {'server':>8} {'client':>8} {'missed':>8}   CPU in s/Gtag")
    for name, runs in results.items():
        speed = median(median(c["received"] for c in clients) / server["seconds"] for server, clients in runs)
        at_server = median(server["cpu"] / server["tags"] for server, _ in runs)
        at_client = median(median(c["cpu"] / max(c["received"], 1) for c in clients) for _, clients in runs)
        missed = median(
            sum(c.get("missed", 0) for c in clients) / server["tags"] / len(clients) for server, clients in runs
        )
        print(f"{name:38} {speed / 1e6:8.0f} {at_server * 1e9:8.1f} {at_client * 1e9:8.1f} {missed:8.1%}")
        for server, clients in runs:
            for c in clients:
                if "sent" in c and not c["received"] + c["missed"] == c["sent"] <= server["sent"]:
                    raise RuntimeError(
                        f"the accounts do not add up: {c['received']} + {c['missed']} of {server['sent']}"
                    )


def latency(rounds: int, seconds: float) -> None:
    """10 Mtag/s in blocks of 1 ms: from the moment a block is made until its tags are decoded at the client."""
    middles, worst = [], []
    for _ in range(rounds):
        server, (client,) = run("serve", "receive", rate=1e7, tags=10_000, seconds=seconds)
        made = dict(server["made"])
        late = [1e3 * (at - made[end]) for end, at in client["arrived"] if end in made]
        middles.append(np.percentile(late, 50))
        worst.append(np.percentile(late, 99))
    print(f"latency of 1 ms frames at 10 Mtag/s: p50 {median(middles):.2f} ms, p99 {median(worst):.2f} ms")


def stalled(rounds: int, seconds: float) -> None:
    """Three of four clients are stopped or killed: how late the instrument is afterwards, and what memory it takes."""

    def upset(readers: list[Process]) -> None:
        time.sleep(seconds / 4)
        for reader, number in zip(readers[1:], (signal.SIGSTOP, signal.SIGSTOP, signal.SIGKILL), strict=True):
            reader.signal(number)

    for name, trouble in (("four clients read", None), ("two stopped, one killed", upset)):
        late, memory = [], []
        for _ in range(rounds):
            server, clients = run("serve", "receive", 4, trouble, rate=2e7, tags=20_000, seconds=seconds)
            due = [(server["begin"] + end / 1e12, at) for end, at in server["made"] if end / 1e12 > seconds / 2]
            late.append(np.percentile([1e3 * max(0.0, at - when) for when, at in due], 99))
            memory.append(server["memory"])
            for c in clients:
                if c["received"] + c["missed"] != server["sent"]:
                    raise RuntimeError(f"the accounts do not add up: {c} of {server['sent']}")
        print(f"{name:28} instrument late p99 {median(late):.2f} ms, server takes {median(memory):.0f} MB more")


def reconnect(rounds: int, seconds: float) -> None:
    """A server is stopped and started again: how long until its tags come to a client's measurement."""
    times = []
    for _ in range(rounds):
        with ExitStack() as stack:
            source = Process(stack, "serve_again", rate=1e6, tags=10_000, seconds=seconds)
            client = Process(stack, "come_again", port=source.hear()["port"])
            client.hear()
            source.go_on()
            times.append(client.hear()["back"] - source.hear()["back"])
    print(f"reconnect: {median(times):.2f} s")


ROWS: dict[str, Callable[[int, float], None]] = {
    row.__name__: row for row in (codec, fast, offered, latency, stalled, reconnect)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a run")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    parser.add_argument("--only", nargs="*", choices=list(ROWS), default=list(ROWS), help="parts to run")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {load()}")
    with TemporaryDirectory() as folder:
        os.environ["TAGWIRE_HOME"] = folder
        Identity.create()
        for name in options.only:
            print(f"\n{ROWS[name].__doc__}", flush=True)
            ROWS[name](options.rounds, options.seconds)
    print(f"\n{load()}")


if __name__ == "__main__":
    main()
