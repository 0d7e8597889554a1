"""Recordings on the disk: damage, foreign files, missing parts, links, and what a time range touches."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import FileUnreadable
from tagwire.recording.files import open_file, open_recording
from tagwire.recording.reader import FileReader
from tagwire.recording.series import SeriesRecording
from tagwire.recording.series_writer import SeriesWriter
from tagwire.recording.table import KEY
from tagwire.tagger.virtual import createTimeTaggerVirtual
from tagwire.testing.strategies import Row
from tagwire.testing.tap import rows_of

MS = 10**9


def block(begin: int, end: int) -> TagBlock:
    """A tag every ms, on channels 1 and -1 in turn."""
    numbers = np.arange(begin, end)
    return TagBlock(begin * MS, end * MS, numbers * MS, (1 - 2 * (numbers % 2)).astype(np.int32))


@pytest.fixture
def header(tmp_path: Path) -> Path:
    """A recording of 100 ms in four parts."""
    path = tmp_path / "x.parquet"
    writer = SeriesWriter(path, [1, -1], {"made by": "test"})
    for begin in (0, 25, 50, 75):
        writer.write(block(begin, begin + 25))
        writer.finish()
    return path


def tags(path: Path) -> list[Row]:
    recording = SeriesRecording(path)
    rows = [row for part in recording.blocks() for row in rows_of(part)]
    recording.close()
    return rows


def part(header: Path, number: int) -> Path:
    return header.with_name(f"x.{number}.parquet")


def test_properties(header: Path) -> None:
    recording = open_file(header)
    assert isinstance(recording, SeriesRecording)
    assert (recording.begin, recording.end, recording.channels) == (0, 100 * MS, (1, -1))
    assert recording.configuration == {"made by": "test"}
    recording.close()
    recording.close()
    with pytest.raises(FileUnreadable, match="was closed"):
        next(recording.blocks())
    assert tags(header) == rows_of(block(0, 100))
    assert tags(part(header, 3)) == rows_of(block(50, 75))


def test_a_replay_goes_by_content_and_knows_its_part(header: Path) -> None:
    os.rename(part(header, 2), header.with_name("any.name"))
    tagger = createTimeTaggerVirtual(str(header.with_name("any.name")), begin=5 * MS, duration=7 * MS)
    assert tagger.getChannelList() == (1, -1)
    source = tagger._source.replay
    read = source.read(10**12, (1,))
    assert read is not None
    assert rows_of(read) == rows_of(block(30, 37))


def test_a_time_range_touches_nothing_else(header: Path) -> None:
    part(header, 2).write_bytes(b"PAR1 rubbish")
    source = open_recording(header, 80 * MS, 10 * MS)
    read = source.read(10**12, (1,))
    assert read is not None
    assert rows_of(read) == rows_of(block(80, 90))
    source.close()
    with pytest.raises(FileUnreadable, match=r"x\.2\.parquet"):
        tags(header)


def test_within_a_part_only_the_groups_of_the_range_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagwire.recording.series_writer.GROUP_BYTES", 1)
    monkeypatch.setattr("tagwire.recording.series_writer.FRAME_TAGS", 10)
    writer = SeriesWriter(tmp_path / "x.parquet", [1, -1], {})
    for begin in range(0, 1000, 10):
        writer.write(block(begin, begin + 10))
    writer.finish()
    read: list[int] = []
    original = pq.ParquetFile.read_row_group

    def counting(self: pq.ParquetFile, i: int, **options: bool) -> pa.Table:
        read.append(i)
        return original(self, i, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counting)
    source = open_recording(tmp_path / "x.parquet", 505 * MS, 10 * MS)
    while source.read(10**12, (1,)) is not None:
        pass
    source.close()
    assert read == [50, 51]


def test_a_missing_part_is_an_overflow(header: Path) -> None:
    part(header, 2).unlink()
    gap = [
        (25 * MS, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (50 * MS - 1, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
    ]
    assert tags(header) == rows_of(block(0, 25)) + gap + rows_of(block(50, 100))
    source = open_recording(header, 40 * MS, 20 * MS)
    spans = []
    while (read := source.read(10**12, (1,))) is not None:
        spans.append((read.begin, read.end))
    source.close()
    assert spans == [(40 * MS, 50 * MS), (50 * MS, 60 * MS)]


@pytest.mark.parametrize("size", [4, 100, -100, -1])
def test_a_part_that_was_cut_short_is_named(header: Path, size: int) -> None:
    content = part(header, 4).read_bytes()
    part(header, 4).write_bytes(content[:size])
    with pytest.raises(FileUnreadable, match=r"x\.4\.parquet cannot be read as a Parquet file"):
        open_file(header)


def test_a_changed_byte_in_a_frame_is_noticed(header: Path) -> None:
    content = bytearray(part(header, 2).read_bytes())
    content[content.index(b"TWF1") + 60] ^= 1
    part(header, 2).write_bytes(content)
    with pytest.raises(FileUnreadable, match=r"x\.2\.parquet is damaged: the checksum"):
        tags(header)
    reader = FileReader(str(header))
    assert reader.getData(24).size == 24
    with pytest.raises(FileUnreadable, match="checksum"):
        reader.getData(2)


def test_files_without_statistics_are_read_too(header: Path) -> None:
    table = pq.read_table(part(header, 2))
    pq.write_table(table, part(header, 2), write_statistics=False, compression="zstd")
    assert tags(header) == rows_of(block(0, 100))


def rewritten(path: Path, metadata: dict[bytes, bytes] | None = None, **columns: list[object]) -> None:
    """The file with some columns or its metadata changed."""
    table = pq.read_table(path)
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))
    pq.write_table(table.replace_schema_metadata(metadata or table.schema.metadata), path)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("n", 24, "does not describe its frame"),
        ("t0", 26 * MS, "does not describe its frame"),
        ("frame", b"TWF1", "a frame of 4 bytes"),
    ],
)
def test_rows_that_contradict_themselves(header: Path, column: str, value: object, message: str) -> None:
    rewritten(part(header, 2), **{column: [value]})
    with pytest.raises(FileUnreadable, match=rf"x\.2\.parquet is damaged: .*{message}"):
        tags(header)


def test_parts_that_overlap(header: Path) -> None:
    content = part(header, 2).read_bytes()
    part(header, 3).write_bytes(content)
    with pytest.raises(FileUnreadable, match="come after"):
        tags(header)


def test_other_parquet_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "x.parquet")
    with pytest.raises(FileUnreadable, match=r"x\.parquet"):
        open_file(tmp_path / "x.parquet")
    table = pa.table({"t0": [0], "t1": [1], "n": [0], "frame": [b""], "marker": [""]})
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(FileUnreadable, match="not a recording of tags"):
        open_file(tmp_path / "x.parquet")


def test_files_of_a_later_version(header: Path) -> None:
    about = json.loads(pq.read_schema(header).metadata[KEY])
    rewritten(header, {KEY: json.dumps(about | {"version": 2}).encode()})
    with pytest.raises(FileUnreadable, match="of version 2, but this Tagwire reads up to 1"):
        open_file(header)


def test_links_out_of_the_folder_are_no_parts(header: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for number in (3, 4):
        target = tmp_path / "elsewhere" / f"{number}"
        os.rename(part(header, number), target)
        part(header, number).symlink_to(target)
    assert tags(header) == rows_of(block(0, 50))


def test_an_ending_left_away_leads_to_no_link(header: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "y.ttbin").symlink_to(header)
    with pytest.raises(FileUnreadable, match="could not be opened"):
        open_file(tmp_path / "folder" / "y")


def test_writing_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    for name in ("x.parquet", "x.parquet.open", "x.1.parquet", "x.1.parquet.open"):
        (tmp_path / name).symlink_to(target)
    writer = SeriesWriter(tmp_path / "x.parquet", [1, -1], {})
    writer.write(block(0, 10))
    writer.finish()
    assert target.read_text() == "precious"
    assert tags(tmp_path / "x.parquet") == rows_of(block(0, 10))


def test_names_that_only_look_like_parts(header: Path) -> None:
    for name in ("x.05.parquet", "x.5.5.parquet", "x.²3.parquet", "x.parquet.parquet", "xx.5.parquet", "x.-5.parquet"):
        header.with_name(name).write_text("PAR1")
    assert tags(header) == rows_of(block(0, 100))


def test_more_than_nine_parts_are_in_order(tmp_path: Path) -> None:
    writer = SeriesWriter(tmp_path / "x.parquet", [1, -1], {})
    for begin in range(12):
        writer.write(block(begin, begin + 1))
        writer.finish()
    assert tags(tmp_path / "x.parquet") == rows_of(block(0, 12))


def test_the_documentation_names_what_is_in_the_files(header: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "recording-format.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+)", text, re.MULTILINE))
    schema = pq.read_schema(part(header, 1))
    assert {name: rows.get(name) for name in schema.names} == {f.name: str(f.type) for f in schema}
    about = json.loads(schema.metadata[KEY])
    assert all(f"`{key}`" in text for key in about)
    assert f"`{KEY.decode()}`" in text
