"""One end of a stream as a process of its own, told what to do by lines on its standard input.

``serve PORT MEMORY`` and ``measure HOST:PORT CHANNEL...``; each answers every line with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from tagwire import TimeTagger
from tagwire.core.address import Address
from tagwire.tagger.serving import serve_stream
from tagwire.testing import simulated_tagger

MS = 10**9
PATIENCE_MS = 120_000


class Ledger(TimeTagger.CustomMeasurement):
    """Counts what comes, by channel and kind; `pass_on` may hold it up."""

    def __init__(self, tagger: Any, channels: list[int]) -> None:
        super().__init__(tagger)
        self.pass_on = threading.Event()
        self.pass_on.set()
        self.received: dict[int, int] = dict.fromkeys(channels, 0)
        self.missed: dict[int, int] = dict.fromkeys(channels, 0)
        self.kinds = [0] * 5
        for channel in channels:
            self.register_channel(channel)
        self.finalize_init()

    def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
        self.pass_on.wait(120)
        for kind, count in enumerate(np.bincount(incoming_tags["type"], minlength=5)):
            self.kinds[kind] += int(count)
        for channel in self.received:
            mine = incoming_tags[incoming_tags["channel"] == channel]
            self.received[channel] += int(np.count_nonzero(mine["type"] == 0))
            self.missed[channel] += int(mine["missed_events"].sum(dtype=np.int64))

    def on_start(self) -> None:
        pass

    def on_stop(self) -> None:
        pass


def answer(value: Any) -> None:
    print(json.dumps(value), flush=True)


def commands() -> Iterator[list[str]]:
    for line in sys.stdin:
        yield line.split()


def serve(port: int, memory: int) -> None:
    """A simulated instrument whose time passes when it is told to, and which does not wait for its clients."""
    with simulated_tagger(seed=3) as tagger:
        tagger._hub.patient = False
        tagger.simulatePoisson([1, 2], rate=10e6)
        server = serve_stream(
            tagger, TimeTagger.AccessMode.Control, (), Address("127.0.0.1", port), None, memory=memory
        )
        totals = TimeTagger.Countrate(tagger, [1, 2])
        answer({"address": str(server.address)})
        for command in commands():
            match command:
                case ["advance", span]:
                    tagger.advance(int(span) * MS)
                    answer(tagger._hub.position)
                case ["totals"]:
                    answer(totals.getCountsTotal().tolist())
                case ["clients"]:
                    answer(server.clients())
                case ["memory"]:
                    answer(resident())
        server.close()


def measure(address: str, channels: list[int]) -> None:
    """A client that counts."""
    with TimeTagger.createTimeTaggerNetwork(address) as tagger:
        ledger = Ledger(tagger, channels)
        answer({"connected": tagger.isConnected()})
        for command in commands():
            match command:
                case ["sync"]:
                    answer(tagger.sync(PATIENCE_MS))
                case ["connected"]:
                    answer(tagger.isConnected())
                case ["counts"]:
                    received, missed = list(ledger.received.values()), list(ledger.missed.values())
                    answer({"received": received, "missed": missed, "kinds": ledger.kinds})
                case ["hold"]:
                    ledger.pass_on.clear()
                    answer(True)
                case ["go"]:
                    ledger.pass_on.set()
                    answer(True)
                case ["memory"]:
                    answer(resident())


def resident() -> int:
    """Bytes of memory that this process has taken at most so far; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), int(sys.argv[3]))
    else:
        measure(sys.argv[2], [int(c) for c in sys.argv[3:]])
