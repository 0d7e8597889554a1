"""FileWriter: the vendor's API, what is on the disk, and what happens when the disk cannot keep up."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError, FileUnwritable, StateError
from tagwire.measurements.countrate import Countrate
from tagwire.recording.backlog import Backlog
from tagwire.recording.drain import Drain
from tagwire.recording.files import open_file
from tagwire.recording.reader import FileReader
from tagwire.recording.series_writer import SeriesWriter
from tagwire.recording.table import OpenFile
from tagwire.recording.writer import FileWriter
from tagwire.tagger.lifetime import Flow
from tagwire.tagger.synchronized import SynchronizedMeasurements
from tagwire.tagger.virtual import createTimeTaggerVirtual
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import Row, block_of
from tagwire.testing.tap import rows_of
from tagwire.virtual.delayed import DelayedChannel

S = 10**12


def ticks(count: int, channels: tuple[int, ...] = (1, 2)) -> TagBlock:
    """Tags on all channels every ms of a long stream."""
    time = np.repeat(np.arange(count) * 10**9, len(channels))
    return TagBlock(0, count * 10**9, time, np.tile(np.array(channels, np.int32), count))


def tags(name: Path | str) -> list[Row]:
    """Everything in a recording."""
    recording = open_file(name)
    rows = [row for block in recording.blocks() for row in rows_of(block)]
    recording.close()
    return rows


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    block = ticks(1000)
    tagger = SteppedTagger(block)
    writer = FileWriter(tagger, str(tmp_path / "x.ttbin"), [1])
    assert names(tmp_path) == ["x.ttbin"]
    tagger.play([10**10, 5 * 10**11])
    writer.stop()
    assert names(tmp_path) == ["x.1.ttbin", "x.ttbin"]
    assert tags(tmp_path / "x.ttbin") == tags(tmp_path / "x") == [r for r in rows_of(block) if r[1] == 1]
    assert writer.getTotalEvents() == 1000
    assert writer.getTotalSize() == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert writer.getMaxFileSize() == 2**30
    assert not writer.isRunning()


def test_the_header_tells_channels_and_configuration(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(10))
    rate = Countrate(tagger, [1])
    FileWriter(tagger, str(tmp_path / "x.ttbin"), [2, 1]).stop()
    with FileReader(str(tmp_path / "x.ttbin")) as reader:
        assert reader.getChannelList() == (2, 1)
        assert reader.getConfiguration()["measurements"] == [rate.getConfiguration()]
        assert not reader.hasData()
        assert reader.getData(5).size == 0


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("x", ["x.1.ttbin", "x.ttbin"]),
        ("x.ttbin", ["x.1.ttbin", "x.ttbin"]),
        ("x.5", ["x.5.1.ttbin", "x.5.ttbin"]),
        ("x.parquet", ["x.1.parquet", "x.parquet"]),
    ],
)
def test_names_of_the_files(tmp_path: Path, name: str, files: list[str]) -> None:
    tagger = SteppedTagger(ticks(10))
    with FileWriter(tagger, str(tmp_path / name), [1]):
        tagger.play()
    assert names(tmp_path) == files
    assert len(tags(tmp_path / files[1])) == 10


def test_the_ending_may_be_left_away_wherever_a_recording_is_opened(tmp_path: Path) -> None:
    name = str(tmp_path / "filewriter")
    tagger = SteppedTagger(ticks(10))
    writer = FileWriter(tagger, name, [1])
    tagger.play([])
    writer.stop()
    for path in (name, f"{name}.ttbin"):
        with createTimeTaggerVirtual(path) as player:
            rates = Countrate(player, [1])
            player.appendFile(path)
            player.replay(path)
            assert player.waitUntilFinished(timeout=10_000)
            assert rates.getCountsTotal() == [30]
    with pytest.raises(ArgumentError, match="there is no such file"):
        createTimeTaggerVirtual(f"{name}.1.ttbin.ttbin")


def test_one_line_says_that_it_is_not_the_vendors_format(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("x.ttbin", "y.parquet"):
        FileWriter(SteppedTagger(ticks(1)), str(tmp_path / name), [1]).stop()
    assert [r.getMessage() for r in caplog.records] == [
        f"{tmp_path / 'x.ttbin'} is written in Tagwire's open format (Parquet), not in the vendor's"
    ]


def test_split_goes_on_in_the_next_part(tmp_path: Path) -> None:
    block = ticks(30)
    tagger = SteppedTagger(block)
    writer = FileWriter(tagger, str(tmp_path / "x.ttbin"), [1, 2])
    for end in (10, 20, 30):
        tagger.advance(end * 10**9)
        writer.split()
    writer.split()  # nothing has come since
    assert names(tmp_path) == ["x.1.ttbin", "x.2.ttbin", "x.3.ttbin", "x.ttbin"]
    assert tags(tmp_path / "x.ttbin") == rows_of(block)
    assert tags(tmp_path / "x.2.ttbin") == rows_of(block)[20:40]
    writer.stop()


def test_split_with_a_name_begins_another_recording(tmp_path: Path) -> None:
    block = ticks(20)
    tagger = SteppedTagger(block)
    with FileWriter(tagger, str(tmp_path / "x"), [1, 2]) as writer:
        tagger.advance(10**10)
        with pytest.raises(FileUnwritable, match="nowhere"):
            writer.split(str(tmp_path / "nowhere" / "y"))
        tagger.advance(15 * 10**9)
        writer.split(new_filename=str(tmp_path / "y"))
        tagger.play()
    assert tags(tmp_path / "x") == rows_of(block)[:30]
    assert tags(tmp_path / "y") == rows_of(block)[30:]
    assert names(tmp_path) == ["x.1.ttbin", "x.2.ttbin", "x.ttbin", "y.1.ttbin", "y.ttbin"]


def test_a_part_is_completed_at_the_maximum_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    time = np.cumsum(rng.integers(0, 2**30, 2_500_000))
    block = TagBlock(0, int(time[-1]) + 1, time, np.ones(len(time), np.int32))
    tagger = SteppedTagger(block)
    with FileWriter(tagger, str(tmp_path / "x"), [1]) as writer:
        writer.setMaxFileSize(3e6)  # type: ignore[arg-type]
        assert writer.getMaxFileSize() == 3_000_000
        tagger.play(time[::100_000].tolist())
    parts = [path for path in tmp_path.iterdir() if path.name != "x.ttbin"]
    assert len(parts) == 4
    assert sum(3_000_000 <= path.stat().st_size < 4_000_000 for path in parts) == 3
    recording = open_file(tmp_path / "x")
    assert np.array_equal(np.concatenate([b.time for b in recording.blocks()]), time)
    recording.close()


def test_a_part_is_completed_when_it_is_old(tmp_path: Path) -> None:
    now = [0.0]
    writer = SeriesWriter(tmp_path / "x.parquet", [1, 2], {}, lambda: now[0])
    block = ticks(100)
    for second in range(100):
        now[0] = second
        writer.write(block.take(second * 10**9, (second + 1) * 10**9))
    assert names(tmp_path) == ["x.1.parquet", "x.2.parquet", "x.3.parquet", "x.4.parquet.open", "x.parquet"]
    found = tags(tmp_path / "x.parquet")
    assert found == rows_of(block)[: len(found)]
    assert len(found) > 180
    writer.finish()
    assert tags(tmp_path / "x.parquet") == rows_of(block)


def test_a_pause_is_an_overflow(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(30, (1,)))
    writer = FileWriter(tagger, str(tmp_path / "x"), [1])
    tagger.advance(2 * 10**9)
    writer.stop()
    tagger.advance(20 * 10**9)
    writer.startFor(2 * 10**9)
    tagger.play()
    assert writer.waitUntilFinished()
    assert tags(tmp_path / "x") == [
        (0, 1, 0, 0),
        (10**9, 1, 0, 0),
        (2 * 10**9, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (20 * 10**9 - 1, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
        (20 * 10**9, 1, 0, 0),
        (21 * 10**9, 1, 0, 0),
    ]
    assert writer.getTotalEvents() == 4
    assert names(tmp_path) == ["x.1.ttbin", "x.2.ttbin", "x.ttbin"]


def test_an_older_recording_of_the_same_name_is_not_mixed_in(tmp_path: Path) -> None:
    for count, splits in ((30, [10, 20]), (5, [])):
        tagger = SteppedTagger(ticks(count))
        with FileWriter(tagger, str(tmp_path / "x"), [1, 2]) as writer:
            for split in splits:
                tagger.advance(split * 10**9)
                writer.split()
            tagger.play()
    assert names(tmp_path) == ["x.1.ttbin", "x.2.ttbin", "x.3.ttbin", "x.ttbin"]
    assert tags(tmp_path / "x") == rows_of(ticks(5))


def test_virtual_channels_are_written(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(10, (1,)))
    delayed = DelayedChannel(tagger, 1, 500)
    with FileWriter(tagger, str(tmp_path / "x"), [delayed.getChannel()]):
        tagger.play()
    assert tags(tmp_path / "x") == [(t + 500, delayed.getChannel(), 0, 0) for t, *_ in rows_of(ticks(10, (1,)))]


def test_markers(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(30, (1,)))
    with FileWriter(tagger, str(tmp_path / "x"), [1]) as writer:
        writer.setMarker("before everything")
        tagger.advance(10 * 10**9)
        writer.setMarker("ten")
        writer.setMarker("ten again")
        tagger.advance(20 * 10**9)
        writer.setMarker("twenty")
        with pytest.raises(ArgumentError, match="65537 characters"):
            writer.setMarker("x" * 65_537)
        tagger.play()
        writer.setMarker("end, ψ")
    reader = FileReader(str(tmp_path / "x"))
    found = []
    for _ in range(6):
        size = reader.getData(6).size
        found.append((size, reader.getLastMarker()))
    assert found == [
        (6, "before everything"),
        (6, "ten again"),
        (6, "ten again"),
        (6, "twenty"),
        (6, "end, ψ"),
        (0, "end, ψ"),
    ]


@pytest.mark.parametrize("ending", ["stop", "with", "del", "wait"])
def test_every_end_of_a_capture_completes_the_file(tmp_path: Path, ending: str) -> None:
    tagger = SteppedTagger(ticks(1000))
    writer = FileWriter(tagger, str(tmp_path / "x"), [1, 2])
    writer.startFor(5 * 10**11)
    if ending == "with":
        with writer:
            tagger.play([10**11])
    else:
        tagger.play([10**11])
    if ending == "stop":
        writer.stop()
    elif ending == "wait":
        assert writer.waitUntilFinished(120_000)
    elif ending == "del":
        del writer
    assert tags(tmp_path / "x") == rows_of(ticks(500))


def test_taggers_that_are_freed_leave_whole_files(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(1000))
    flow = Flow(tagger, tagger._hub, "test")
    writer = FileWriter(tagger, str(tmp_path / "x"), [1, 2])
    tagger.play()
    flow.end()
    assert tags(tmp_path / "x") == rows_of(ticks(1000))
    assert not writer.isRunning()


def test_synchronized_with_others(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(100))
    group = SynchronizedMeasurements(tagger)
    writer = FileWriter(group.getTagger(), str(tmp_path / "x"), [1, 2])
    rate = Countrate(group.getTagger(), [1, 2])
    tagger.advance(10 * 10**9)
    group.start()
    tagger.advance(60 * 10**9)
    group.stop()
    assert tags(tmp_path / "x") == rows_of(ticks(60))[20:]
    assert rate.getCountsTotal().tolist() == [50, 50]
    assert writer.getConfiguration()["params"]["filename"] == str(tmp_path / "x")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", [1]), ArgumentError, "filename is empty"),
        ((5, [1]), ArgumentKindError, "filename must be a string"),
        (("x", []), ArgumentError, "channels is empty"),
        (("x", [7]), ArgumentError, r"channels\[0\] is 7"),
        (("nowhere/x", [1]), FileUnwritable, "No such file or directory"),
        (("\0", [1]), FileUnwritable, "null"),
    ],
)
def test_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        FileWriter(SteppedTagger(ticks(1)), *arguments)
    assert not names(tmp_path)


def test_sizes_that_make_no_sense(tmp_path: Path) -> None:
    writer = FileWriter(SteppedTagger(ticks(1)), str(tmp_path / "x"), [1])
    with pytest.raises(ArgumentError, match="max_file_size is 0"):
        writer.setMaxFileSize(0)
    with pytest.raises(ArgumentKindError, match="marker must be a string"):
        writer.setMarker(5)  # type: ignore[arg-type]
    writer.abort()


def test_a_disk_that_fails_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    def refuse(self: OpenFile, rows: object) -> None:
        raise OSError(28, "No space left on device")

    tagger = SteppedTagger(ticks(100))
    writer = FileWriter(tagger, str(tmp_path / "x"), [1, 2])
    monkeypatch.setattr(OpenFile, "write", refuse)
    tagger.play()
    with pytest.raises(StateError, match=r"x.ttbin is not complete, writing failed: .*No space left"):
        writer.stop()
    for call in (lambda: writer.setMarker("m"), writer.split, writer.waitUntilFinished):
        with pytest.raises(StateError, match="No space left"):
            call()
    assert [r.levelno for r in caplog.records if "writing failed" in r.getMessage()] == [logging.ERROR]
    assert not tags(tmp_path / "x")


class SlowSink:
    """A disk that waits to be told."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.blocks: list[TagBlock] = []

    def write(self, block: TagBlock) -> None:
        assert self.go.wait(120)
        self.blocks.append(block)

    def tick(self) -> None:
        """Nothing to do."""

    finish = close = tick


def test_what_a_slow_disk_loses_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    sink, index = SlowSink(), ChannelIndex([1, 2])
    drain = Drain(sink, "x", index, limit=100_000)
    block = ticks(200_000)
    for ms in range(0, 200_000, 500):
        drain.put(block.take(ms * 10**9, (ms + 500) * 10**9), patient=False)
    sink.go.set()
    drain.close()
    found = [row for part in sink.blocks for row in rows_of(part)]
    kept = [row for row in found if row[2] == TagType.TimeTag]
    lost = {c: sum(row[3] for row in found if row[1:3] == (c, TagType.MissedEvents)) for c in (1, 2)}
    assert 0 < len(kept) < 20_000
    assert {c: sum(row[1] == c for row in kept) + lost[c] for c in (1, 2)} == {1: 200_000, 2: 200_000}
    assert [row[2] for row in found if row[1] == CHANNEL_UNUSED] == [TagType.OverflowBegin, TagType.OverflowEnd]
    assert [(a.end, b.begin) for a, b in zip(sink.blocks, sink.blocks[1:], strict=False) if a.end != b.begin] == []
    assert f"{400_000 - len(kept)} tags were lost" in caplog.text


def test_a_stream_without_a_clock_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagwire.recording.file_iterator.BACKLOG_BYTES", 10_000)
    for number, name in enumerate(("x", "y")):
        block = ticks(100_000)
        tagger = SteppedTagger(block)
        tagger._hub.patient = not number
        with FileWriter(tagger, str(tmp_path / name), [1, 2]):
            tagger.play(range(10**9, 10**14, 10**11))
    assert tags(tmp_path / "x") == rows_of(ticks(100_000))
    lost = tags(tmp_path / "y")
    assert sum(row[3] for row in lost) + sum(row[2] == TagType.TimeTag for row in lost) == 200_000


@pytest.mark.parametrize(("before", "after"), [(False, False), (False, True), (True, False), (True, True)])
def test_a_loss_beside_an_overflow_of_the_stream_is_one_overflow(before: bool, after: bool) -> None:
    backlog = Backlog(ChannelIndex([1]), 400)
    head = [(1, CHANNEL_UNUSED, TagType.OverflowBegin, 0)] if before else [(1, 1, 0, 0)]
    lost = [(15, CHANNEL_UNUSED, TagType.OverflowEnd, 0)] if before else []
    lost += [(16, CHANNEL_UNUSED, TagType.OverflowBegin, 0), (17, 1, TagType.MissedEvents, 7)] if after else []
    for rows, begin in ((head, 0), (lost, 10), ([(22, 1, 0, 0)] * 20, 20)):
        backlog.put(block_of(rows, begin, begin + 10))
    backlog.act(lambda: None)
    items = [backlog.get(0), backlog.get(0)]
    assert isinstance(items[1], TagBlock)
    kinds = [row[2] for row in rows_of(items[1])]
    expected = [TagType.OverflowBegin] * (not before) + [TagType.MissedEvents] + [TagType.OverflowEnd] * (not after)
    assert kinds == expected
    assert backlog.lost == (27 if after else 20)


CRASH = """
import os, sys
import numpy as np
from pathlib import Path
from tagwire.core.tags import TagBlock
from tagwire.recording.writer import FileWriter
from tagwire.testing.stepped import SteppedTagger

time = np.cumsum(np.random.default_rng(1).integers(0, 10_000, 4_000_000))
block = TagBlock(0, 20 * 10**9, time, np.ones(len(time), np.int32))
tagger = SteppedTagger(block)
writer = FileWriter(tagger, sys.argv[1], [1])
for ms in range(20):
    tagger.advance((ms + 1) * 10**9)
    if ms in (3, 7, 11):
        writer.split()
writer.setMarker("now")
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_loses_the_open_part_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    command = [sys.executable, "-c", CRASH, str(tmp_path / "x")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
    assert "x.4.ttbin.open" in names(tmp_path)
    recording = open_file(tmp_path / "x")
    found = np.concatenate([block.time for block in recording.blocks()])
    recording.close()
    time = np.cumsum(np.random.default_rng(1).integers(0, 10_000, 4_000_000))
    assert np.array_equal(found, time[time < 12 * 10**9])
    assert "its open part is not read" in caplog.text
    tagger = createTimeTaggerVirtual(str(tmp_path / "x.ttbin"), begin=11 * 10**9, duration=10**8)
    rate = Countrate(tagger, [1])
    tagger.run()
    tagger.waitUntilFinished()
    within = np.count_nonzero((time >= 11 * 10**9) & (time < 11 * 10**9 + 10**8))
    assert rate.getCountsTotal().tolist() == [within]


NO_STOP = """
import sys
from tagwire import TimeTagger
tagger = TimeTagger.createTimeTagger()
tagger.setTestSignal(1, True)
writer = TimeTagger.FileWriter(tagger, sys.argv[1], [1])
tagger.sync()
tagger.sync()
"""


def test_the_end_of_a_script_completes_the_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NO_STOP, str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == ["x.1.ttbin", "x.ttbin"]
    assert tags(tmp_path / "x")


def test_nothing_more_can_be_written_after_the_end(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(10))
    with FileWriter(tagger, str(tmp_path / "x"), [1]) as writer:
        tagger.play()
    for call in (writer.split, lambda: writer.setMarker("late")):
        with pytest.raises(StateError, match="was closed"):
            call()
    assert len(tags(tmp_path / "x")) == 10


def test_a_capture_of_zero_length_completes_what_was_before(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(10))
    writer = FileWriter(tagger, str(tmp_path / "x"), [1])
    tagger.play()
    writer.startFor(0)
    assert writer.waitUntilFinished()
    assert len(tags(tmp_path / "x")) == 10


def test_a_marker_behind_a_virtual_channel_that_holds_tags_back(tmp_path: Path) -> None:
    tagger = SteppedTagger(ticks(30, (1,)))
    delayed = DelayedChannel(tagger, 1, -5 * 10**9)
    with FileWriter(tagger, str(tmp_path / "x"), [1, delayed.getChannel()]) as writer:
        tagger.advance(10**9)
        writer.setMarker("early")
        tagger.advance(20 * 10**9)
        writer.setMarker("later")
        tagger.play()
    with FileReader(str(tmp_path / "x")) as reader:
        first, marker = reader.getData(1), reader.getLastMarker()
        assert (first.size, marker) == (1, "early")
        reader.getData(100)
        assert reader.getLastMarker() == "later"
    found = [row[0] for row in tags(tmp_path / "x")]
    assert found == sorted(found)


def test_pyarrow_is_imported_only_for_files() -> None:
    script = "import sys, tagwire, tagwire.TimeTagger\nassert not [m for m in sys.modules if m.startswith('pyarrow')]"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
