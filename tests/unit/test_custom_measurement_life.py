"""Custom measurements: hooks, locks, errors, channels that come and go, compiled loops."""

from __future__ import annotations

import gc
import threading
import weakref

import numba
import numpy as np
import pytest

from tagwire import TimeTagger
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, StateError
from tagwire.measurements.custom import CustomMeasurement, CustomMeasurementBase
from tagwire.measurements.fifo import Iterator
from tagwire.tagger.synchronized import SynchronizedMeasurements
from tagwire.testing.oracles.histograms import start_stop
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

WAIT = 30.0
"""Longest wait in s for what should take a moment."""

TICKS = TagBlock(0, 1000, np.arange(0, 1000, 10), np.tile(np.array([1, 2], np.int32), 50))


class Counting(CustomMeasurement):
    """Counts the tags of a channel and notes which hooks were called."""

    def __init__(self, tagger, channel=1):
        super().__init__(tagger)
        self.register_channel(channel=channel)
        self.hooks = []
        self.clear_impl()
        self.finalize_init()

    def __del__(self):
        self.stop()

    def getData(self):
        with self.mutex:
            return self.count

    def clear_impl(self):
        self.count = 0
        self.hooks.append("clear")

    def on_start(self):
        self.hooks.append("start")

    def pre_stop(self):
        assert self.is_running()
        self.hooks.append("stopping")

    def on_stop(self):
        assert not self.is_running()
        self.hooks.append("stop")

    def process(self, incoming_tags, begin_time, end_time):
        self.count += len(incoming_tags)


def test_hooks_follow_the_life_of_the_measurement():
    tagger = SteppedTagger(TICKS)
    counting = Counting(tagger)
    assert counting.hooks == ["clear", "start"]
    tagger.advance(100)
    assert counting.getData() == 5
    counting.start()  # it runs already
    counting.stop()
    counting.stop()
    counting.startFor(200)
    assert (counting.hooks, counting.getData()) == (["clear", "start", "stopping", "stop", "clear", "start"], 0)
    tagger.advance(500)
    assert (counting.getData(), counting.getCaptureDuration()) == (10, 200)
    assert counting.hooks[6:] == ["stopping", "stop"]
    counting.clear()
    assert counting.hooks[8:] == ["clear"]
    counting.startFor(0)
    assert counting.hooks[9:] == ["clear"]
    with counting:
        counting.start()
    assert counting.hooks[10:] == ["start", "stopping", "stop"]


def test_it_listens_only_after_finalize_init():
    tagger = SteppedTagger(TICKS)
    measurement = CustomMeasurement(tagger)
    with pytest.raises(StateError, match="finalize_init"):
        measurement.start()
    assert tagger.getConfiguration()["measurements"] == []
    measurement.finalize_init()
    measurement.finalize_init()
    assert measurement.is_running()
    assert len(tagger.getConfiguration()["measurements"]) == 1


def test_channels_may_change_while_it_runs():
    tagger = SteppedTagger(TICKS)
    counting = Counting(tagger)
    counting.register_channel(1)  # a second time
    assert tagger.getRegistrations(1) == 1
    tagger.advance(100)
    counting.register_channel(2)
    tagger.advance(200)
    counting.unregister_channel(1)
    counting.unregister_channel(1)
    tagger.advance(300)
    assert counting.getData() == 5 + 10 + 5
    assert counting.getConfiguration()["registered channels"] == [2]
    with pytest.raises(ArgumentError, match="channel is 3"):
        counting.register_channel(3)


def test_an_unregistered_channels_missed_events_do_not_arrive_but_overflows_do():
    rows = [(1, -134217728, TagType.OverflowBegin, 0), (2, 1, TagType.MissedEvents, 3)]
    rows += [(3, 2, TagType.MissedEvents, 4), (4, -134217728, TagType.OverflowEnd, 0), (5, 2, TagType.TimeTag, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 10), [1, 2])
    counting = Counting(tagger, 1)
    tagger.play()
    assert counting.getData() == 3


class Failing(Counting):
    """Fails wherever it can."""

    def process(self, incoming_tags, begin_time, end_time):
        raise ZeroDivisionError("in process")

    def on_stop(self):
        raise ZeroDivisionError("in on_stop")


def test_an_error_is_reported_and_ends_this_measurement_only(caplog):
    tagger = SteppedTagger(TICKS)
    failing, counting = Failing(tagger), Counting(tagger)
    tagger.play(range(0, 1000, 100))
    assert (failing.isRunning(), counting.getData()) == (False, 50)
    assert "in process" in caplog.text
    assert "in on_stop" in caplog.text
    with pytest.raises(StateError, match="in process"):
        failing.waitUntilFinished()


class Unready(Counting):
    """Cannot start."""

    def on_start(self):
        raise ZeroDivisionError("in on_start")


def test_a_measurement_that_cannot_start_does_not_run():
    tagger = SteppedTagger(TICKS)
    with pytest.raises(ZeroDivisionError):
        Unready(tagger)
    counting = Counting(tagger)
    tagger.play()
    assert counting.getData() == 50


class StopsItself(Counting):
    """Ends its capture from within."""

    def process(self, incoming_tags, begin_time, end_time):
        super().process(incoming_tags, begin_time, end_time)
        if self.count >= 10:
            self.stop()


def test_process_may_stop_its_own_measurement():
    tagger = SteppedTagger(TICKS)
    counting = StopsItself(tagger)
    tagger.play(range(0, 1000, 100))
    assert (counting.isRunning(), counting.getData(), counting.hooks[-1]) == (False, 10, "stop")


def test_the_tags_belong_to_the_call():
    class Keeping(Counting):
        def process(self, incoming_tags, begin_time, end_time):
            self.kept = [*getattr(self, "kept", []), incoming_tags]
            incoming_tags["channel"] = 7

    tagger = SteppedTagger(TICKS)
    keeping, counting = Keeping(tagger), Counting(tagger)
    tagger.play(range(0, 1000, 100))
    assert np.concatenate([k["time"] for k in keeping.kept]).tolist() == list(range(0, 1000, 20))
    assert keeping.kept[0].dtype == CustomMeasurement.INCOMING_TAGS_DTYPE
    assert keeping.kept[0].dtype.itemsize == 16
    assert counting.getData() == 50
    assert TICKS.channel[0] == 1


def test_the_mutex_keeps_the_stream_out():
    tagger = SteppedTagger(TICKS)
    counting = Counting(tagger)
    player = threading.Thread(target=tagger.play)
    with counting.mutex:
        player.start()
        player.join(0.05)  # it cannot end while the lock is held, however long we wait
        assert player.is_alive()
        assert counting.count == 0
    player.join()
    assert counting.getData() == 50


def test_inside_the_mutex_a_measurement_may_be_steered():
    tagger = SteppedTagger(TICKS)
    ahead, counting = Counting(tagger), Counting(tagger)
    came = threading.Event()
    ahead.process = lambda *_: came.set()
    player = threading.Thread(target=tagger.play, daemon=True)

    def steer():
        with counting.mutex:
            player.start()
            came.wait(0.2)  # the stream would now stand before this measurement, if it could come so far
            counting.clear()
            counting.stop()
            counting.start()
            assert counting.getCaptureDuration() == 0

    steering = threading.Thread(target=steer, daemon=True)
    steering.start()
    steering.join(60)
    assert not steering.is_alive()
    player.join(60)
    assert counting.getData() == 50


class Gate(Iterator):
    """Stands in the chain before others and holds the stream up within a block."""

    def __init__(self, tagger):
        self.inside, self.others = threading.Event(), threading.Event()
        super().__init__(tagger, 1)

    def _process(self, block):
        self.inside.set()
        self.others.wait(0.2)  # only what is wrong gets this far before the block has ended


class UnderMutex(Counting):
    """Calls methods of its own while it keeps the stream out, as scripts do."""

    def take(self, call):
        with self.mutex:
            data = self.count
            call(self)
            return data


CALLS = {
    "startFor": lambda m: m.startFor(100),
    "abort": lambda m: m.abort(),
    "getCaptureDuration": lambda m: m.getCaptureDuration(),
    "isRunning": lambda m: m.isRunning(),
    "register_channel": lambda m: m.register_channel(2),
    "waitUntilFinished": lambda m: m.waitUntilFinished(0),
    "getConfiguration": lambda m: m._tagger.getConfiguration(),
    "Counting": lambda m: Counting(m._tagger).stop(),
    "exit": lambda m: m.__exit__(None, None, None),
}


@pytest.mark.parametrize("name", CALLS)
def test_everything_may_be_called_under_the_mutex(name):
    tagger = SteppedTagger(TICKS)
    gate, measurement = Gate(tagger), UnderMutex(tagger)
    taken = []

    def take():
        gate.inside.wait(WAIT)
        with measurement.mutex:
            gate.others.set()
            taken.append(measurement.take(CALLS[name]))

    threads = [threading.Thread(target=run, daemon=True) for run in (lambda: tagger.advance(500), take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads)
    assert taken == [25]


def test_what_is_read_and_cleared_under_the_mutex_is_read_once():
    tagger = SteppedTagger(TICKS)
    measurement = UnderMutex(tagger)
    player = threading.Thread(target=tagger.play, args=(range(0, 1000, 10),), daemon=True)
    player.start()
    total = 0
    while player.is_alive():
        total += measurement.take(UnderMutex.clear)
    player.join(WAIT)
    assert total + measurement.getData() == 50


class Steering(Counting):
    """Calls a method in its last hook."""

    def on_stop(self):
        super().on_stop()
        self.clear()


def ends_by_leaving(tagger, measurement):
    measurement.__exit__(None, None, None)


def ends_by_a_broken_stream(tagger, measurement):
    tagger._hub.rest(ZeroDivisionError("broken"))


def ends_with_the_tagger(tagger, measurement):
    tagger._hub.end_captures()


@pytest.mark.parametrize("end", [ends_by_leaving, ends_by_a_broken_stream, ends_with_the_tagger])
def test_hooks_at_the_end_have_the_turn_before_the_lock(end):
    tagger = SteppedTagger(TICKS)
    measurement = Steering(tagger)
    turns = []
    measurement.pre_stop = lambda: turns.append(tagger._hub.exclusive.mine)
    end(tagger, measurement)
    assert turns == [True]
    assert measurement.hooks == ["clear", "start", "stop", "clear"]


def test_who_holds_the_stream_up_cannot_wait_for_it():
    tagger = SteppedTagger(TICKS)
    measurement = Counting(tagger)
    tagger._hub.stride = 0  # another thread drives the stream
    tagger._hub.flow()
    with measurement.mutex:
        for wait in (measurement.waitUntilFinished, tagger.sync, lambda: measurement.waitUntilFinished(10**6)):
            with pytest.raises(StateError, match=r"stands still.*holds a mutex"):
                wait()
        assert not measurement.waitUntilFinished(0)
    measurement.stop()
    with measurement.mutex:
        assert measurement.waitUntilFinished()


def test_in_a_hook_or_under_the_mutex_a_group_stops_at_once():
    tagger = SteppedTagger(TICKS)
    together = SynchronizedMeasurements(tagger)
    measurement = Counting(together.getTagger())
    tagger._hub.flow()
    together.start()
    with measurement.mutex:
        together.stop()
    assert not measurement.isRunning()


def test_a_pump_is_not_stopped_by_who_holds_its_stream_up():
    tagger = TimeTagger.createTimeTaggerVirtual()
    measurement = CustomMeasurement(tagger)
    tagger.run(1.0)
    with measurement.mutex, pytest.raises(StateError, match="stands still"):
        tagger.stop()
    tagger.stop()
    TimeTagger.freeTimeTagger(tagger)


def test_a_dropped_measurement_is_gone_at_once():
    tagger = SteppedTagger(TICKS)
    counting = Counting(tagger)
    reference = weakref.ref(counting)
    gc.disable()
    try:
        del counting
        assert reference() is None
    finally:
        gc.enable()


def test_a_destructor_that_the_collector_calls_waits_for_nothing():
    tagger = SteppedTagger(TICKS)
    counting = Counting(tagger)
    hooks, counting.itself = counting.hooks, counting
    collecting = threading.Thread(target=gc.collect, daemon=True)
    with tagger._hub.exclusive:  # as if the stream waited for a lock that the collecting thread holds
        del counting
        collecting.start()
        collecting.join(WAIT)
        assert not collecting.is_alive()
    assert hooks == ["clear", "start", "stopping", "stop"]


def test_a_destructor_may_stop_what_was_never_built():
    with pytest.raises(ArgumentError, match="tagger is None"):
        Counting(None)  # the destructor runs now, and pytest would report an error in it


def test_all_can_be_stopped_at_once():
    taggers = SteppedTagger(TICKS), SteppedTagger(TICKS)
    both = [Counting(tagger) for tagger in taggers]
    other = Iterator(taggers[0], 1)
    CustomMeasurementBase.stop_all_custom_measurements()
    assert [c.is_running() for c in both] == [False, False]
    assert other.isRunning()


def test_without_a_process_it_says_so_once(caplog):
    tagger = SteppedTagger(TICKS)
    measurement = CustomMeasurement(tagger)
    measurement.finalize_init()
    tagger.play(range(0, 1000, 100))
    assert caplog.text.count("has no process()") == 1
    assert measurement.getCaptureDuration() == 1000


def test_it_can_be_steered_together_with_others():
    tagger = SteppedTagger(TICKS)
    together = SynchronizedMeasurements(tagger)
    counting = Counting(together.getTagger())
    assert not counting.isRunning()
    together.startFor(300)
    tagger.play()
    assert counting.getData() == 15


@numba.njit(nogil=True)
def first_clicks(tags, histogram, binwidth, start):
    """A StartStop as a user writes it."""
    for tag in tags:
        if tag["type"] != TimeTagger.TagType.TimeTag:
            start = -1
        elif tag["channel"] == 1:
            start = tag["time"]
        elif start >= 0:
            histogram[(tag["time"] - start) // binwidth] += 1
            start = -1
    return start


class UserStartStop(TimeTagger.CustomMeasurement):
    """A script's class, with the loop compiled."""

    def __init__(self, tagger):
        TimeTagger.CustomMeasurement.__init__(self, tagger)
        self.register_channel(1)
        self.register_channel(2)
        self.clear_impl()
        self.finalize_init()

    def clear_impl(self):
        self.start_time, self.histogram = -1, np.zeros(100, np.int64)

    def process(self, incoming_tags, begin_time, end_time):
        self.start_time = first_clicks(incoming_tags, self.histogram, 10, self.start_time)


def test_a_compiled_loop_over_tags():
    random = np.random.default_rng(1)
    time = np.cumsum(random.integers(1, 60, 2000))
    block = TagBlock(0, int(time[-1]) + 1, time, random.integers(1, 4, 2000).astype(np.int32))
    tagger = SteppedTagger(block)
    measurement = UserStartStop(tagger)
    tagger.play(range(0, block.end, 5000))
    bins = np.flatnonzero(measurement.histogram)
    expected = start_stop(block, 2, 1, 10)
    assert list(zip((bins * 10).tolist(), measurement.histogram[bins].tolist(), strict=True)) == expected


def test_an_empty_queue_says_so():
    queue = Iterator(SteppedTagger(TICKS), 1)
    with pytest.raises(StateError, match="queue of channel 1 is empty"):
        queue.next()


def test_a_full_queue_drops_and_counts(monkeypatch):
    monkeypatch.setattr("tagwire.measurements.fifo.VALUES_MAX", 7)
    tagger = SteppedTagger(TICKS)
    queue = Iterator(tagger, 1)
    tagger.play(range(0, 1000, 100))
    assert (queue.size(), queue.getConfiguration()["dropped"]) == (7, 43)
    assert [queue.next() for _ in range(7)] == list(range(0, 140, 20))
    queue.clear()
    assert queue.getConfiguration()["dropped"] == 0
