"""Speed and size of recordings, on one core, beside Arrow IPC with lz4.

    python -m benchmarks recording [--tags 10000000] [--block 100000] [--rounds 7] [--folder DIR]

Poisson light of 10 Mcps on each of four channels. The process is bound to one core where the system allows it, so the
thread of FileWriter that writes counts as well. Medians of interleaved rounds; "CPU" is Mtag per second of processor
time, which is what counts where other programs use the same core.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import pyarrow as pa
from streams import bind_to_one_core, cut, poisson

from tagwire.core.tags import TagBlock
from tagwire.frames.codec import decode, encode
from tagwire.recording.files import open_recording
from tagwire.recording.series import SeriesRecording
from tagwire.recording.writer import FileWriter
from tagwire.testing.stepped import SteppedTagger

CHANNELS = [1, 2, 3, 4]


def record(block: TagBlock, parts: list[TagBlock], name: Path) -> None:
    """What a user's FileWriter does with a stream."""
    writer = FileWriter(SteppedTagger(block, CHANNELS), str(name), CHANNELS)
    for part in parts:
        writer._feed(part)
    writer.stop()
    if writer.getTotalEvents() != len(block):
        raise RuntimeError(f"{len(block) - writer.getTotalEvents()} tags were lost")


def read(name: Path) -> int:
    """Every tag of a recording."""
    recording = SeriesRecording(name)
    count = sum(len(block) for block in recording.blocks())
    recording.close()
    return count


def read_part(name: Path, begin: int, duration: int) -> int:
    """The tags of a span."""
    source = open_recording(name, begin, duration)
    count = 0
    while (block := source.read(10**12, CHANNELS)) is not None:
        count += len(block)
    source.close()
    return count


def arrow_write(parts: list[TagBlock], name: Path) -> None:
    """The columns as Arrow IPC with lz4."""
    schema = pa.schema([("time", pa.int64()), ("channel", pa.int32())])
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.OSFile(str(name), "wb") as file, pa.ipc.new_file(file, schema, options=options) as writer:
        for part in parts:
            writer.write_batch(pa.record_batch([pa.array(part.time), pa.array(part.channel)], schema))


def arrow_read(name: Path) -> int:
    """Every column of it."""
    with pa.memory_map(str(name)) as file:
        reader = pa.ipc.open_file(file)
        return sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """How long it takes, and how much of it the processor works for it."""
    begin, worked = perf_counter(), process_time()
    action()
    return perf_counter() - begin, process_time() - worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=10_000_000, help="tags in the stream")
    parser.add_argument("--block", type=int, default=100_000, help="tags in a block")
    parser.add_argument("--rounds", type=int, default=7, help="rounds, of which the median counts")
    parser.add_argument("--folder", help="where to write; a temporary folder by default")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    bind_to_one_core()
    pa.set_cpu_count(1)
    block = poisson(options.tags, dict.fromkeys(CHANNELS, 1e7))
    parts = cut(block, options.block)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        name, arrow = Path(folder) / "x.ttbin", Path(folder) / "x.arrow"
        frames = [encode(part) for part in parts]
        span = block.end - block.begin
        cases: dict[str, Callable[[], object]] = {
            "frames, encode": lambda: deque(map(encode, parts), 0),
            "frames, decode": lambda: deque(map(decode, frames), 0),
            "FileWriter": lambda: record(block, parts, name),
            "read all of it": lambda: read(name),
            "read 1 % of it": lambda: read_part(name, span // 2, span // 100),
            "Arrow IPC lz4, write": lambda: arrow_write(parts, arrow),
            "Arrow IPC lz4, read": lambda: arrow_read(arrow),
        }
        times: dict[str, list[tuple[float, float]]] = {case: [] for case in cases}
        for _ in range(options.rounds + 1):
            for case, action in cases.items():
                times[case].append(seconds(action))
        sizes = {"frames, encode": sum(map(len, frames)), "Arrow IPC lz4, write": arrow.stat().st_size}
        sizes["FileWriter"] = sum(path.stat().st_size for path in name.parent.glob("*.ttbin"))
    print(f"{'':24} {'Mtag/s':>8} {'CPU':>8} {'ms':>8} {'B/tag':>7}")
    for case, taken in times.items():
        middle, work = (median(column) for column in zip(*taken[1:], strict=True))
        size = f"{sizes[case] / len(block):7.2f}" if case in sizes else ""
        speeds = ["" if "1 %" in case else f"{len(block) / t / 1e6:.0f}" for t in (middle, work)]
        print(f"{case:24} {speeds[0]:>8} {speeds[1]:>8} {middle * 1e3:8.1f} {size}")


if __name__ == "__main__":
    main()
