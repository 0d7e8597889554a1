"""The packed stream, against the test vectors of its specification and an independent reader."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from slow_frames import read_frame
from tagwire.core.tags import TagType, join
from tagwire.frames.codec import decode, encode
from tagwire.network.assembly import Assembler
from tagwire.network.frame import frames_of, heads
from tagwire.testing.rows import block_of, rows_of

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "stream_vectors.json").read_text())
FIELDS = ("epoch", "feed", "first", "number", "begin", "end")


def read_heads(data: bytes) -> list[dict[str, Any]]:
    """The heads of a batch, in plain Python, written from the specification."""
    found = []
    while data:
        numbers = [int.from_bytes(data[i : i + 8], "little", signed=i not in (0, 8, 48)) for i in range(0, 56, 8)]
        end = 56 + 8 * numbers[6]
        counts = [int.from_bytes(data[i : i + 8], "little", signed=True) for i in range(56, end, 8)]
        assert len(data) >= end
        found.append(dict(zip(FIELDS, numbers[:6], strict=True)) | {"counts": counts})
        data = data[end:]
    return found


def test_vectors_by_an_independent_reader() -> None:
    found = []
    for batch in VECTORS["batches"]:
        frames = [bytes.fromhex(frame) for frame in batch["frames"]]
        for head, frame in zip(read_heads(bytes.fromhex(batch["heads"])), frames, strict=True):
            begin, end, rows = read_frame(frame)
            assert (begin, end) == (head["begin"], head["end"])
            found.append(head | {"rows": [list(row) for row in rows]})
    assert found == VECTORS["frames"]


def test_the_rules_of_the_specification_hold_in_the_vectors() -> None:
    for one, other in pairwise(VECTORS["frames"]):
        if one["feed"] != other["feed"]:
            continue
        assert other["first"] == one["number"] + 1
        assert other["begin"] == one["end"]
        for place, channel in enumerate(VECTORS["channels"]):
            mine = [row for row in other["rows"] if row[1] == channel]
            events = sum(row[3] if row[2] == TagType.MissedEvents else 1 for row in mine)
            assert other["counts"][place] - one["counts"][place] == events


def test_we_write_and_read_the_vectors() -> None:
    assembler = Assembler(tuple(VECTORS["channels"]))
    expected = iter(VECTORS["frames"])
    blocks = []
    for batch in VECTORS["batches"]:
        data = [bytes.fromhex(frame) for frame in batch["frames"]]
        frames = frames_of(bytes.fromhex(batch["heads"]), data)
        assert heads(frames[0][0], [frame for _, frame in frames]).hex() == batch["heads"]
        for epoch, frame in frames:
            told = next(expected)
            assert rows_of(decode(frame.data)) == [tuple(row) for row in told["rows"]]
            assert encode(block_of([tuple(row) for row in told["rows"]], told["begin"], told["end"])) == frame.data
            blocks.append(assembler.add(frame, epoch))
    assert next(expected, None) is None
    assert assembler.breaks == 1
    assert assembler.received.tolist() == [3, 4]
    assert assembler.missed.tolist() == [6, 70_005]
    assert len(join(blocks)) == sum(len(frame["rows"]) for frame in VECTORS["frames"]) + 3


def test_the_vector_in_the_text_of_the_specification() -> None:
    text = (Path(__file__).parents[2] / "docs" / "stream-format.md").read_text()
    section = text.partition("<!-- vectors -->")[2].partition("<!-- end of vectors -->")[0]
    shown = "".join(line.split()[0] for line in section.splitlines() if line[:1].isalnum())
    assert shown == VECTORS["batches"][1]["heads"]
