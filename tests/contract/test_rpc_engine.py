"""Our own engine, served: the tutorial's flow through plain Pyro5, and a real recording through our client."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import Pyro5.api
import pytest

import tagwire
from steady import PATIENCE_S
from tagwire.core.catalog import Catalog, Kind, read_catalog
from tagwire.rpc.server import Server

RECORDING = "hbt_320MHz_T2.ptu"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(tagwire.TimeTagger)


@pytest.fixture
def server(catalog: Catalog) -> Iterator[Server]:
    with Server(tagwire.TimeTagger, "127.0.0.1", 0, catalog=catalog) as running:
        yield running


@pytest.fixture(params=["serpent", "json", "msgpack"])
def proxy(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    before = Pyro5.config.SERIALIZER
    Pyro5.config.SERIALIZER = request.param
    with Pyro5.api.Proxy(server.uri) as entry:
        yield entry
    Pyro5.config.SERIALIZER = before


def test_the_tutorials_flow(proxy: Any) -> None:
    assert proxy.scanTimeTagger()
    tagger = proxy.createTimeTagger()
    tagger.setTestSignal(1, True)
    tagger.setTestSignal(2, True)
    delayed = proxy.DelayedChannel(tagger, 2, 1000)
    correlation = proxy.Correlation(tagger, 1, 2, binwidth=5, n_bins=2000)
    shifted = proxy.Correlation(tagger, 1, delayed.getChannel(), binwidth=5, n_bins=2000)
    for measurement in (correlation, shifted):
        measurement.startFor(int(2e10), clear=True)
    for measurement in (correlation, shifted):
        while measurement.isRunning():
            threading.Event().wait(0.005)
    index, counts, later = (
        np.array(correlation.getIndex()),
        np.array(correlation.getData()),
        np.array(shifted.getData()),
    )
    assert index[0] == -5000
    assert counts.sum() > 0
    assert round((np.average(index, weights=counts) - np.average(index, weights=later)) / 100) == 10
    proxy.freeTimeTagger(tagger)


def test_every_member_is_offered(server: Server, catalog: Catalog) -> None:
    with tagwire.connect("127.0.0.1", server.port) as TT:
        assert sorted(TT.__all__) == sorted(
            {spec.name.partition(".")[0] for spec in (*catalog.classes, *catalog.functions, *catalog.enums)}
            | {name for name, _ in catalog.constants}
        )
        for spec in catalog.classes:
            cls = TT._member_named(spec.name)
            assert [m.name for m in spec.methods if not hasattr(cls, m.name)] == []
            if spec.constructor is None and spec.kind is not Kind.LOCAL:
                with pytest.raises(AttributeError, match="No constructor defined"):
                    cls()


def test_bad_input_says_the_same_here_and_there(server: Server) -> None:
    local = tagwire.TimeTagger
    with tagwire.connect("127.0.0.1", server.port) as remote:
        taggers = {remote: remote.createTimeTagger(), local: local.createTimeTagger("SIMX-0001")}
        calls = [
            lambda TT, tagger: tagger.setInputDelay(999, 1),
            lambda TT, tagger: tagger.setDeadtime(1, "long"),
            lambda TT, tagger: tagger.setEventDivider(1, 0),
            lambda TT, tagger: TT.Counter(tagger, [1], binwidth=-1),
            lambda TT, tagger: TT.Counter(tagger, [1, 1]),
            lambda TT, tagger: TT.Correlation(None, 1, 2),
            lambda TT, tagger: TT.Correlation(tagger, 1, 2, bogus=1),
            lambda TT, tagger: TT.Histogram(tagger),
        ]
        for call in calls:
            errors = []
            for TT, tagger in taggers.items():
                with pytest.raises((ValueError, TypeError, RuntimeError)) as caught:
                    call(TT, tagger)
                errors.append((type(caught.value), str(caught.value)))
            assert errors[0] == errors[1]
        local.freeTimeTagger(taggers[local])


CLIENT = """
import sys
import numpy as np
import tagwire
with tagwire.connect("127.0.0.1", int(sys.argv[1])) as TT:
    with TT.createTimeTaggerVirtual(sys.argv[2]) as tagger:
        correlation = TT.Correlation(tagger, 1, 2, binwidth=125, n_bins=801)
        tagger.run()
        assert tagger.waitUntilFinished()
        np.savez(sys.argv[3], index=correlation.getIndex(), data=correlation.getData())
assert "numba" not in sys.modules
"""


def test_a_recording_through_a_client_in_another_process(catalog: Catalog, recordings: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.npz"
    with Server(tagwire.TimeTagger, "127.0.0.1", 0, recordings, catalog=catalog) as server:
        subprocess.run(
            [sys.executable, "-c", CLIENT, str(server.port), RECORDING, str(result)], check=True, timeout=PATIENCE_S
        )
    arrays = np.load(result)
    index, expected = _pairs(recordings / RECORDING, binwidth=125, n_bins=801)
    assert arrays["data"].dtype == np.int32
    np.testing.assert_array_equal(arrays["index"], index)
    np.testing.assert_array_equal(arrays["data"], expected)
    missing = np.abs(index + 23_900) <= 1500
    neighbours = np.abs(np.abs(index + 23_900) - 3125) <= 1500
    assert expected[missing].sum() < 0.02 * expected[neighbours].sum()


def _pairs(path: Path, binwidth: int, n_bins: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """All pairs of a recording, from the file with NumPy alone."""
    import ptufile

    with ptufile.PtuFile(path) as file:
        records = file.decode_records()
    times = records["time"].astype(np.int64)
    first, second = times[records["channel"] == 0], times[records["channel"] == 1]
    reach = (n_bins // 2 + 1) * binwidth
    begin, end = np.searchsorted(second, first - reach), np.searchsorted(second, first + reach)
    pairs = [t - second[i:j] for t, i, j in zip(first, begin, end, strict=True)]
    bins = (np.concatenate(pairs) + n_bins // 2 * binwidth + binwidth // 2) // binwidth
    inside = bins[(bins >= 0) & (bins < n_bins)]
    return (np.arange(n_bins) - n_bins // 2) * binwidth, np.bincount(inside, minlength=n_bins)


def test_data_ends_and_settings_come_without_asking(server: Server) -> None:
    with tagwire.connect("127.0.0.1", server.port) as TT:
        tagger = TT.createTimeTagger()
        changes = tagger.on_settings()
        tagger.setTestSignal([1, 2], True)
        assert changes.next(PATIENCE_S).arguments == {"channel": [1, 2], "enabled": True}
        correlation = TT.Correlation(tagger, 1, 2, binwidth=5, n_bins=2000)
        finished, updates = correlation.on_finished(), correlation.on_update(0.02)
        correlation.startFor(int(1e11), clear=True)
        assert finished.next(PATIENCE_S) == int(1e11)
        for histogram in updates:
            if np.array_equal(histogram, correlation.getData()):
                break
        assert histogram.sum() > 0
        assert [change.method for change in TT.session.history(tagger)] == ["setTestSignal"]
