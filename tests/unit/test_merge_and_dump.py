"""mergeStreamFiles and Dump: arguments, edges, and the vendor's own merge of the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TAG_DTYPE, TagBlock
from tagwire.errors import ArgumentError, ArgumentKindError, FileUnreadable, FileUnwritable
from tagwire.recording.dump import Dump
from tagwire.recording.merge import mergeStreamFiles
from tagwire.recording.reader import FileReader
from tagwire.recording.series_writer import SeriesWriter
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.delayed import DelayedChannel


def clicks(times: list[int], channel: int = 1, end: int = 100) -> TagBlock:
    return TagBlock(0, end, np.array(times, np.int64), np.full(len(times), channel, np.int32))


def write(path: Path, block: TagBlock, channels: list[int]) -> str:
    writer = SeriesWriter(path, channels, {"serial": path.stem})
    writer.write(block)
    writer.finish()
    return str(path)


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    return [
        write(tmp_path / "a.ttbin", clicks([5, 50]), [1, -1]),
        write(tmp_path / "b.ttbin", clicks([5, 60], -1, 90), [1, -1]),
    ]


def test_falling_edges_stay_falling_edges_of_the_same_input(tmp_path: Path, names: list[str]) -> None:
    mergeStreamFiles(str(tmp_path / "m"), names, np.array([0, 1000]), np.array([0, 1e1]), False)  # type: ignore[arg-type]
    reader = FileReader(str(tmp_path / "m.ttbin"))
    assert sorted(reader.getChannelList()) == [-1001, -1, 1, 1001]
    data = reader.getData(10)
    assert data.getTimestamps().tolist() == [5, 15, 50, 70]
    assert data.getChannels().tolist() == [1, -1001, 1, -1001]
    assert (data.tStart, data.tGetData) == (0, 100)
    about = reader.getConfiguration()["merged"][1]
    assert about == {"file": "b.ttbin", "channel offset": 1000, "time offset": 10, "configuration": {"serial": "b"}}


def test_channels_that_are_not_unique_are_mixed_and_told(
    tmp_path: Path, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    mergeStreamFiles(str(tmp_path / "m"), names, [0, -2], [0, 0], overlap_only=True)
    data = FileReader(str(tmp_path / "m")).getData(10)
    assert data.getChannels().tolist() == [1, 1, 1, 1]
    assert (data.tStart, data.tGetData) == (0, 90)
    assert "not unique" in caplog.text


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"channel_offsets": [0]}, ArgumentError, "2 input_filenames, 1 channel_offsets and 2 time_offsets"),
        ({"time_offsets": [0, 0, 0]}, ArgumentError, "3 time_offsets"),
        ({"input_filenames": [], "channel_offsets": [], "time_offsets": []}, FileUnreadable, "no file"),
        ({"input_filenames": "ab"}, ArgumentKindError, "sequence of strings"),
        ({"input_filenames": ["nowhere", "b"]}, FileUnreadable, "nowhere could not be opened"),
        ({"output_filename": 5}, ArgumentKindError, "output_filename must be a string"),
        ({"output_filename": "a"}, ArgumentError, "among the files to merge"),
        ({"output_filename": "b.ttbin"}, ArgumentError, "among the files to merge"),
        ({"input_filenames": ["a.1.ttbin", "b"], "output_filename": "a"}, ArgumentError, "among the files to merge"),
        ({"output_filename": "nowhere/m"}, FileUnwritable, "No such file or directory"),
        ({"time_offsets": [2**63 - 10, 0]}, ArgumentError, "do not fit into 64 bits"),
        ({"channel_offsets": [2**31 - 1, 0]}, ArgumentError, "is too large"),
        ({"overlap_only": 0}, ArgumentKindError, "overlap_only must be True or False"),
        ({"time_offsets": [0, 200], "overlap_only": True}, FileUnreadable, "no time in common"),
    ],
)
def test_arguments_of_merging(
    tmp_path: Path,
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = {
        "output_filename": "m",
        "input_filenames": ["a", "b.ttbin"],
        "channel_offsets": [0, 0],
        "time_offsets": [0, 0],
        "overlap_only": False,
    }
    with pytest.raises(error, match=message):
        mergeStreamFiles(**arguments | change)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.1.ttbin", "a.ttbin", "b.1.ttbin", "b.ttbin"]


def test_merges_real_recordings_as_the_vendor_does(recordings: Path, tmp_path: Path) -> None:
    vendor = pytest.importorskip("Swabian.TimeTagger", reason="the vendor's library is not installed")
    names = [str(recordings / "ttbin" / f"20230515-{n}.ttbin") for n in ("205921", "204112")]
    for name, library in (("ours", mergeStreamFiles), ("theirs", vendor.mergeStreamFiles)):
        library(str(tmp_path / f"{name}.ttbin"), names, [0, -1000], [0, 10**15], False)
    ours = FileReader(str(tmp_path / "ours.ttbin")).getData(1000)
    theirs = vendor.FileReader(str(tmp_path / "theirs.ttbin")).getData(1000)
    assert ours.size == 155 + 36
    for getter in ("getTimestamps", "getChannels", "getEventTypes", "getMissedEvents"):
        assert np.array_equal(getattr(ours, getter)(), getattr(theirs, getter)())


def test_a_dump_ends_by_itself_at_its_last_tag(tmp_path: Path) -> None:
    tagger = SteppedTagger(clicks([1, 5, 5, 9]))
    dump = Dump(tagger, str(tmp_path / "d"), 3)
    tagger.advance(3)
    assert dump.isRunning()
    tagger.advance(10)
    assert dump.waitUntilFinished(120_000)
    assert np.fromfile(tmp_path / "d", TAG_DTYPE)["time"].tolist() == [1, 5, 5]
    assert dump.getCaptureDuration() == 6
    assert not dump.isRunning()
    dump.startFor(100, clear=True)
    tagger.play()
    dump.stop()
    assert (tmp_path / "d").stat().st_size == 48


def test_a_dump_is_16_bytes_a_tag_of_all_channels(tmp_path: Path) -> None:
    kinds, missed = np.array([0, 2, 4], np.uint8), np.array([0, 0, 7], np.uint16)
    channel = np.array([-2, CHANNEL_UNUSED, 1], np.int32)
    tagger = SteppedTagger(TagBlock(0, 10, np.array([1, 2, 3]), channel, kinds, missed), [1, -2])
    delayed = DelayedChannel(tagger, -2, 1)
    dump = Dump(tagger, filename=str(tmp_path / "d"), max_tags=-1.0)  # type: ignore[arg-type]
    assert dump.getConfiguration()["params"]["channels"] == [1, -2, delayed.getChannel()]
    tagger.play()
    dump.stop()
    virtual = delayed.getChannel().to_bytes(4, "little").hex()
    assert (tmp_path / "d").read_bytes().hex() == (
        "00000000feffffff0100000000000000"
        "02000000000000f80200000000000000"
        f"00000000{virtual}0200000000000000"
        "04000700010000000300000000000000"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", 1), ArgumentError, "filename is empty"),
        ((5, 1), ArgumentKindError, "filename must be a string"),
        (("d", 0.5), ArgumentKindError, "max_tags must be a whole number"),
        (("d", 1, [3]), ArgumentError, r"channels\[0\] is 3"),
        (("d", 1, 5), ArgumentKindError, "channels must be a sequence of integers, not 5"),
        (("nowhere/d", 1), FileUnwritable, "No such file or directory"),
    ],
)
def test_arguments_of_a_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        Dump(SteppedTagger(clicks([1])), *arguments)
    assert not list(tmp_path.iterdir())
