"""Rings and cursors: what waits for whom, what ends when, and how little memory it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tagwire.core.tags import TagBlock, TagType, join
from tagwire.errors import ArgumentError, EndOfFeed, ProtocolError
from tagwire.frames.codec import decode
from tagwire.network import gaps, ring
from tagwire.network.assembly import Assembler
from tagwire.network.frame import Frame, Resume, frames_of, heads
from tagwire.network.ring import Cursor, Ring

LONG = 120.0
"""Seconds after which a test that waits has failed."""


def block(number: int, tags: int = 10) -> TagBlock:
    return TagBlock(
        number * 1000, (number + 1) * 1000, np.arange(number * 1000, number * 1000 + tags), np.ones(tags, np.int32)
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


def read_all(cursor: Cursor, assembler: Assembler, paused: Callable[[], None] = lambda: None) -> list[TagBlock]:
    """What a client gets until the feed ends."""
    blocks: list[TagBlock] = []
    while True:
        try:
            frames = cursor.take(LONG)
        except EndOfFeed:
            return blocks
        assert frames, "nothing came"
        blocks += [assembler.add(frame, 1) for frame in frames]
        paused()


def test_a_cursor_begins_with_the_next_frame_and_ends_after_the_last() -> None:
    feed = Ring((1,))
    feed.append(block(0))
    cursor = feed.cursor()
    assert cursor.take(0) == []
    feed.append(block(1))
    feed.append(block(2))
    assert cursor.lag == 2
    feed.close("the lab burnt down")
    assert [frame.number for frame in cursor.take(0)] == [1, 2]
    assert cursor.lag == 0
    with pytest.raises(EndOfFeed, match="burnt"):
        cursor.take(0)
    with pytest.raises(EndOfFeed, match="burnt"):
        feed.cursor()
    feed.append(block(3))
    assert feed.end == 3000


def test_a_cursor_that_was_closed_ends() -> None:
    feed = Ring((1,))
    cursor = feed.cursor()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cursor.take, LONG)
        cursor.close()
        with pytest.raises(EndOfFeed, match="ended"):
            waiting.result(LONG)
    assert feed.cursors() == []
    cursor.close()


def test_frames_are_taken_about_a_megabyte_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "TAKE_BYTES", 1000)
    feed = Ring((1,))
    cursor = feed.cursor()
    for number in range(50):
        feed.append(block(number))
    taken = []
    while frames := cursor.take(0):
        assert sum(len(frame.data) for frame in frames) <= 1000
        taken.append(len(frames))
    assert sum(taken) == 50
    assert max(taken) > 1


def test_large_blocks_become_several_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "FRAME_TAGS", 100)
    feed = Ring((1,))
    cursor = feed.cursor()
    feed.append(block(0, 950))
    frames = cursor.take(0)
    assert len(frames) == 10
    assert np.array_equal(join([decode(frame.data) for frame in frames]).time, np.arange(950))


def test_blocks_must_follow_each_other() -> None:
    feed = Ring((1,))
    feed.append(block(5))
    with pytest.raises(ArgumentError, match="feed is at 6000 ps, but the block begins at 7000 ps"):
        feed.append(block(7))
    assert feed.end == 6000


def test_a_synchronous_ring_waits_for_every_cursor() -> None:
    feed = Ring((1,), capacity=1, synchronous=True)
    cursors = [feed.cursor() for _ in range(3)]
    most: list[int] = []

    def play() -> None:
        for number in range(200):
            feed.append(block(number))
            most.append(max((cursor.lag for cursor in feed.cursors()), default=0))
        feed.close()

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_all, cursor, Assembler((1,))) for cursor in cursors]
        pool.submit(play).result(LONG)
        got = [len(join(reader.result(LONG))) for reader in readers]
    assert got == [2000] * 3
    assert set(most) == {0}


def test_a_dead_client_lets_a_synchronous_ring_go_on_when_it_is_detached() -> None:
    feed = Ring((1,), synchronous=True)
    dead = feed.cursor()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.append, block(0))
        until(lambda: dead.lag == 1)
        assert not waiting.done()
        dead.close()
        waiting.result(LONG)


def test_closing_ends_the_wait_of_a_synchronous_ring() -> None:
    feed = Ring((1,), synchronous=True)
    cursor = feed.cursor()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.append, block(0))
        until(lambda: cursor.lag == 1)
        feed.close()
        waiting.result(LONG)
    assert len(cursor.take(0)) == 1


def test_a_patient_stream_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "PATIENCE", LONG)
    feed = Ring((1,), capacity=20_000)
    slow = feed.cursor()
    assembler = Assembler((1,))

    def play() -> None:
        for number in range(300):
            feed.append(block(number), patient=True)
        feed.close()

    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(play)
        assert len(join(read_all(slow, assembler))) == 3000
        playing.result(LONG)
    assert assembler.missed.tolist() == slow.missed.tolist() == [0]


def test_a_patient_stream_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "PATIENCE", 0.0)
    feed = Ring((1,), capacity=5000)
    stopped = feed.cursor()
    for number in range(100):
        feed.append(block(number), patient=True)
    assembler = Assembler((1,))
    feed.close()
    read_all(stopped, assembler)
    assert (assembler.received + assembler.missed).tolist() == [1000]
    assert assembler.missed[0] > 0


def test_many_threads_lose_nothing_unseen() -> None:
    """Readers that stall at random behind a ring that is far too small."""
    feed = Ring((1,), capacity=6000)
    cursors = [feed.cursor() for _ in range(4)]
    assemblers = [Assembler((1,)) for _ in cursors]
    rngs = [np.random.default_rng(seed) for seed in range(4)]

    def reader(which: int) -> int:
        pause = threading.Event()
        blocks = read_all(
            cursors[which], assemblers[which], lambda: pause.wait(rngs[which].choice([0, 0.003])) and None
        )
        return sum(np.count_nonzero(b.types == TagType.TimeTag) for b in blocks)

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(reader, which) for which in range(4)]
        for number in range(1000):
            feed.append(block(number))
        feed.close()
        received = [r.result(LONG) for r in readers]
    for assembler, count, cursor in zip(assemblers, received, cursors, strict=True):
        assert assembler.received.tolist() == [count]
        assert (assembler.received + assembler.missed).tolist() == [10_000]
        assert cursor.missed.tolist() == assembler.missed.tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"number": 4},
        {"number": -1},
        {"counts": (1, 2)},
        {"number": 0, "counts": (-1,)},
        {"number": 0, "counts": (31,)},
        {"number": 0, "end": 2001},
    ],
)
def test_a_place_where_the_feed_never_was(change: dict[str, object]) -> None:
    feed = Ring((1,), capacity=1)
    for number in range(3):
        feed.append(block(number))
    place = {"feed": feed.id, "number": 2, "end": 2000, "counts": (20,), "within": False}
    assert feed.cursor(Resume(**place)).lag == 1
    with pytest.raises(ArgumentError, match="feed"):
        feed.cursor(Resume(**(place | change)))


def test_a_gap_that_one_frame_cannot_tell_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MOST_EVENTS", 100_000)
    feed = Ring((2, 1), capacity=1)
    cursor = feed.cursor()
    kinds = np.array([TagType.MissedEvents] * 10, np.uint8)
    channel, missed = np.array([1, 2] * 5, np.int32), np.full(10, 50_000, np.uint16)
    for number in range(3):
        begin = number * 1000
        feed.append(TagBlock(begin, begin + 1000, np.full(10, begin), channel, kinds, missed))
    assembler = Assembler((2, 1))
    frames: list[Frame] = []
    blocks: list[TagBlock] = []
    while taken := cursor.take(0):
        frames += taken
        blocks += [assembler.add(frame, 7) for frame in taken]
        # It may break off after any piece.
        cursor.close()
        cursor = feed.cursor(assembler.resume())
    assert len(frames) > 5
    assert assembler.missed.tolist() == [750_000, 750_000]
    whole = join(blocks)
    assert np.count_nonzero(whole.type == TagType.OverflowBegin) == 1
    assert np.count_nonzero(whole.type == TagType.OverflowEnd) == 1


def test_heads_come_back() -> None:
    feed = Ring((3, -1))
    cursor = feed.cursor()
    feed.append(block(0))
    feed.append(block(1))
    frames = cursor.take(0)
    packed = heads(2**64 - 1, frames)
    found = frames_of(packed, [frame.data for frame in frames])
    assert [epoch for epoch, _ in found] == [2**64 - 1] * 2
    for (_, a), b in zip(found, frames, strict=True):
        assert (a.feed, a.first, a.number, a.begin, a.end) == (b.feed, b.first, b.number, b.begin, b.end)
        assert a.counts.tolist() == b.counts.tolist()
        assert a.data is b.data


@pytest.mark.parametrize(
    "change", [lambda h: h[:-1], lambda h: h + b"x", lambda h: h[:50], lambda h: b"", lambda h: h * 2]
)
def test_heads_that_are_none(change: Callable[[bytes], bytes]) -> None:
    feed = Ring((3, -1))
    cursor = feed.cursor()
    feed.append(block(0))
    frames = cursor.take(0)
    with pytest.raises(ProtocolError, match="head"):
        frames_of(change(heads(1, frames)), [frame.data for frame in frames])
