"""Packed frames: test vectors of the specification, refusals, size, and what a forger may try."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slow_frames import read_frame
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.errors import ArgumentError, DamagedFrame
from tagwire.frames import codec
from tagwire.frames.checksum import xxh64
from tagwire.frames.codec import decode, encode

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "frame_vectors.json").read_text())


def block_of(vector: dict[str, Any]) -> TagBlock:
    columns = np.array(vector["time"], np.int64), np.array(vector["channel"], np.int32)
    if not any(vector["type"]):
        return TagBlock(vector["begin"], vector["end"], *columns)
    special = np.array(vector["type"], np.uint8), np.array(vector["missed"], np.uint16)
    return TagBlock(vector["begin"], vector["end"], *columns, *special)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vectors_of_the_specification(vector: dict[str, Any]) -> None:
    assert encode(block_of(vector)).hex() == vector["frame"]
    found = decode(bytes.fromhex(vector["frame"]))
    assert (found.begin, found.end) == (vector["begin"], vector["end"])
    columns = found.time, found.channel, found.types, found.missed_events
    assert [c.tolist() for c in columns] == [vector[k] for k in ("time", "channel", "type", "missed")]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vectors_by_an_independent_reader(vector: dict[str, Any]) -> None:
    begin, end, rows = read_frame(bytes.fromhex(vector["frame"]))
    assert (begin, end) == (vector["begin"], vector["end"])
    assert rows == list(zip(*(vector[k] for k in ("time", "channel", "type", "missed")), strict=True))


def test_vectors_in_the_text_of_the_specification() -> None:
    text = (Path(__file__).parents[2] / "docs" / "recording-format.md").read_text()
    section = text.partition("<!-- vectors -->")[2].partition("<!-- end of vectors -->")[0]
    shown = re.findall(r"`([^`\n]+)`: .*\n\n```text\n([^`]+)```", section)
    found = {name: "".join(line.split()[0] for line in lines.splitlines()) for name, lines in shown}
    assert len(found) == 2
    assert found == {v["name"]: v["frame"] for v in VECTORS if v["name"] in found}


@pytest.mark.parametrize(
    ("length", "checksum"),
    # Of the bytes 0, 1, 2, ... by the reference implementation.
    [(8, 0x884A173614B81B8D), (24, 0xDD14A0292632BE9B), (32, 0xCBF59C5116FF32B4), (72, 0xFB0B1F050CB8F00D)],
)
def test_checksum_is_xxh64(length: int, checksum: int) -> None:
    words = np.arange(length, dtype=np.uint8).view(np.uint64)
    assert int(xxh64(words, len(words))) == checksum


def test_poisson_light_takes_little() -> None:
    rng = np.random.default_rng(2)
    time = np.cumsum(rng.exponential(25_000, 65_536)).astype(np.int64)
    block = TagBlock(0, int(time[-1]) + 1, time, rng.integers(1, 5, len(time), np.int32))
    assert len(encode(block)) / len(block) < 2.5


def test_a_laser_takes_less() -> None:
    rng = np.random.default_rng(2)
    time = np.arange(65_536) * 12_500 + rng.integers(-20, 20, 65_536)
    block = TagBlock(-20, int(time[-1]) + 1, time, np.ones(len(time), np.int32))
    assert len(encode(block)) / len(block) < 1


def test_a_laser_with_clicks_takes_little_more() -> None:
    rng = np.random.default_rng(2)
    pulses = np.arange(65_536) * 12_500 + rng.normal(0, 10, 65_536).astype(np.int64)
    clicks = rng.integers(0, 65_536 * 12_500, 819)
    time, channel = np.concatenate([pulses, clicks]), np.repeat(np.array([2, 1], np.int32), [len(pulses), len(clicks)])
    order = np.argsort(time, kind="stable")
    block = TagBlock(-100, 65_537 * 12_500, time[order], channel[order])
    frame = encode(block)
    assert len(frame) / len(block) < 1.1
    found = decode(frame)
    assert np.array_equal(found.time, block.time)
    assert np.array_equal(found.channel, block.channel)


@pytest.mark.parametrize(
    "block",
    [
        TagBlock(0, 10, np.array([5, 4]), np.array([1, 1], np.int32)),
        TagBlock(5, 10, np.array([4, 6]), np.array([1, 1], np.int32)),
        TagBlock(0, 6, np.array([4, 6]), np.array([1, 1], np.int32)),
    ],
)
def test_blocks_that_are_none(block: TagBlock) -> None:
    with pytest.raises(ArgumentError, match=f"outside of their span .{block.begin}, {block.end}"):
        encode(block)


def test_too_many_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MOST_TAGS", 2)
    with pytest.raises(ArgumentError, match="at most 2 tags, not 3"):
        encode(TagBlock(0, 6, np.array([1, 2, 3]), np.ones(3, np.int32)))


def signed(frame: bytearray) -> bytes:
    """The frame with the checksum that fits."""
    words = np.frombuffer(bytes(frame), np.uint64).copy()
    words[-1] = xxh64(words, len(words) - 1)
    return words.tobytes()


def an_overflow() -> bytearray:
    kinds, missed = np.array([0, 2, 4, 3, 0], np.uint8), np.array([0, 0, 9, 0, 0], np.uint16)
    channel = np.array([1, CHANNEL_UNUSED, 2, CHANNEL_UNUSED, 1], np.int32)
    return bytearray(encode(TagBlock(0, 50, np.array([1, 10, 10, 20, 30]), channel, kinds, missed)))


@pytest.mark.parametrize(
    ("place", "form", "value"),
    [
        (0, "4s", b"TWF2"),
        (4, "<I", 2**32 - 1),
        (4, "<I", 2**24 + 1),
        (4, "<I", 2**24),
        (4, "<I", 261),
        (4, "<I", 0),
        (8, "<q", 2),
        (8, "<q", 2**63 - 1),
        (16, "<Q", 2**64 - 1),
        (16, "<Q", 30),
        (24, "<I", 0),
        (24, "<I", 2),
        (24, "<I", 2**32 - 1),
        (28, "<I", 2),
        (28, "<I", 4),
        (28, "<I", 2**32 - 1),
        (32, "<I", 0),
        (32, "<I", 2),
        (32, "<I", 3),
        (32, "<I", 2**32 - 1),
        (36, "<I", 1),
        (44, "<i", 2),  # the second channel, then not below the third
        (56, "<I", 5),  # place of the first special tag
        (60, "B", 5),  # its type
        (68, "B", 255),
        (64, "<I", 1),  # place of the second one, which is that of the first
        (80, "<q", -1),  # time of the first tag
        (80, "<q", 50),
        (80, "<q", 30),
        (88, "<I", 4),  # tags of the series
        (88, "<I", 0),
        (96, "B", 65),  # width of the first group
        (96, "B", 0),
        (96, "B", 64),
        (112, "<Q", 2**64 - 1),  # codes beyond the dictionary
    ],
)
def test_forged_frames_are_refused(place: int, form: str, value: Any) -> None:
    frame = an_overflow()
    struct.pack_into(form, frame, place, value)
    with pytest.raises(DamagedFrame):
        decode(signed(frame))


def test_a_tag_of_no_type_is_refused() -> None:
    block = TagBlock(0, 10, np.array([1]), np.array([1], np.int32), np.array([5], np.uint8), np.zeros(1, np.uint16))
    with pytest.raises(ArgumentError, match="type 5, but must have one within"):
        encode(block)
    frame = an_overflow()
    struct.pack_into("B", frame, 60, 200)
    with pytest.raises(DamagedFrame, match="type 200, but there are only 0 to 4"):
        decode(signed(frame))


def laser_and_clicks(tie: bool = False) -> TagBlock:
    """Clicks on channel 1 between pulses on channel 2; with a tie, one comes behind a pulse at the same time."""
    time = np.sort(np.concatenate([np.arange(290) * 12_500, np.arange(10) * 300_000 + 77]))
    channel = np.where(time % 12_500 == 0, 2, 1).astype(np.int32)
    if tie:
        time[1] = 0
    return TagBlock(0, 290 * 12_500, time, channel)


FORGED_SERIES = [
    (48, "<q", 3_000_000),  # first times of both series
    (56, "<q", 2**40),
    (64, "<II", (300, 0)),  # tags of both series
    (64, "<II", (2**32 - 1, 301)),
    (36, "<I", 2),  # how they are put together
    (36, "<I", None),
]


@pytest.mark.parametrize(
    ("tie", "place", "form", "value"),
    [
        *[(tie, *forged) for forged in FORGED_SERIES for tie in (False, True)],
        # Series that are merged by their times cannot tell that they were another's.
        (True, 56, "<q", 12_500),
        (True, 64, "<II", (11, 289)),
    ],
)
def test_forged_series_are_refused(tie: bool, place: int, form: str, value: Any) -> None:
    frame = bytearray(encode(laser_and_clicks(tie)))
    series, merged = struct.unpack_from("<II", frame, 32)
    assert (series, merged) == (2, not tie)
    if value is None:
        value = 1 - merged
    struct.pack_into(form, frame, place, *(value if isinstance(value, tuple) else (value,)))
    with pytest.raises(DamagedFrame):
        decode(signed(frame))


def test_times_that_wrap_are_refused() -> None:
    time = np.array([0, 1, 2, 3]) + (2**63 - 2**32)
    frame = bytearray(encode(TagBlock(0, 2**63 - 1, time, np.ones(4, np.int32))))
    place = 40 + 8 + 8 + 8 + 8  # behind header, dictionary, first time, count and width: the base of the only group
    struct.pack_into("<I", frame, place, 2**32 - 1)
    with pytest.raises(DamagedFrame, match="out of order or outside"):
        decode(signed(frame))


def test_a_first_number_that_leads_behind_the_first_time_is_refused() -> None:
    frame = bytearray(encode(TagBlock(5000, 6000, np.array([5000, 5900, 5901]), np.ones(3, np.int32))))
    place = 40 + 8 + 8 + 8  # behind header, dictionary, first time and count: width, base, and then the numbers
    numbers = [2**64 - 1000, 900, 200, 0]
    wide = frame[:place] + bytes([64]) + bytes(15) + struct.pack("<4Q", *numbers) + bytes(8)
    with pytest.raises(DamagedFrame, match="out of order or outside"):
        decode(signed(wide))


def test_a_step_back_between_two_groups_is_refused() -> None:
    time = np.concatenate([np.full(256, 1000), [2**60, 2**60 + 1]])
    frame = bytearray(encode(TagBlock(0, 2**62, time, np.ones(258, np.int32))))
    place = 40 + 8 + 8 + 8  # behind header, dictionary, first time and count: the widths of both groups
    assert frame[place : place + 2] == bytes([0, 60])
    base = struct.unpack_from("<I", frame, place + 12)[0]
    frame[place + 1] = 64
    struct.pack_into("<QQ", frame, place + 16, 2**64 - 500 - base, (600 - base) % 2**64)
    with pytest.raises(DamagedFrame, match="out of order"):
        decode(signed(frame))


@pytest.mark.parametrize("frame", [b"", b"TWF1", bytes(40), bytes(48), bytes(49), b"TWF1" + bytes(44)])
def test_what_is_no_frame(frame: bytes) -> None:
    with pytest.raises(DamagedFrame):
        decode(frame)
