"""Several sources as one: memory is bounded, waits end in time, and who fails takes nobody along."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.models import TIME_TAGGER_20
from tagwire.core.tags import TagBlock, TagType, join, merge
from tagwire.engine.hub import Hub
from tagwire.errors import ArgumentError, ConnectionBroken
from tagwire.network import merging
from tagwire.network.merging import MergedSource
from tagwire.network.numbering import Numbering
from tagwire.sources.light import PoissonLight
from tagwire.sources.memory import MemorySource
from tagwire.sources.simulated import SimulatedSource
from tagwire.testing.rows import Row, clicks, rows_of

FAR = 1 << 62


class ManualClock:
    """Real time that passes when somebody waits for a `Server`, or when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Server:
    """A source that has what the test puts into it; who waits for it lets time pass."""

    def __init__(self, clock: ManualClock, channels: tuple[int, ...] = (1, -1)) -> None:
        self.channels, self.position = channels, 0
        self.ready: list[TagBlock | Exception] = []
        self.asked: list[tuple[int, ...]] = []
        self.closed = self.finished = False
        self._clock = clock

    def tick(self, end: int) -> None:
        """A click on channel 1 every 10 ps up to `end`."""
        begin = max([self.position, *(b.end for b in self.ready if isinstance(b, TagBlock))])
        self.ready.append(clicks([(t, 1) for t in range(begin, end, 10)], end, begin))

    def wait(self, timeout: float) -> bool:
        if not self.ready:
            self._clock.now += timeout
        return bool(self.ready)

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        self.asked.append(tuple(wanted))
        if not self.ready:
            return None if self.finished else TagBlock.empty(self.position, self.position)
        block = self.ready.pop(0)
        if isinstance(block, Exception):
            raise block
        self.position = block.end
        return block

    def close(self) -> None:
        self.closed = True


def two(patience: float = 1.0) -> tuple[MergedSource, Server, Server, ManualClock]:
    clock = ManualClock()
    servers = Server(clock), Server(clock)
    return MergedSource(servers, patience, clock), *servers, clock


def everything(source: MergedSource, wanted: Collection[int] = ()) -> list[Row]:
    """All rows that there are now."""
    rows: list[Row] = []
    while (block := source.read(FAR, wanted)) is not None and block.begin < block.end:
        rows += rows_of(block)
    return rows


def simulated(seed: int) -> SimulatedSource:
    source = SimulatedSource(TIME_TAGGER_20, seed)
    source.illuminate([1, 2], PoissonLight(2e5))
    return source


@pytest.mark.parametrize("span", [10**9, 7 * 10**9, 10**11])
def test_simulated_instruments_side_by_side_are_the_merge_of_their_tags(span: int) -> None:
    source = MergedSource([simulated(1), simulated(2)])
    blocks = []
    while source.position < 10**11:
        block = source.read(min(span, 10**11 - source.position), {1001, 1002, 2001, -2001})
        assert block is not None
        blocks.append(block)
    parts = []
    for place, wanted in ((1, {1, 2}), (2, {1, -1})):
        alone = simulated(place)
        while alone.position < 10**11:
            block = alone.read(10**11 - alone.position, wanted)
            assert block is not None
            parts.append(Numbering(place).block(block))
    whole, expected = join(blocks), merge(0, 10**11, sorted(parts, key=lambda b: b.channel.max() > 2000))
    assert np.array_equal(whole.time, expected.time)
    assert np.array_equal(whole.channel, expected.channel)
    assert set(whole.channel.tolist()) == {1001, 1002, 2001, -2001}


def test_recordings_of_different_length_are_merged_to_the_end() -> None:
    long, short = clicks([(t, 1) for t in range(0, 100, 7)], 100), clicks([(t, 1) for t in range(0, 50, 7)], 50)
    source = MergedSource([MemorySource(long, chunk=3), MemorySource(short)])
    rows = everything(source)
    assert rows == sorted(
        [(t, 1001, 0, 0) for t in range(0, 100, 7)] + [(t, 2001, 0, 0) for t in range(0, 50, 7)],
        key=lambda row: row[:2],
    )
    assert source.position == 100
    assert source.read(FAR, ()) is None


def test_channels_and_what_is_asked_of_each_server() -> None:
    source, first, second, _ = two()
    assert source.channels == (1001, -1001, 2001, -2001)
    source.read(FAR, {1001, -2001, 2001, 5})
    assert (first.asked[-1], second.asked[-1]) == ((1,), (-1, 1))


def test_one_server_alone_keeps_its_numbers() -> None:
    block = clicks([(5, 3), (6, 1001)], 10)
    source = MergedSource([MemorySource(block)])
    assert source.channels == (3, 1001)
    assert everything(source) == rows_of(block)


def test_waiting_ends_when_there_is_something() -> None:
    source, first, second, clock = two()
    first.tick(100)
    assert not source.wait(0.5)
    assert clock.now == pytest.approx(100.5)
    second.tick(50)
    assert source.wait(0.5)
    assert everything(source) == [(t, c, 0, 0) for t in range(0, 50, 10) for c in (1001, 2001)]


def test_waiting_ends_when_patience_does() -> None:
    source, first, second, clock = two(patience=0.25)
    first.tick(20)
    assert source.wait(9.0)
    assert clock.now == pytest.approx(100.25)
    rows = everything(source)
    assert rows == [(0, 1001, 0, 0), (0, CHANNEL_UNUSED, TagType.OverflowBegin, 0), (10, 1001, 0, 0)]
    assert source.standing(1).absent
    assert source.standing(1).lag == 20
    second.tick(40)
    first.tick(40)
    assert source.wait(9.0)
    assert everything(source)[1:3] == [
        (20, 2001, TagType.MissedEvents, 2),
        (20, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
    ]
    assert source.standing(1) == merging.Standing(False, 0, {2001: 2})


def test_nobody_is_waited_for_where_nothing_waits() -> None:
    source, *_, clock = two(patience=0.25)
    assert not source.wait(3.0)
    assert clock.now == pytest.approx(103.0)
    assert everything(source) == []


def test_patience_can_be_endless_and_changed() -> None:
    source, first, *_ = two(patience=-1)
    first.tick(20)
    assert not source.wait(5.0)
    source.patience = 0.0
    assert source.wait(0.1)
    assert len(everything(source)) == 3
    assert source.patience == 0.0
    with pytest.raises(ArgumentError, match="patience"):
        source.patience = float("nan")


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "WAITING_TAGS", 100)
    source, first, _, _ = two(patience=-1)
    for end in range(500, 10_000, 500):
        first.tick(end)
    assert not source.wait(0.1)
    assert len(first.ready) == 17


def test_silence_that_waits_is_bounded() -> None:
    source, first, _, _ = two(patience=-1)
    for end in range(10**12, 20 * 10**12, 10**12):
        first.ready.append(TagBlock.empty(end - 10**12, end))
    assert not source.wait(0.1)
    assert len(first.ready) == 13


def test_one_that_fails_leaves_an_open_overflow_and_takes_nobody_along() -> None:
    source, first, second, _ = two(patience=-1)
    first.tick(20)
    second.ready.append(ConnectionBroken("the cable"))
    assert everything(source) == [(0, 1001, 0, 0), (0, CHANNEL_UNUSED, TagType.OverflowBegin, 0), (10, 1001, 0, 0)]
    first.tick(30)
    assert everything(source) == [(20, 1001, 0, 0)]
    first.ready.append(ConnectionBroken("the other cable"))
    with pytest.raises(ConnectionBroken, match="the other cable"):
        everything(source)


def test_it_ends_when_all_have_ended_even_if_one_failed_before() -> None:
    source, first, second, _ = two()
    second.ready.append(ConnectionBroken("the cable"))
    first.tick(10)
    everything(source)
    first.finished = True
    assert source.wait(0.0)
    assert source.read(FAR, ()) is None


def test_it_drives_a_hub_and_closes_its_sources() -> None:
    source, first, second, _ = two()
    hub = Hub(source)
    first.tick(20)
    second.tick(20)
    assert hub.step(FAR)
    assert hub.position == 20
    assert hub.step(FAR)
    assert hub.position == 20
    source.close()
    assert first.closed
    assert second.closed


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(ArgumentError, match="sources is empty"):
        MergedSource([])
