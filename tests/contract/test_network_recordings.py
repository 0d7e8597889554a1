"""Recordings streamed to clients, as fast as it goes: the same results as from the file, and through the RPC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tagwire
from tagwire import TimeTagger
from tagwire.core.catalog import Catalog, read_catalog
from tagwire.rpc.server import Server
from tagwire.tagger import serving
from tagwire.testing import simulated_tagger

TT = TimeTagger
MS = 10**9
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(TT)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """200 ms of a simulated emitter and some background."""
    path = tmp_path / "light.parquet"
    with simulated_tagger(seed=11) as tagger:
        tagger.simulateEmitter([1, 2], repetition_rate=80e6, lifetime=2000)
        tagger.simulatePoisson([3], rate=300e3)
        with TT.FileWriter(tagger, str(path), [1, 2, 3]):
            tagger.advance(200 * MS)
    return path


@pytest.fixture
def connection(catalog: Catalog, recording: Path) -> Iterator[Any]:
    """The engine through a connection of the RPC."""
    with (
        Server(TT, "127.0.0.1", 0, recording.parent, catalog=catalog) as server,
        tagwire.connect("127.0.0.1", server.port) as module,
    ):
        yield module


def measured(library: Any, tagger: Any) -> dict[str, Any]:
    """Measurements on a tagger, of the library that it belongs to."""
    pairs = library.Coincidence(tagger, [1, 2], 500_000)
    return {
        "Coincidence": pairs,
        "Correlation": library.Correlation(tagger, 1, 2, 1000, 1001),
        "Counter": library.Counter(tagger, [1, 2, 3, pairs.getChannel()], 10 * MS, 20),
        "Histogram": library.Histogram(tagger, 3, 1, 1000, 500),
        "TimeDifferences": library.TimeDifferences(tagger, 1, 3, n_bins=100, binwidth=1000),
        "Countrate": library.Countrate(tagger, [1, 2, 3]),
    }


def results(made: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(made[name].getData()) for name in made if name != "Coincidence"}


def assert_equal(ours: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, values in expected.items():
        np.testing.assert_array_equal(ours[name], values, err_msg=name)
    assert expected["Correlation"].sum() > 1000


def play(tagger: Any) -> None:
    tagger.run()
    assert tagger.waitUntilFinished(timeout=PATIENCE_MS)


def test_local_remote_and_network_clients_measure_the_same(recording: Path, connection: Any) -> None:
    with TT.createTimeTaggerVirtual(str(recording)) as tagger:
        made = measured(TT, tagger)
        play(tagger)
        expected = results(made)
    with connection.createTimeTaggerVirtual(recording.name) as remote:
        remote.startServer(connection.AccessMode.Listen, port=0)
        (server,) = [
            s for s in serving._running if not s._closing.is_set()
        ]  # started at port 0, and the API tells no port
        with TT.createTimeTaggerNetwork(str(server.address)) as client:
            there, here = measured(connection, remote), measured(TT, client)
            play(remote)
            assert client.sync(PATIENCE_MS)
            assert_equal(results(there), expected)
            assert_equal(results(here), expected)
            assert client.getOverflowsClient() == 0
        assert len(remote.getConnectedClients()) <= 1
        remote.stopServer()
        assert not remote.isServerRunning()


def test_a_network_client_at_the_server_of_the_rpc(recording: Path, connection: Any) -> None:
    with TT.createTimeTaggerVirtual(str(recording)) as tagger:
        tagger.startServer(TT.AccessMode.Control, port=0)
        here = measured(TT, tagger)
        with connection.createTimeTaggerNetwork(str(tagger._server.address)) as client:
            assert client.isConnected()
            (server,) = client.getServers()
            assert server.getAccessMode() == TT.AccessMode.Control
            there = measured(connection, client)
            play(tagger)
            assert client.sync(PATIENCE_MS)
            assert_equal(results(there), results(here))


def test_a_recording_of_photons_at_two_clients(recordings: Path) -> None:
    path = str(recordings / "hbt_320MHz_T2.ptu")
    with TT.createTimeTaggerVirtual(path) as tagger:
        a, b = tagger.getChannelList()[:2]
        histogram = TT.Correlation(tagger, a, b, 100, 2000)
        rate = TT.Countrate(tagger, [a, b])
        play(tagger)
        expected, total = histogram.getData(), rate.getCountsTotal()
    with TT.createTimeTaggerVirtual(path) as tagger:
        tagger.startServer(TT.AccessMode.SynchronousListen, port=0)
        clients = [TT.createTimeTaggerNetwork(str(tagger._server.address)) for _ in range(2)]
        made = [(TT.Correlation(c, a, b, 100, 2000), TT.Countrate(c, [a, b])) for c in clients]
        play(tagger)
        for client, (correlation, counts) in zip(clients, made, strict=True):
            assert client.sync(PATIENCE_MS)
            np.testing.assert_array_equal(correlation.getData(), expected)
            np.testing.assert_array_equal(counts.getCountsTotal(), total)
            TT.freeTimeTagger(client)
    assert expected.sum() > 1000
