"""Streams of several servers flow together: nothing is lost without being counted, whoever lags, stalls or goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType, join
from tagwire.network.confluence import Confluence
from tagwire.testing.rows import Row, block_of, clicks, rows_of
from tagwire.testing.strategies import tag_blocks

FAR = 1 << 62
seeds = st.integers(0, 2**32)
CHANNELS = ((1001, 1002, -1001), (2001, 2002), (3001,))


@st.composite
def streams(draw: st.DrawFn, overflows: bool = True) -> list[TagBlock]:
    """One stream for each of two or three servers, which begin at nearly the same time."""
    begin = draw(st.sampled_from([0, 10**12]))
    return [
        draw(tag_blocks(channels, begin=begin + draw(st.integers(0, 60)), max_tags=30, overflows=overflows))
        for channels in CHANNELS[: draw(st.integers(2, 3))]
    ]


def parts_of(block: TagBlock, chance: Random) -> Iterator[TagBlock]:
    """The block cut on tags, beside them, and anywhere."""
    places = [t + d for t in block.time.tolist() for d in (0, 1)] + [chance.randint(block.begin, block.end)]
    for cut in sorted(chance.choices(places, k=chance.randint(0, 8))):
        part, block = block.split(cut)
        if part.end > part.begin:
            yield part
    yield block


def offline(blocks: list[TagBlock]) -> tuple[list[Row], int, int]:
    """All tags in order, in an overflow where any stream is: the slow, obvious way."""
    begin, end = max(b.begin for b in blocks), max(begin_end(blocks))
    rows = [(row[0], n, row) for n, b in enumerate(blocks) for row in since(b, begin)]
    within: set[int] = set()
    merged = []
    for _, number, row in sorted(rows, key=lambda r: (r[0], r[1])):
        before = bool(within)
        if row[2] == TagType.OverflowBegin:
            within.add(number)
        elif row[2] == TagType.OverflowEnd:
            within.discard(number)
        if before == bool(within) and row[2] in (TagType.OverflowBegin, TagType.OverflowEnd):
            continue
        merged.append(row)
    return merged, begin, end


def since(block: TagBlock, begin: int) -> list[Row]:
    """The tags of a block from `begin` on; it begins with an overflow where one has begun before."""
    rows = rows_of(block)
    bounds = [r[2] for r in rows if r[0] < begin and r[2] in (TagType.OverflowBegin, TagType.OverflowEnd)]
    within = [overflow(begin, TagType.OverflowBegin)] if bounds and bounds[-1] == TagType.OverflowBegin else []
    return within + [r for r in rows if r[0] >= begin]


def begin_end(blocks: list[TagBlock]) -> list[int]:
    return [time for b in blocks for time in (b.begin, b.end)]


@given(streams(), seeds)
def test_in_time_it_is_the_offline_merge_for_any_cuts(blocks: list[TagBlock], seed: int) -> None:
    chance = Random(seed)
    queues = [list(parts_of(b, chance)) for b in blocks]
    rows, begin, end = offline(blocks)
    stream = Confluence([b.begin for b in blocks], patience=-1)
    out, now = [TagBlock.empty(begin, begin)], 0.0
    while not stream.ended:
        ready = [n for n, queue in enumerate(queues) if queue is not None]
        for n in chance.sample(ready, chance.randint(0, len(ready))):
            if queues[n]:
                stream.push(n, queues[n].pop(0), now)
            else:
                stream.end(n)
                queues[n] = None
        now += 100.0
        limit = chance.choice([FAR, stream.position + 1, stream.position + 70])
        while (block := stream.take(limit, now)) is not None:
            out.append(block)
    whole = join(out)
    assert rows_of(whole) == rows
    assert (whole.begin, whole.end) == (begin, max(end, begin))
    assert all(not stream.missed(n) for n in range(len(blocks)))


@given(streams(), seeds)
def test_received_and_missed_are_what_was_sent(blocks: list[TagBlock], seed: int) -> None:
    chance = Random(seed)
    queues = [list(parts_of(b, chance)) for b in blocks]
    stream = Confluence([b.begin for b in blocks], patience=1.0)
    begin, now = stream.position, 0.0
    out = [TagBlock.empty(begin, begin)]
    while not stream.ended:
        event = chance.choice(["push", "push", "push", "wait", "leave"])
        n = chance.randrange(len(blocks))
        if event == "push" and queues[n]:
            stream.push(n, queues[n].pop(0), now)
        elif event == "push" and queues[n] is not None:
            stream.end(n)
            queues[n] = None
        elif event == "leave" and queues[n] is not None:
            stream.leave(n)
        elif event == "wait":
            now += chance.choice([0.3, 1.0])
        limit = chance.choice([FAR, FAR, stream.position + 70])
        while (block := stream.take(limit, now)) is not None:
            out.append(block)
    rows = rows_of(join(out))
    assert [r[0] for r in rows] == sorted(r[0] for r in rows)
    check_accounts(rows, blocks, begin, stream)
    check_ranges(rows, blocks, begin)


def events(rows: list[Row]) -> Counter[int]:
    """Events by channel, those included that are reported missed."""
    return Counter({c: sum(events_of(r) for r in rows if r[1] == c) for _, c, kind, _ in rows if kind in (0, 4)})


def events_of(row: Row) -> int:
    return {TagType.TimeTag: 1, TagType.MissedEvents: row[3]}.get(TagType(row[2]), 0)


def check_accounts(rows: list[Row], blocks: list[TagBlock], begin: int, stream: Confluence) -> None:
    sent = [since(b, begin) for b in blocks]
    assert events(rows) == events([r for part in sent for r in part])
    for n, part in enumerate(sent):
        got = [r for r in rows if r[1] in CHANNELS[n] and r[2] == TagType.TimeTag]
        assert Counter(got) <= Counter(part)
        assert sum(stream.missed(n).values()) >= len([r for r in part if r[2] == TagType.TimeTag]) - len(got)
    errors = [r for r in rows if r[2] == TagType.Error]
    assert len(errors) == sum(r[2] == TagType.Error for part in sent for r in part)


def check_ranges(rows: list[Row], blocks: list[TagBlock], begin: int) -> None:
    """Overflows begin and end by turns, and every tag that did not arrive belongs to one of them."""
    bounds = [r for r in rows if r[2] in (TagType.OverflowBegin, TagType.OverflowEnd)]
    assert all(r[2] == (TagType.OverflowEnd if i % 2 else TagType.OverflowBegin) for i, r in enumerate(bounds))
    spans = [(r[0], bounds[i + 1][0] if i + 1 < len(bounds) else FAR) for i, r in enumerate(bounds) if i % 2 == 0]
    arrived = Counter(rows)
    for block in blocks:
        for row in rows_of(block):
            if row[2] == TagType.TimeTag and row[0] >= begin and not arrived[row]:
                assert any(low <= row[0] <= high for low, high in spans), row
    for row in rows:
        if row[2] == TagType.MissedEvents:
            assert any(low <= row[0] <= high for low, high in spans), row


# --- one case after the other ------------------------------------------------------------------------------------


def flow(stream: Confluence, now: float = 0.0) -> list[Row]:
    out = []
    while (block := stream.take(FAR, now)) is not None:
        out += rows_of(block)
    return out


def ticks(channel: int, begin: int, end: int) -> TagBlock:
    """A click every 10 ps."""
    return clicks([(t, channel) for t in range(begin, end, 10)], end, begin)


def overflow(time: int, kind: TagType) -> Row:
    return (time, CHANNEL_UNUSED, kind, 0)


def test_who_stalls_is_waited_for_as_long_as_patience_lasts() -> None:
    stream = Confluence([0, 0], patience=1.0)
    stream.push(0, ticks(1001, 0, 100), 10.0)
    stream.push(1, TagBlock.empty(0, 40), 10.2)
    assert flow(stream, 10.2) == rows_of(ticks(1001, 0, 40))
    assert stream.deadline() == 11.0
    assert stream.lag(1) == 60
    assert stream.waiting(0) == 6
    assert flow(stream, 10.999) == []
    assert not stream.absent(1)
    assert flow(stream, 11.0) == [(40, 1001, 0, 0), overflow(40, TagType.OverflowBegin), *rows_of(ticks(1001, 50, 100))]
    assert stream.absent(1)
    assert stream.deadline() is None


def test_who_comes_late_is_counted_and_is_back_when_it_has_caught_up() -> None:
    stream = Confluence([0, 0], patience=1.0)
    stream.push(0, ticks(1001, 0, 100), 0.0)
    assert flow(stream, 1.0) == [(0, 1001, 0, 0), overflow(0, TagType.OverflowBegin), *rows_of(ticks(1001, 10, 100))]
    stream.push(1, ticks(2001, 0, 60), 5.0)
    stream.push(0, ticks(1001, 100, 120), 5.0)
    assert flow(stream, 5.0) == [(100, 1001, 0, 0), (100, 2001, TagType.MissedEvents, 6), (110, 1001, 0, 0)]
    stream.push(1, ticks(2001, 60, 160), 6.0)
    stream.push(0, ticks(1001, 120, 140), 6.0)
    assert flow(stream, 6.0) == [
        (120, 1001, 0, 0),
        (120, 2001, TagType.MissedEvents, 6),
        overflow(120, TagType.OverflowEnd),
        (120, 2001, 0, 0),
        (130, 1001, 0, 0),
        (130, 2001, 0, 0),
    ]
    assert stream.missed(1) == {2001: 12}
    assert not stream.absent(1)


def test_who_is_gone_is_not_waited_for() -> None:
    stream = Confluence([0, 0], patience=1e9)
    stream.push(0, ticks(1001, 0, 20), 0.0)
    stream.push(1, ticks(2001, 0, 10), 0.0)
    stream.leave(1)
    assert flow(stream) == [
        (0, 1001, 0, 0),
        (0, 2001, 0, 0),
        (10, 1001, 0, 0),
        overflow(10, TagType.OverflowBegin),
    ]
    stream.push(1, TagBlock.empty(10, 50), 0.0)
    stream.push(0, ticks(1001, 20, 30), 0.0)
    assert flow(stream) == [(20, 1001, 0, 0), overflow(20, TagType.OverflowEnd)]


def test_who_always_lags_is_reported_missed() -> None:
    stream = Confluence([0, 0], patience=1.0)
    rows = []
    for step in range(100):
        now = step * 0.1
        stream.push(0, ticks(1001, 100 * step, 100 * step + 100), now)
        if step >= 20:
            stream.push(1, ticks(2001, 100 * step - 2000, 100 * step - 1900), now)
        rows += flow(stream, now)
    assert stream.missed(1) == {2001: 800}
    assert sum(row[3] for row in rows) == 800
    assert [row for row in rows if row[1] == CHANNEL_UNUSED] == [overflow(0, TagType.OverflowBegin)]
    assert sum(row[1] == 1001 for row in rows) == 1000


def test_more_than_one_tag_can_say_is_missed_in_several() -> None:
    stream = Confluence([0, 0], patience=0.0)
    stream.push(0, TagBlock.empty(0, 10**6), 0.0)
    flow(stream)
    late = block_of([(5, 2001, TagType.MissedEvents, 65_535)] * 3 + [(6, 2001, 0, 0), (7, -2001, 0, 0)], 0, 10**6)
    stream.push(1, late, 0.0)
    stream.end(0)
    stream.end(1)
    missed = TagType.MissedEvents
    at = 10**6
    assert flow(stream) == [
        (at, -2001, missed, 1),
        *[(at, 2001, missed, 65_535)] * 3,
        (at, 2001, missed, 1),
        overflow(at, TagType.OverflowEnd),
    ]
    assert stream.ended


def test_an_overflow_of_its_own_that_began_late_goes_on() -> None:
    stream = Confluence([0, 0], patience=0.0)
    stream.push(0, TagBlock.empty(0, 100), 0.0)
    assert flow(stream) == [overflow(0, TagType.OverflowBegin)]
    late = block_of([overflow(50, TagType.OverflowBegin), overflow(150, TagType.OverflowEnd)], 0, 200)
    stream.push(1, late, 0.0)
    stream.push(0, TagBlock.empty(100, 200), 0.0)
    assert flow(stream) == [overflow(150, TagType.OverflowEnd)]


def test_nobody_is_late_for_one_that_has_jumped_far_ahead() -> None:
    stream = Confluence([0, 0], patience=1.0)
    stream.push(0, ticks(1001, 0, 20), 0.0)
    stream.push(1, block_of([overflow(10, TagType.OverflowBegin), (10**18, 2001, 0, 0)], 0, 10**18 + 1), 0.0)
    assert flow(stream, 5.0) == [(0, 1001, 0, 0), (10, 1001, 0, 0), overflow(10, TagType.OverflowBegin)]
    assert stream.deadline() is None
    stream.push(0, ticks(1001, 20, 30), 9.0)
    assert flow(stream, 99.0) == [(20, 1001, 0, 0)]
    assert not stream.absent(0)


def test_a_hole_in_a_stream_is_refused() -> None:
    stream = Confluence([0, 0])
    stream.push(0, TagBlock.empty(0, 100), 0.0)
    with pytest.raises(ValueError, match=r"begins at 101 ps.*ended at 100 ps"):
        stream.push(0, TagBlock.empty(101, 102), 0.0)
