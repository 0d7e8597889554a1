"""Packed frames: every block comes back exactly, and no bytes do harm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slow_frames import read_frame
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock
from tagwire.errors import DamagedFrame
from tagwire.frames.codec import decode, encode
from tagwire.frames.packing import GROUP, pack, size_of, unpack
from tagwire.testing.rows import block_of, rows_of
from tagwire.testing.strategies import tag_blocks


def same(a: TagBlock, b: TagBlock) -> bool:
    """Whether two blocks are equal, with types written out."""
    columns = (a.time, b.time), (a.channel, b.channel), (a.types, b.types), (a.missed_events, b.missed_events)
    equal = all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in columns)
    return equal and (a.begin, a.end, len(a.type), len(a.missed)) == (b.begin, b.end, len(b.type), len(b.missed))


def read_only(words: np.ndarray) -> np.ndarray:
    """As frames are read."""
    copy = words.copy()
    copy.flags.writeable = False
    return copy


@given(block=tag_blocks(channels=(1, 2, 3, -1, 2**31 - 1, -(2**31))))
def test_every_block_comes_back(block: TagBlock) -> None:
    frame = encode(block)
    assert len(frame) % 8 == 0
    assert same(decode(frame), block)
    assert same(decode(memoryview(b"x" + frame)[1:]), block)
    assert read_frame(frame) == (block.begin, block.end, rows_of(block))


@given(
    channels=st.integers(2, 20),
    pulses=st.integers(0, 500),
    clicks=st.integers(0, 300),
    grid=st.sampled_from([1, 500, 2000]),
    overflow=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_periodic_channels_and_clicks(
    channels: int, pulses: int, clicks: int, grid: int, overflow: bool, seed: int
) -> None:
    """Where the times of each channel may be packed by themselves, with equal times on several channels."""
    rng = np.random.default_rng(seed)
    rows = [(int(t) * grid, int(c), 0, 0) for t, c in rng.integers(0, (10**6 // grid, channels), (clicks, 2))]
    rows += [(pulse * 2000, 0, 0, 0) for pulse in range(pulses)]
    if overflow:
        rows += [(5000, CHANNEL_UNUSED, 2, 0), (7000, 1, 4, 9), (9000, CHANNEL_UNUSED, 3, 0)]
    block = block_of(sorted(rows, key=lambda row: row[0]), 0, 10**6 + 1)
    frame = encode(block)
    assert same(decode(frame), block)
    assert read_frame(frame) == (block.begin, block.end, rows_of(block))


@given(
    times=st.lists(st.integers(TIME_MIN, TIME_MAX - 1), min_size=1, max_size=600).map(sorted),
    ends=st.tuples(st.booleans(), st.booleans()),
)
def test_the_whole_range_of_times(times: list[int], ends: tuple[bool, bool]) -> None:
    begin = TIME_MIN if ends[0] else times[0]
    end = TIME_MAX if ends[1] else times[-1] + 1
    block = TagBlock(begin, end, np.array(times), np.ones(len(times), np.int32))
    assert same(decode(encode(block)), block)


@settings(max_examples=30)
@given(
    size=st.sampled_from([0, 1, 3, 4, 5, 255, 256, 257, 511, 512, 513, 2000]),
    spread=st.integers(0, 50),
    base=st.sampled_from([0, 1, 12_500, 2**32 - 1, 2**32, 2**40]),
    channels=st.sampled_from([1, 2, 3, 4, 5, 700]),
    seed=st.integers(0, 2**32),
)
def test_sizes_widths_and_channels(size: int, spread: int, base: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    time = np.cumsum(base + rng.integers(0, 2**spread, size)).astype(np.int64)
    channel = rng.integers(-channels, channels, size).astype(np.int32)
    block = TagBlock(0, int(time[-1]) + 1 if size else 0, time, channel)
    assert same(decode(encode(block)), block)


@given(
    width=st.integers(0, 64),
    count=st.integers(1, GROUP),
    place=st.integers(0, 9),
    seed=st.integers(0, 2**32),
)
def test_a_group_takes_its_own_bits_only(width: int, count: int, place: int, seed: int) -> None:
    """Against the definition: row r of lane l stands in bits [r * width, (r + 1) * width) of the lane."""
    values = np.zeros(GROUP, np.uint64)
    values[:count] = np.random.default_rng(seed).integers(0, 2**64, count, np.uint64) & np.uint64(2**width - 1)
    size = size_of(count, width)
    words = np.full(place + size + 8, 77, np.uint64)
    pack(values, count, width, words, place)
    assert set(words[:place].tolist()) | set(words[place + size :].tolist()) == {77}
    for lane in range(4):
        bits = sum(int(word) << 64 * i for i, word in enumerate(words[place + lane : place + size : 4]))
        expected = sum(int(value) << width * row for row, value in enumerate(values[lane::4]))
        assert bits == expected
    found = np.empty(GROUP, np.uint64)
    unpack(read_only(words[: place + size]), place, count, width, found)
    assert np.array_equal(found[:count], values[:count])


@given(block=tag_blocks(), data=st.data())
def test_a_frame_cut_or_changed_is_refused(block: TagBlock, data: st.DataObject) -> None:
    frame = bytearray(encode(block))
    if data.draw(st.booleans()):
        frame = frame[: data.draw(st.integers(0, len(frame) - 1))]
    else:
        frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedFrame):
        decode(frame)
