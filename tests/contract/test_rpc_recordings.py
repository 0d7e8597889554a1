"""Recordings through our server: names lead into the shared folder and nowhere else, parts lie beside their header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tagwire
from tagwire.core.catalog import read_catalog
from tagwire.errors import FileRefused
from tagwire.rpc.server import Server

ROLES = {
    "FileWriter(filename)": "write",
    "FileWriter.split(new_filename)": "write",
    "Dump(filename)": "write",
    "FileReader(filenames)": "read",
    "mergeStreamFiles(output_filename)": "write",
    "mergeStreamFiles(input_filenames)": "read",
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "shared").mkdir()
    with (
        Server(tagwire.TimeTagger, "127.0.0.1", 0, data=tmp_path / "shared") as server,
        tagwire.connect("127.0.0.1", server.port) as connection,
    ):
        yield connection


def test_parameters_that_name_files_are_marked() -> None:
    catalog = read_catalog(tagwire.TimeTagger)
    calls = {f.name: f for f in catalog.functions}
    for spec in catalog.classes:
        calls |= {f"{spec.name}.{m.name}": m for m in spec.methods}
        if spec.constructor is not None:
            calls[spec.name] = spec.constructor
    marked = {f"{name}({p.name})": p.file for name, call in calls.items() for p in call.params if p.file}
    assert {name: marked.get(name) for name in ROLES} == ROLES


def test_recording_and_reading_back(connection: Any, tmp_path: Path) -> None:
    tagger = connection.createTimeTagger()
    tagger.setTestSignal([1, 2], True)
    writer = connection.FileWriter(tagger, "x.ttbin", [1, 2])
    dump = connection.Dump(tagger, filename="d", max_tags=10)
    writer.setMarker("here")
    writer.startFor(int(1e11))
    assert writer.waitUntilFinished(120_000)
    assert dump.waitUntilFinished(120_000)
    connection.mergeStreamFiles("m", ["x.ttbin", "x.ttbin"], [0, 10], [0, 0], True)
    shared = sorted(path.name for path in (tmp_path / "shared").iterdir())
    assert [name for name in shared if name.startswith("m") or name == "x.ttbin"] == ["m.1.ttbin", "m.ttbin", "x.ttbin"]
    reader = connection.FileReader("m.ttbin")
    assert sorted(reader.getChannelList()) == [1, 2, 11, 12]
    assert reader.getData(10**9).size == 2 * writer.getTotalEvents()
    assert reader.getLastMarker() == ""
    assert (tmp_path / "shared" / "d").stat().st_size == 160
    connection.freeTimeTagger(tagger)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_names_that_lead_elsewhere(connection: Any, name: str) -> None:
    tagger = connection.createTimeTagger()
    writer = connection.FileWriter(tagger, "x", [1])
    calls = [
        lambda: connection.FileWriter(tagger, name, [1]),
        lambda: writer.split(name),
        lambda: connection.Dump(tagger, name, 1),
        lambda: connection.FileReader(["x", name]),
        lambda: connection.mergeStreamFiles(name, ["x"], [0], [0], False),
        lambda: connection.mergeStreamFiles("m", ["x", name], [0, 0], [0, 0], False),
        lambda: connection.createTimeTaggerVirtual(name),
    ]
    for call in calls:
        with pytest.raises(FileRefused):
            call()
