"""Opening recordings, playing parts of them, queues and loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ptu_bytes as ptu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock, join
from tagwire.errors import ArgumentError, ArgumentKindError, FileUnreadable
from tagwire.recording.base import RecordedSource
from tagwire.recording.files import open_recording
from tagwire.recording.live import LiveRecording
from tagwire.recording.ptu import PtuRecording
from tagwire.recording.queue import ReplaySource
from tagwire.sources.base import Source

TIMES = [0, 10, 10, 25, 40, 40, 99]
CHANNELS = [1, 2, 1, 1, 3, 2, 1]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small(tmp_path_factory.mktemp("recording") / "a.ptu")


def small(path: Path, times: list[int] = TIMES, channels: list[int] = CHANNELS) -> Path:
    records = [ptu.t2(c - 1, t) for t, c in zip(times, channels, strict=True)]
    return ptu.write(path, ptu.HYDRAHARP_T2, records, 1e-12)


def play(source: Source, span: int = 1000) -> TagBlock:
    blocks = []
    while (block := source.read(span, ())) is not None:
        assert block.end == source.position
        blocks.append(block)
    return join(blocks) if blocks else TagBlock.empty(source.position, source.position)


@given(begin=st.integers(-200, 200), duration=st.integers(-5, 200), span=st.integers(1, 200), chunk=st.integers(1, 9))
def test_any_part_of_a_recording(path: Path, begin: int, duration: int, span: int, chunk: int) -> None:
    source = RecordedSource(PtuRecording(path, chunk), begin, duration)
    start = max(begin, 0)
    stop = max(start, 100) if duration < 0 else start + duration
    expected = [(t, c) for t, c in zip(TIMES, CHANNELS, strict=True) if start <= t < min(stop, 100)]
    assert source.begin == source.position == begin
    for _ in range(2):
        block = play(source, span)
        assert sorted(zip(block.time.tolist(), block.channel.tolist(), strict=True)) == sorted(expected)
        assert block.begin == begin
        assert block.end == source.end == max(min(stop, 100), min(begin, 100) if begin < 0 else begin)
        source.rewind()
    source.close()


@pytest.mark.parametrize("content", [b"", b"PQ", b"RIFF1234567890", b"\x89HDF\r\n\x1a\n"])
def test_an_unknown_format(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "strange.ptu"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable, match=r"strange\.ptu is not a recording .*\.ptu \(T2 and T3\).*\.ttbin"):
        open_recording(path)


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    assert len(play(open_recording(small(tmp_path / "a.ttbin")))) == 7
    assert len(play(open_recording(tmp_path / "a"))) == 7


@pytest.mark.parametrize("name", ["missing.ptu", "", "a\0b"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileUnreadable, match="could not be opened"):
        open_recording(tmp_path / name)


def test_bad_arguments(path: Path) -> None:
    with pytest.raises(ArgumentKindError, match="begin"):
        open_recording(path, begin=0.5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentKindError, match="duration"):
        open_recording(path, duration="1")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="span is 0"):
        open_recording(path).read(0, ())


def test_a_queue_joins_recordings_without_gap(path: Path, tmp_path: Path) -> None:
    source = ReplaySource(path, begin=5, duration=30)
    other = small(tmp_path / "b.ptu", [3, 4, 5], [1, 7, 2])
    assert source.append(path, begin=-50, duration=11) == 2
    assert source.append(other) == 3
    assert source.queued == (1, 2, 3)
    assert source.channels == (1, 2, 3)
    assert source.position == 5
    block = play(source, 13)
    # 5..35 as it is; then 50 ps of silence and 0..11; then 0..6 without channel 7, which the first file has not
    assert block.time.tolist() == [10, 10, 25, 85, 95, 95, 99, 101]
    assert block.channel.tolist() == [2, 1, 1, 1, 2, 1, 1, 2]
    assert (block.begin, block.end) == (5, 102)
    assert source.finished()


def test_what_is_finished(path: Path) -> None:
    source = ReplaySource(path)
    second = source.append(path)
    assert not source.finished(1)
    assert source.read(1000, ()) is not None
    assert source.position == 100
    assert not source.finished(1)
    assert source.read(1000, ()) is not None
    assert source.finished(1)
    assert not source.finished(second)
    assert not source.finished()
    assert source.read(1000, ()) is None
    assert source.finished(second)
    third = source.append(path, clear=True)
    assert (third, source.queued) == (3, (3,))
    assert source.read(50, ()) is not None
    source.clear()
    assert source.finished(3)
    assert source.read(1, ()) is None
    assert source.position == 250
    source.append(path)
    block = source.read(1000, ())
    assert block is not None
    assert block.time.tolist() == [t + 250 for t in TIMES]
    with pytest.raises(ArgumentError, match=r"ID is 5, .*\[0, 4\]"):
        source.finished(5)


def test_a_file_that_cannot_be_queued_changes_nothing(path: Path, tmp_path: Path) -> None:
    source = ReplaySource(path)
    with pytest.raises(FileUnreadable, match=r"none\.ptu"):
        source.append(tmp_path / "none.ptu", clear=True)
    assert source.queued == (1,)
    assert len(play(source)) == 7


def test_a_loop_shifts_each_pass(path: Path) -> None:
    source = LiveRecording(open_recording(path), loop=True)
    blocks = []
    while source.position < 1_000:
        blocks.append(source.read(min(37, 1_000 - source.position), ()))
    whole = join(blocks)
    assert whole.time.tolist() == [t + 100 * k for k in range(10) for t in TIMES]
    assert np.array_equal(whole.channel, np.tile(CHANNELS, 10))
    source.close()


def test_without_a_loop_silence_follows(path: Path) -> None:
    source = LiveRecording(open_recording(path))
    assert len(source.read(1000, ())) == 7
    assert len(source.read(1000, ())) == 0
    assert source.position == 1_100
    source.close()
