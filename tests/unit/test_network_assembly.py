"""What a client refuses to add to its stream."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tagwire.core.tags import TIME_MAX, TagBlock, shift
from tagwire.errors import AccountsDiffer, DamagedFrame
from tagwire.frames.codec import encode
from tagwire.network.assembly import Assembler
from tagwire.network.frame import Frame
from tagwire.network.ring import Ring

TEN = TagBlock(0, 1000, np.arange(10), np.ones(10, np.int32))


def frames() -> list[Frame]:
    feed = Ring((1, 2))
    cursor = feed.cursor()
    for number in range(3):
        feed.append(shift(TEN, number * 1000))
    return cursor.take(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": np.array([21, 0])}, r"frame 1 has \[10, 0\] events on the channels \[1, 2\], but \[11, 0\] were"),
        ({"counts": np.array([20])}, "counts the events of 1 channels, but there are 2"),
        ({"first": 2}, "frame 2 from 1000 ps on comes behind frame 0, which ended at 1000 ps"),
        ({"begin": 999}, r"frame 1 of \[999, 2000\) ps holds \[1000, 2000\)"),
        ({"feed": 1, "counts": np.array([9, 0])}, r"begins with 1 and \[-1, 0\] events before it"),
        ({"feed": 1, "number": -1}, "frame -1 begins with 1"),
    ],
)
def test_frames_that_do_not_follow(change: dict[str, object], message: str) -> None:
    first, second, third = frames()
    assembler = Assembler((1, 2))
    assembler.add(first, 1)
    with pytest.raises(AccountsDiffer, match=message):
        assembler.add(replace(second, **change), 1)
    assert assembler.resume().number == 1
    assert assembler.add(second, 1).end == 2000
    assert assembler.add(third, 1).end == 3000
    assert assembler.sent.tolist() == [30, 0]


def test_a_frame_left_out_or_sent_twice() -> None:
    first, second, third = frames()
    assembler = Assembler((1, 2))
    assembler.add(first, 1)
    with pytest.raises(AccountsDiffer, match="frame 2 "):
        assembler.add(third, 1)
    assembler.add(second, 1)
    with pytest.raises(AccountsDiffer, match="frame 1 "):
        assembler.add(second, 1)
    assert assembler.received.tolist() == [20, 0]


def test_damaged_data() -> None:
    first, second, _ = frames()
    assembler = Assembler((1, 2))
    assembler.add(first, 1)
    with pytest.raises(DamagedFrame):
        assembler.add(replace(second, data=bytes(second.data)[:-8]), 1)
    assert assembler.add(second, 1).begin == 1000


def test_behind_the_end_of_time() -> None:
    late = TagBlock.empty(TIME_MAX - 10, TIME_MAX)
    assembler = Assembler((1, 2))
    assembler.add(frames()[0], 1)
    begin, end, data = late.begin, late.end, encode(late)
    assembler.add(Frame(7, 0, 0, begin, end, np.zeros(2, np.int64), data), 1)
    with pytest.raises(AccountsDiffer, match="end of time"):
        assembler.add(Frame(8, 0, 0, 0, 1000, np.array([10, 0]), encode(TEN)), 2)


def test_a_successor_shifts_alike() -> None:
    assembler = Assembler((1, 2))
    assembler.add(frames()[0], 1)
    assembler.add(frames()[0], 2, pause=5000)
    assert (assembler.offset, assembler.end, assembler.breaks) == (6000, 7000, 1)
    other = assembler.successor((1,))
    assert other.add(frames_of_one()[0], 2).begin == 6000
    assert other.breaks == 0


def frames_of_one() -> list[Frame]:
    feed = Ring((1,))
    cursor = feed.cursor()
    feed.append(TEN)
    return cursor.take(0)
