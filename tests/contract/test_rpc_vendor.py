"""The vendor's library without a device, served: everything is offered, and what needs no device works."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import Pyro5.api
import pytest

import tagwire
from tagwire.core.catalog import Catalog, Kind, read_catalog
from tagwire.errors import FileRefused, NotAllowed, NotSupported
from tagwire.rpc.client.local import runs_on_tags
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.server import Server

vendor = pytest.importorskip("Swabian.TimeTagger")

RECORDING = "20230515-205921.ttbin"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(vendor)


@pytest.fixture
def server(catalog: Catalog, tmp_path: Path) -> Iterator[Server]:
    with Server(vendor, "127.0.0.1", 0, tmp_path, catalog=catalog) as running:
        yield running


@pytest.fixture
def TT(server: Server) -> Iterator[Any]:
    with tagwire.connect("127.0.0.1", server.port) as module:
        yield module


@pytest.fixture
def copied(recordings: Path, tmp_path: Path) -> Path:
    for file in (recordings / "ttbin").glob("*.ttbin"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_every_member_is_offered(TT: Any, catalog: Catalog) -> None:
    for spec in (*catalog.classes, *catalog.functions, *catalog.enums):
        offered: Any = TT
        for part in spec.name.split("."):
            offered = getattr(offered, part)
        assert offered.__name__ == spec.name.rpartition(".")[2]
    for spec in catalog.classes:
        cls = TT._member_named(spec.name)
        members = [*(m.name for m in spec.methods), *(p.name for p in spec.properties), *(c[0] for c in spec.constants)]
        assert [name for name in members if not hasattr(cls, name)] == []
        assert all(issubclass(cls, TT._member_named(base)) for base in spec.bases)


def test_constants_and_enums_have_the_vendors_values(TT: Any, catalog: Catalog) -> None:
    for name, value in catalog.constants:
        assert getattr(TT, name) == value
    for spec in catalog.enums:
        assert {n: int(m) for n, m in getattr(TT, spec.name).__members__.items()} == dict(spec.members)
    assert TT.AccessMode.Listen == 0
    assert TT.Tag.Type_TimeTag == vendor.Tag.Type_TimeTag


def test_version(TT: Any) -> None:
    assert TT.getVersion() == vendor.getVersion()


def test_value_objects(TT: Any) -> None:
    gate = TT.ChannelGate(1, gate_close_channel=2, initial=TT.GatedChannelInitial.Open)
    local = vendor.ChannelGate(1, gate_close_channel=2, initial=vendor.GatedChannelInitial.Open)
    assert (gate.gate_open_channel, gate.gate_close_channel) == (1, 2)
    assert (gate.initial, type(gate.initial)) == (local.initial, type(local.initial))
    tag = TT.Tag()
    tag.time, tag.channel = 2**40, -3
    assert (tag.time, tag.channel) == (2**40, -3)


def test_reading_a_recording(TT: Any, copied: Path) -> None:
    reader, local = TT.FileReader(RECORDING), vendor.FileReader(str(copied / RECORDING))
    assert reader.getConfiguration() == local.getConfiguration()
    assert tuple(reader.getChannelList()) == tuple(local.getChannelList())
    while local.hasData():
        assert reader.hasData()
        block, expected = reader.getData(50), local.getData(n_events=50)
        assert isinstance(block, TT.TimeTagStreamBuffer)
        assert (block.size, block.hasOverflows) == (expected.size, expected.hasOverflows)
        for name in ("getTimestamps", "getChannels", "getEventTypes", "getMissedEvents", "getOverflows"):
            ours, theirs = getattr(block, name)(), getattr(expected, name)()
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
    assert not reader.hasData()


def test_merging_stays_in_the_folder(TT: Any, copied: Path, recordings: Path) -> None:
    parts = [RECORDING, "20230515-204112.ttbin"]
    TT.mergeStreamFiles("merged.ttbin", parts, [0, 100], np.array([0, 0]), False)
    assert (copied / "merged.ttbin").is_file()
    channels = TT.FileReader(["merged.ttbin"]).getChannelList()
    assert len(channels) > len(TT.FileReader(RECORDING).getChannelList())
    outside = str(recordings / "ttbin" / RECORDING)
    with pytest.raises(FileRefused):
        TT.mergeStreamFiles("other.ttbin", [RECORDING, outside], [0, 100], [0, 0], False)
    with pytest.raises(FileRefused):
        TT.mergeStreamFiles("../other.ttbin", parts, [0, 100], [0, 0], False)
    with pytest.raises(FileRefused):
        TT.FileReader(filenames=outside)


def raised_by(call: Any) -> tuple[type[BaseException], str]:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda TT: TT.createTimeTagger(),
        lambda TT: TT.createTimeTagger("nothing", TT.Resolution.Standard),
        lambda TT: TT.Counter(None, [1]),
        lambda TT: TT.Counter(),
        lambda TT: TT.Counter(5, [1]),
        lambda TT: TT.Correlation(tagger=None, channel_1=1),
        lambda TT: TT.freeTimeTagger(None),
        lambda TT: TT.freeTimeTagger(7),
        lambda TT: TT.ChannelGate(1, 2, bogus=3),
        lambda TT: TT.ChannelGate(1.5, 2),
        lambda TT: TT.setTimeTaggerChannelNumberScheme(1),
        lambda TT: TT.createTimeTaggerNetwork("not an address"),
        lambda TT: TT.Experimental.PhotonGenerator(),
    ],
)
def test_errors_are_the_vendors_own(TT: Any, call: Any) -> None:
    assert raised_by(lambda: call(TT)) == raised_by(lambda: call(vendor))


def test_the_log_of_the_library_comes_to_the_client(TT: Any) -> None:
    with TT.session.log() as log:
        with pytest.raises(RuntimeError) as failed:
            TT.createTimeTaggerVirtual()
        level, message = log.next(120)
    assert level == vendor.LOGGER_ERROR
    assert "Please connect a Time Tagger" in message
    assert "Please connect a Time Tagger" in str(failed.value)


def test_an_observer_sends_the_server_nowhere(server: Server) -> None:
    guest = Caller("guest", "session", role="observe")
    for name, args in [("createTimeTaggerNetwork", ["localhost"]), ("getTimeTaggerServerInfo", ["localhost"])]:
        with pytest.raises(NotAllowed, match=f"{name} makes the server look at other computers"):
            server.service.call(name, args, {}, guest)
    assert server.service.call("getVersion", (), {}, guest) == vendor.getVersion()


def test_abstract_and_data_classes_cannot_be_made(TT: Any, catalog: Catalog) -> None:
    for spec in catalog.classes:
        if spec.kind is Kind.LOCAL:
            with pytest.raises(TypeError if runs_on_tags(spec) else NotSupported):
                TT._member_named(spec.name)()
        elif spec.constructor is None:
            with pytest.raises(AttributeError, match="No constructor defined"):
                TT._member_named(spec.name)()


def test_plain_pyro_clients_get_the_same(server: Server, copied: Path) -> None:
    with Pyro5.api.Proxy(server.uri) as TT:
        assert TT.getVersion() == vendor.getVersion()
        block = TT.FileReader(RECORDING).getData(5)
        expected = vendor.FileReader(str(copied / RECORDING)).getData(5)
        assert block.getTimestamps() == expected.getTimestamps().tolist()
        assert block.size == 5
        with pytest.raises(RuntimeError, match="No Time Tagger"):
            TT.createTimeTagger()
