"""FileReader: the vendor's API over our recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ptu_bytes as ptu
import pytest

from tagwire.errors import ArgumentError, ArgumentKindError, FileUnreadable, StateError
from tagwire.recording.reader import FileReader


def small(path: Path, times: list[int], channel: int = 1) -> str:
    return str(ptu.write(path, ptu.HYDRAHARP_T2, [ptu.t2(channel - 1, t) for t in times], 1e-12))


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    return [small(tmp_path / "a.ptu", [5, 7, 7, 7, 30]), small(tmp_path / "b.ptu", [2, 3], 2)]


def test_every_tag_once_and_the_spans_follow_each_other(names: list[str]) -> None:
    with FileReader(names[0]) as reader:
        found = []
        for size in (2, 1, 0, 100):
            buffer = reader.getData(size)
            found.append((buffer.getTimestamps().tolist(), buffer.tStart, buffer.tGetData, reader.hasData()))
    assert found == [
        ([5, 7], 0, 7, True),
        ([7], 7, 7, True),
        ([], 7, 7, True),
        ([7, 30], 7, 31, False),
    ]


def test_files_follow_each_other_with_their_own_times(names: list[str]) -> None:
    reader = FileReader(tuple(names))
    assert reader.getChannelList() == (1,)
    buffer = reader.getData(100)
    assert buffer.getTimestamps().tolist() == [5, 7, 7, 7, 30, 2, 3]
    assert buffer.getChannels().tolist() == [1, 1, 1, 1, 1, 2, 2]
    assert reader.getChannelList() == (2,)
    assert not reader.hasData()
    assert reader.getData(5).size == 0


def test_the_rest_of_the_api(names: list[str]) -> None:
    reader = FileReader(names[0])
    assert reader.getConfiguration()["Measurement_Mode"] == 2
    assert reader.getLastMarker() == ""
    with pytest.raises(ArgumentError, match="n_events is -1"):
        reader.getData(-1)
    assert reader.getData(5.0).size == 5  # type: ignore[arg-type]
    with reader:
        pass
    with pytest.raises(StateError, match="closed"):
        reader.hasData()


@pytest.mark.parametrize("names", [5, b"a", [5], None])
def test_names_of_the_wrong_kind(names: Any) -> None:
    with pytest.raises(ArgumentKindError, match="filenames"):
        FileReader(names)


def test_files_that_cannot_be_opened(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(FileUnreadable, match="no file"):
        FileReader([])
    with pytest.raises(FileUnreadable, match=r"none\.ptu could not be opened"):
        FileReader(str(tmp_path / "none.ptu"))
    reader = FileReader([names[0], str(tmp_path / "none.ptu")])
    assert reader.getData(5).size == 5


@pytest.mark.parametrize("size", [1, 30, 1_000])
def test_same_buffers_as_the_vendors_reader(recordings: Path, size: int) -> None:
    vendor = pytest.importorskip("Swabian.TimeTagger", reason="the vendor's library is not installed")
    name = str(recordings / "ttbin" / "20230515-205921.ttbin")
    ours, theirs = FileReader(name), vendor.FileReader(name)
    assert ours.getChannelList() == theirs.getChannelList()
    assert ours.getConfiguration() == theirs.getConfiguration()
    buffers = 0
    while theirs.hasData():
        assert ours.hasData()
        a, b = ours.getData(size), theirs.getData(size)
        buffers += 1
        assert (a.size, a.tStart, a.tGetData, a.hasOverflows) == (b.size, b.tStart, b.tGetData, b.hasOverflows)
        for getter in ("getTimestamps", "getChannels", "getEventTypes", "getMissedEvents", "getOverflows"):
            x, y = getattr(a, getter)(), getattr(b, getter)()
            assert x.dtype == y.dtype
            assert np.array_equal(x, y)
    assert buffers == -(-155 // size)
    assert not ours.hasData()
