"""Recordings come back exactly, as a whole and in part, however the stream was cut; merging is as documented."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.tags import TAG_DTYPE, TagBlock, TagType, join
from tagwire.errors import FileUnreadable
from tagwire.recording import series_writer
from tagwire.recording.dump import Dump
from tagwire.recording.files import open_recording
from tagwire.recording.merge import mergeStreamFiles
from tagwire.recording.series_writer import SeriesWriter
from tagwire.recording.writer import FileWriter
from tagwire.testing.oracles import files as oracle
from tagwire.testing.oracles.stream import time_tag_stream
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks
from tagwire.testing.tap import rows_of

CHANNELS = (1, 2, 3, -1)


def with_cuts(blocks: st.SearchStrategy[TagBlock]) -> st.SearchStrategy[tuple[TagBlock, list[int]]]:
    """Blocks, and times at which to cut them."""
    return blocks.flatmap(lambda block: st.tuples(st.just(block), cuts(block)))


blocks_and_cuts = with_cuts(tag_blocks())

# Every example writes files.
few = settings(max_examples=40)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def small_pieces(frame: int, group: int) -> Iterator[None]:
    """Many frames, groups and parts from a few tags."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_writer, "FRAME_TAGS", frame)
        patch.setattr(series_writer, "GROUP_BYTES", group)
        yield


def play(path: Path, begin: int = 0, duration: int = -1, span: int = 2**62) -> TagBlock:
    """What a replay gives."""
    source = open_recording(path, begin, duration)
    parts = [TagBlock.empty(source.begin, source.begin)]
    while (part := source.read(span, CHANNELS)) is not None:
        parts.append(part)
    source.close()
    return join(parts)


def write(path: Path, block: TagBlock, at: list[int], part: int) -> None:
    """The block as a recording, in pieces that end at the cuts."""
    writer = SeriesWriter(path, CHANNELS, {})
    writer.max_size = part
    for cut in [*at, block.end]:
        piece, block = block.split(cut)
        if piece.begin < piece.end:
            writer.write(piece)
    writer.finish()


@few
@given(
    case=blocks_and_cuts,
    channels=st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True),
    pieces=st.tuples(st.sampled_from([2, 7, 65_536]), st.sampled_from([1, 1000])),
)
def test_a_file_writer_keeps_what_a_stream_would(case: Any, channels: list[int], pieces: tuple[int, int]) -> None:
    block, at = case
    with folder() as path, small_pieces(*pieces):
        tagger = SteppedTagger(block, CHANNELS)
        writer = FileWriter(tagger, str(path / "x"), channels)
        tagger.play(at)
        writer.stop()
        found = play(path / "x.ttbin")
    expected = time_tag_stream(block, channels, 10**9)
    assert rows_of(found) == [(e.time, e.channel, e.type, e.missed) for e in expected]
    assert (found.begin, found.end) == (block.begin, block.end)
    assert writer.getTotalEvents() == len(expected)


@few
@given(case=blocks_and_cuts, data=st.data())
def test_any_part_of_the_time(case: Any, data: st.DataObject) -> None:
    block, at = case
    length = block.end - block.begin
    begin = data.draw(st.integers(-10, length + 10))
    duration = data.draw(st.one_of(st.just(-1), st.integers(0, length + 10)))
    with folder() as path, small_pieces(data.draw(st.sampled_from([2, 7])), data.draw(st.sampled_from([1, 300]))):
        write(path / "x.parquet", block, at, data.draw(st.sampled_from([1, 3000, 2**30])))
        found = play(path / "x.parquet", begin, duration, data.draw(st.sampled_from([37, 2**62])))
    first = block.begin + max(begin, 0)
    end = block.end if duration < 0 else min(block.end, first + duration)
    assert rows_of(found) == rows_of(block.take(first, end))
    if found.begin < found.end:
        assert (found.begin, found.end) == (block.begin + begin, max(end, block.begin + min(begin, 0)))


@few
@given(case=blocks_and_cuts, limit=st.integers(-1, 40), channels=st.lists(st.sampled_from(CHANNELS), unique=True))
def test_a_dump_keeps_the_first_tags(case: Any, limit: int, channels: list[int]) -> None:
    block, at = case
    with folder() as path:
        tagger = SteppedTagger(block, CHANNELS)
        dump = Dump(tagger, str(path / "x"), limit, channels)
        tagger.play(at)
        dump.stop()
        found = np.fromfile(path / "x", TAG_DTYPE)
    expected = time_tag_stream(block, channels or CHANNELS, limit if limit >= 0 else 10**9)
    rows = list(zip(*(found[n].tolist() for n in ("time", "channel", "type", "missed_events")), strict=True))
    assert rows == [(e.time, e.channel, e.type, e.missed) for e in expected]


@few
@given(
    cases=st.lists(
        tag_blocks(begin=0, max_tags=25).flatmap(lambda b: st.tuples(st.just(b), cuts(b))), min_size=1, max_size=3
    ),
    channel_offsets=st.lists(st.sampled_from([0, 0, 10, -5]), min_size=3, max_size=3),
    time_offsets=st.lists(st.sampled_from([0, 1, -30, 400, 2**60]), min_size=3, max_size=3),
    common=st.booleans(),
)
def test_merging(cases: Any, channel_offsets: list[int], time_offsets: list[int], common: bool) -> None:
    blocks = [block for block, _ in cases]
    offsets = channel_offsets[: len(cases)], time_offsets[: len(cases)]
    with folder() as path, small_pieces(5, 100):
        for number, (block, at) in enumerate(cases):
            write(path / f"{number}.parquet", block, at, 2000)
        names = [str(path / f"{number}.parquet") for number in range(len(cases))]
        spans = [(b.begin + t, b.end + t) for b, t in zip(blocks, offsets[1], strict=True)]
        begins, ends = [s[0] for s in spans], [s[1] for s in spans]
        if common and max(begins) >= min(ends):
            with pytest.raises(FileUnreadable, match="no time in common"):
                mergeStreamFiles(str(path / "m.parquet"), names, *offsets, common)
            assert not (path / "m.parquet").exists()
            return
        mergeStreamFiles(str(path / "m.parquet"), names, *offsets, common)
        found = play(path / "m.parquet")
    assert rows_of(found) == oracle.merged(blocks, *offsets, common)
    span = (max(begins), min(ends)) if common else (min(begins), max(ends))
    assert (found.begin, found.end) == span
    assert all(row[3] == 0 for row in rows_of(found) if row[2] != TagType.MissedEvents)
