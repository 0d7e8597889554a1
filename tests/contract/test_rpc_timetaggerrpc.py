"""The client of PyPI's TimeTaggerRPC, unchanged, against our server in another process."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TimeTaggerRPC = pytest.importorskip("TimeTaggerRPC.client")

SERVER = """
import sys
sys.path.insert(0, sys.argv[1])
import tiny_instrument
from tagwire.rpc.server import Server
server = Server(tiny_instrument, "127.0.0.1", 0, grace=0.2).start()
print(server.port, flush=True)
for line in sys.stdin:
    count = int(line)
    print(server.service.registry.wait_until(count, timeout=120), flush=True)
"""


class _Process:
    def __init__(self) -> None:
        instrument = Path(__file__).parents[1] / "e2e"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(instrument)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def has_objects(self, count: int) -> bool:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "True\n"


@pytest.fixture(scope="module")
def process() -> Iterator[_Process]:
    running = _Process()
    yield running
    with running.process:
        running.process.kill()


@pytest.fixture
def TT(process: _Process) -> Iterator[Any]:
    proxy = TimeTaggerRPC.createProxy("127.0.0.1", process.port)
    yield proxy
    proxy._pyroRelease()
    gc.collect()
    assert process.has_objects(0)


def test_measure(TT: Any) -> None:
    tagger = TT.createTimeTagger(resolution=TT.Resolution.Standard)
    tagger.setInputDelay(1, 50)
    counter = TT.Counter(tagger, [1, 2], n_values=3)
    data = counter.getData()
    assert data.dtype == np.int32
    np.testing.assert_array_equal(data, np.arange(6).reshape(2, 3))
    snapshot = counter.getDataObject()
    np.testing.assert_array_equal(snapshot.getTime(), [0, 1000, 2000])
    TT.freeTimeTagger(tagger)


def test_enums(TT: Any) -> None:
    assert TT.Edge.All == 0
    assert TT.edgeName(TT.Edge.Falling) == "Falling"


def test_arrays_as_arguments(TT: Any) -> None:
    assert TT.typeName(np.arange(3)) == "ndarray"
    np.testing.assert_array_equal(TT.echo(np.arange(3.0)), np.arange(3.0))


def test_synchronized_measurements(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    together = TT.SynchronizedMeasurements(tagger)
    counter = TT.Counter(together.getTagger(), [1])
    together.registerMeasurement(counter)
    assert counter.getData().shape == (1, 1)


def test_threads_that_own_a_proxy_each(TT: Any, process: _Process) -> None:
    tagger = TT.createTimeTagger()
    tagger.setInputDelay(1, 7)
    delays: list[int] = []

    def work() -> None:
        own = TimeTaggerRPC.createProxy("127.0.0.1", process.port)
        mine = own.createTimeTagger()
        delays.append(mine.getInputDelay(1))
        own.freeTimeTagger(mine)
        own._pyroRelease()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert delays == [7] * 4
    assert tagger.getSerial() == "T1"


def test_collected_proxies_end_their_objects(TT: Any, process: _Process) -> None:
    tagger = TT.createTimeTagger()
    counters = [TT.Counter(tagger, [1]) for _ in range(3)]
    for counter in counters:
        counter.getData()
    assert process.has_objects(4)
    del counters, counter
    gc.collect()
    assert process.has_objects(1)
