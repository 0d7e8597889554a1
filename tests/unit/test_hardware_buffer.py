"""A live stream whose listeners are too slow loses tags, counts them, and catches up; on a clock that the tests own."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.overflows import in_overflow
from tagwire.core.tags import TagBlock, TagType, join
from tagwire.engine.hardware_buffer import PATIENCE, HardwareBuffer
from tagwire.engine.hub import Hub
from tagwire.engine.pump import PS_PER_S, Pump
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.measurements.countrate import Countrate
from tagwire.testing.strategies import cuts, tag_blocks
from tagwire.testing.tap import Tap

LIMIT = 120.0
MS = PS_PER_S // 1000
LATENCY = 20 * MS


class SlowWorld:
    """A clock, a source of 60 s with a tag on channel 1 and two on channel 2 each ms, and a device that takes time."""

    channels = (1, 2)
    outputs = ()

    def __init__(self, making: float = 0.0) -> None:
        self.time, self.making, self.position = 5.0, making, 0

    def now(self) -> float:
        return self.time

    def wait(self, wake: threading.Event, seconds: float) -> None:
        self.time += seconds

    def read(self, span, wanted):
        begin, self.position = self.position, min(self.position + span, 60 * PS_PER_S)
        if begin == self.position:
            return None
        self.time += self.making * (self.position - begin) / PS_PER_S
        time = np.repeat(np.arange(-(-begin // MS) * MS, self.position, MS), 3)
        return TagBlock(begin, self.position, time, np.tile(np.array([1, 2, 2], np.int32), len(time) // 3))

    def close(self):
        """Nothing is held open."""


class WorldTagger(TimeTaggerBase):
    def __init__(self, world: SlowWorld) -> None:
        self._hub = Hub(world)


class Burden(Tap):
    """Takes a multiple of real time for the tags of some span, and collects all of them."""

    def __init__(self, tagger, world, factor, begin=0, end=60 * PS_PER_S):
        self.world, self.factor, self.span = world, factor, (begin, end)
        super().__init__(tagger)

    def _process(self, block):
        super()._process(block)
        loaded = block.take(*self.span)
        if len(loaded) and loaded.plain:
            self.world.time += self.factor * (loaded.end - loaded.begin) / PS_PER_S


def run(making=0.0, factor=0.0, size=1000, begin=0, end=60 * PS_PER_S, buffer=True):
    """Play all tags in real time; gives the tagger, the tags as seen, and the counts of both channels."""
    world = SlowWorld(making)
    tagger = WorldTagger(world)
    burden = Burden(tagger, world, factor, begin, end)
    rate = Countrate(tagger, [1, 2])
    pump = Pump(tagger._hub, 1.0, LATENCY, world, buffer=HardwareBuffer(size) if buffer else None)
    pump.start()
    assert pump.finished(LIMIT)
    return world, tagger, burden.block(), rate.getCountsTotal().tolist()


def test_who_keeps_up_loses_nothing():
    world, tagger, block, counts = run(factor=0.9)
    assert tagger._hub.overflows == 0
    assert block.plain
    assert counts == [60_000, 120_000]
    assert world.time == pytest.approx(65.0, abs=0.1)


def test_who_does_not_keep_up_loses_tags_and_every_one_is_counted(caplog):
    with caplog.at_level(logging.WARNING):
        world, tagger, block, counts = run(factor=2.0)
    begins = np.flatnonzero(block.type == TagType.OverflowBegin)
    ends = np.flatnonzero(block.type == TagType.OverflowEnd)
    assert tagger._hub.overflows == len(begins) >= 2
    assert len(ends) in (len(begins), len(begins) - 1)
    assert counts == [60_000, 120_000]
    lost = block.missed[block.type == TagType.MissedEvents].sum()
    seen = np.count_nonzero(block.type == TagType.TimeTag)
    assert lost > 30_000
    assert lost + seen == 180_000
    # What is seen takes twice its time, and the lag never exceeds what is allowed by more than a block.
    assert 65.0 <= world.time <= 65.0 + (PATIENCE + 4 * LATENCY) / PS_PER_S
    assert caplog.text.count("does not keep up") == len(begins)


def test_an_overflow_begins_only_when_the_buffer_is_full_as_well():
    _, _, block, counts = run(factor=2.0, size=100_000)
    first = int(block.time[block.type == TagType.OverflowBegin][0])
    # At 3000 tags a second the lag is full at 33.3 s; it grows by a second per second of stream time.
    assert first == pytest.approx(33.4 * PS_PER_S, rel=0.01)
    assert counts == [60_000, 120_000]
    assert run(factor=2.0, size=200_000)[1]._hub.overflows == 0


def test_the_overflow_ends_when_the_lag_is_made_up_for():
    _, tagger, block, _ = run(factor=5.0, end=4 * PS_PER_S)
    kinds = block.type[np.isin(block.type, (TagType.OverflowBegin, TagType.OverflowEnd))]
    assert kinds.tolist() == [TagType.OverflowBegin, TagType.OverflowEnd]
    assert tagger._hub.overflows == 1
    begin, end = block.time[np.isin(block.type, (TagType.OverflowBegin, TagType.OverflowEnd))].tolist()
    # 2.5 s of the burden make a lag of 10 s, which ends as much later; a block of 40 ms makes 160 ms of it.
    assert begin == pytest.approx(2.5 * PS_PER_S, abs=3 * LATENCY)
    assert end == pytest.approx(12.5 * PS_PER_S, abs=15 * LATENCY)
    assert not np.any(block.types[block.time > end])
    assert not np.any(block.types[block.time < begin])


def test_a_source_that_takes_long_itself_delays_the_stream_instead():
    world, tagger, block, counts = run(making=3.0, factor=0.5)
    assert tagger._hub.overflows == 0
    assert block.plain
    assert counts == [60_000, 120_000]
    assert world.time >= 5.0 + 3.5 * 59


def test_without_a_buffer_nothing_is_lost():
    world, tagger, _, counts = run(factor=2.0, buffer=False)
    assert tagger._hub.overflows == 0
    assert counts == [60_000, 120_000]
    assert world.time == pytest.approx(125.0, abs=0.2)


@given(st.data(), tag_blocks(channels=(1, 2)))
def test_overflows_and_errors_of_the_stream_itself_outlast_those_of_the_buffer(data, block):
    """Whatever the readers lag by, overflows alternate, and neither events nor errors go missing."""
    buffer, parts, rest, within = HardwareBuffer(1), [], block, False
    for cut in (*data.draw(cuts(block)), block.end):
        part, rest = rest.split(cut)
        buffer.free(data.draw(st.sampled_from([0, 0, 11 * PS_PER_S])), data.draw(st.sampled_from([0, 20 * PS_PER_S])))
        parts.append(buffer.read(part))
        within = in_overflow(part, within)
        if part.begin < part.end:
            assert in_overflow(join(parts), False) == (within or buffer.losing)
    out = join(parts)
    bounds = out.types[np.isin(out.types, (TagType.OverflowBegin, TagType.OverflowEnd))]
    assert np.all(bounds[::2] == TagType.OverflowBegin)
    assert np.all(bounds[1::2] == TagType.OverflowEnd)
    assert np.all(np.diff(out.time) >= 0)
    assert out.time[out.types == TagType.Error].tolist() == block.time[block.types == TagType.Error].tolist()
    for channel in (1, 2):
        assert events(out, channel) == events(block, channel)


def events(block, channel):
    """Number of events of a channel, missed ones too."""
    mine = block.channel == channel
    return np.count_nonzero(mine & (block.types == TagType.TimeTag)) + int(block.missed_events[mine].sum())
