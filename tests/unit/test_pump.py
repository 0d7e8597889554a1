"""The pump on a clock that tests own: pace, end, stop from anywhere, fences; no test waits for real time to pass."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from tagwire.core.tags import TagBlock
from tagwire.engine.hub import Hub
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.pump import PS_PER_S, Pump
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import StateError
from tagwire.measurements.countrate import Countrate
from tagwire.tagger.synchronized import SynchronizedMeasurements
from tagwire.testing.stepped import SteppedTagger

LIMIT = 120.0
"""Time in s after which a test that hangs is given up."""
MS = PS_PER_S // 1000


class InstantClock:
    """Time passes exactly as long as somebody waits, and takes none."""

    def __init__(self) -> None:
        self.time = 5.0
        self.late = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, wake: threading.Event, seconds: float) -> None:
        self.time += seconds + self.late


class Endless:
    """One tag on channel 1 each ms; never ends, but can be told to break."""

    channels = (1,)

    def __init__(self) -> None:
        self.position = 0
        self.breaks = False
        self.closed = False

    def read(self, span, wanted):
        if self.breaks:
            raise OSError("unplugged")
        begin, self.position = self.position, self.position + span
        time = np.arange(-(-begin // MS) * MS, self.position, MS)
        return TagBlock(begin, self.position, time, np.ones(len(time), np.int32))

    def close(self):
        self.closed = True


class EndlessTagger(TimeTaggerBase):
    def __init__(self) -> None:
        self._hub = Hub(Endless())


class Spans(IteratorBase):
    """Keeps the length of each block, and calls `then` at each."""

    def __init__(self, tagger, then=lambda: None):
        super().__init__(tagger, [1], {})
        self.lengths: list[int] = []
        self.then = then
        self._launch()

    def _process(self, block):
        self.lengths.append(block.end - block.begin)
        self.then()


def second_of_tags() -> SteppedTagger:
    time = np.arange(0, PS_PER_S, MS)
    return SteppedTagger(TagBlock(0, PS_PER_S, time, np.ones(len(time), np.int32)))


@pytest.mark.parametrize("speed", [1.0, 0.5, 10.0])
def test_a_paced_pump_keeps_the_pace_in_blocks_of_the_latency(speed):
    tagger, clock = second_of_tags(), InstantClock()
    spans, rate = Spans(tagger), Countrate(tagger, [1])
    pump = Pump(tagger._hub, speed, 20 * MS, clock)
    pump.start()
    assert pump.finished(LIMIT)
    assert rate.getCountsTotal().tolist() == [1000]
    assert sum(spans.lengths) == PS_PER_S
    assert max(spans.lengths) <= 20 * MS + 1000
    assert clock.time - 5.0 == pytest.approx(1 / speed, rel=0.05)
    assert not pump.running


def test_a_clock_that_oversleeps_is_caught_up_in_bounded_blocks():
    tagger, clock = second_of_tags(), InstantClock()
    clock.late = 0.2
    spans = Spans(tagger)
    pump = Pump(tagger._hub, 1.0, 20 * MS, clock)
    pump.start()
    assert pump.finished(LIMIT)
    assert sum(spans.lengths) == PS_PER_S
    assert max(spans.lengths) <= 40 * MS


def test_a_free_run_goes_to_the_end_without_a_clock():
    tagger = second_of_tags()
    rate = Countrate(tagger, [1])
    pump = Pump(tagger._hub, -1.0)
    pump.start()
    assert pump.finished(LIMIT)
    assert rate.getCountsTotal().tolist() == [1000]
    assert tagger.sync(0)


def test_stop_waits_for_the_present_block():
    tagger = EndlessTagger()
    begun = threading.Event()
    spans = Spans(tagger, begun.set)
    pump = Pump(tagger._hub, 1.0, clock=InstantClock())
    pump.start()
    assert begun.wait(LIMIT)
    assert pump.running
    pump.stop()
    seen = len(spans.lengths)
    assert not pump.running
    assert tagger.sync(0)
    assert len(spans.lengths) == seen


def test_stop_from_the_hubs_own_thread_does_not_wait_for_itself():
    tagger = EndlessTagger()
    pump = Pump(tagger._hub, -1.0)
    spans = Spans(tagger, pump.stop)
    pump.start()
    assert pump.finished(LIMIT)
    assert len(spans.lengths) == 1


def test_sync_means_that_later_tags_are_newer():
    tagger = EndlessTagger()
    pump = Pump(tagger._hub, 1.0, clock=InstantClock())
    pump.start()
    before = tagger._hub.position
    assert tagger.sync(int(LIMIT * 1000))
    assert tagger._hub.position > before
    rate = Countrate(tagger, [1])
    rate.startFor(100 * MS)
    assert rate.waitUntilFinished(int(LIMIT * 1000))
    assert rate.getCaptureDuration() == 100 * MS
    assert rate.getCountsTotal().tolist() == [100]
    pump.stop()


def test_a_source_that_breaks_ends_the_pump_and_says_so(caplog):
    tagger = EndlessTagger()
    tagger._hub.source.breaks = True
    pump = Pump(tagger._hub, -1.0)
    with caplog.at_level(logging.ERROR):
        pump.start()
        assert pump.finished(LIMIT)
    assert "the stream broke off" in caplog.text
    assert "unplugged" in caplog.text


def test_a_source_that_breaks_ends_every_capture_and_every_wait_with_its_error():
    tagger = EndlessTagger()
    complete, endless, steered = (Countrate(tagger, [1]) for _ in range(3))
    group = SynchronizedMeasurements(tagger)
    group.registerMeasurement(steered)
    complete.startFor(MS)
    pump = Pump(tagger._hub, 1.0, clock=InstantClock())
    pump.start()
    assert complete.waitUntilFinished(int(LIMIT * 1000))
    tagger._hub.source.breaks = True
    for wait in (endless.waitUntilFinished, group.waitUntilFinished, tagger.sync):
        with pytest.raises(StateError, match="unplugged") as caught:
            wait(int(LIMIT * 1000))
        assert isinstance(caught.value.__cause__, OSError)
    assert not endless.isRunning()
    assert endless.getCountsTotal()[0] > 0
    assert complete.waitUntilFinished(0)
    for begin in (complete.start, group.start, lambda: endless.startFor(1), lambda: Countrate(tagger, [1])):
        with pytest.raises(StateError, match="unplugged"):
            begin()
    assert not complete.isRunning()
    endless.stop()


def test_commands_come_through_while_the_stream_runs_as_fast_as_it_can():
    tagger = EndlessTagger()
    pump = Pump(tagger._hub, -1.0)
    pump.start()
    rates = [Countrate(tagger, [1]) for _ in range(5)]
    for rate in rates:
        rate.startFor(PS_PER_S)
    assert all(rate.waitUntilFinished(int(LIMIT * 1000)) for rate in rates)
    assert [rate.getCountsTotal().tolist() for rate in rates] == [[1000]] * 5
    pump.stop()
