"""The hub: who sees what, in which order, and that one failure or death disturbs nobody."""

from __future__ import annotations

import gc
import logging
import weakref

import numpy as np
import pytest

from tagwire.core.channels import FIRST_VIRTUAL_CHANNEL
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError, ArgumentKindError, StateError
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.stream import TimeTagStream
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.delayed import DelayedChannel

TEN = TagBlock(0, 100, np.arange(0, 100, 10), np.ones(10, np.int32))


class Earlier(VirtualChannelBase):
    """Copies channel 1 `shift` ps earlier, and each copy `later` ps later once more; fails at the tag at `fails`."""

    def __init__(self, tagger, shift=25, later=0, fails=-1):
        self.shift, self.later, self.fails = shift, later, fails
        super().__init__(tagger, [1], {}, outputs=1)
        self._launch()

    @property
    def _lookback(self):
        return self.shift

    def _generate(self, block):
        if self.fails in block.time:
            raise ArithmeticError("broken on purpose")
        time = block.time[block.channel == 1] - self.shift
        time = np.sort(np.concatenate([time, time + self.later])) if self.later else time
        return TagBlock(block.begin, block.end, time, np.full(len(time), self._outputs[0], np.int32))


class Spans(IteratorBase):
    """Keeps the spans and times it is given."""

    def __init__(self, tagger):
        super().__init__(tagger, [1], {})
        self.spans: list[tuple[int, int]] = []
        self.times: list[int] = []
        self._launch()

    def _process(self, block):
        self.spans.append((block.begin, block.end))
        self.times += block.time.tolist()


def assert_gapless(spans, begin, end):
    edges = [begin, *[s[1] for s in spans]]
    assert [s[0] for s in spans] == edges[:-1]
    assert edges[-1] == end


def test_a_virtual_channel_is_seen_by_those_behind_it_and_in_order():
    tagger = SteppedTagger(TEN)
    before = Spans(tagger)
    earlier = Earlier(tagger)
    behind = TimeTagStream(tagger, 100, [1, *earlier._outputs])
    spans = Spans(tagger)
    tagger.play([35, 40, 41, 80])
    assert before.times == TEN.time.tolist()
    buffer = behind.getData()
    assert earlier._outputs == (FIRST_VIRTUAL_CHANNEL,)
    assert sorted(buffer.getTimestamps()) == buffer.getTimestamps().tolist()
    mine = buffer.getChannels() == FIRST_VIRTUAL_CHANNEL
    assert buffer.getTimestamps()[mine].tolist() == [5, 15, 25, 35, 45, 55, 65]
    assert_gapless(spans.spans, 0, 100)


@pytest.mark.parametrize(
    ("call", "arguments", "times"), [("clear", (), [50, 60, 70, 80, 90]), ("startFor", (30,), [50, 60, 70])]
)
def test_a_capture_is_exact_behind_a_virtual_channel_that_holds_tags_back(call, arguments, times):
    tagger = SteppedTagger(TEN)
    earlier = Earlier(tagger, shift=40)
    stream = TimeTagStream(tagger, 100, [1])
    tagger.advance(45)
    getattr(stream, call)(*arguments)
    tagger.play([50, 55])
    assert stream.getData().getTimestamps().tolist() == times
    assert stream.getCaptureDuration() == (30 if arguments else 55)
    assert earlier.isRunning()


@pytest.mark.parametrize("end", ["fails", "closes", "dies"])
def test_a_virtual_channel_that_ends_leaves_no_gap_and_loses_no_tag(end, caplog):
    tagger = SteppedTagger(TEN)
    earlier = Earlier(tagger, later=60, fails=50 if end == "fails" else -1)
    spans = Spans(tagger)
    tagger.advance(45)
    if end == "closes":
        earlier._close()
    elif end == "dies":
        earlier = None
        gc.collect()
    with caplog.at_level(logging.ERROR):
        tagger.advance(55)
        tagger.play([60])
    assert_gapless(spans.spans, 0, 100)
    assert sorted(spans.times) == spans.times
    assert [t for t in spans.times if t % 10 == 0] == TEN.time.tolist()
    if end == "fails":
        assert "Earlier failed and was stopped" in caplog.text
        assert not earlier.isRunning()
        with pytest.raises(StateError, match="broken on purpose"):
            earlier.waitUntilFinished()
        earlier.start()
        assert not earlier.waitUntilFinished(0)


def test_the_hub_keeps_no_measurement_alive():
    tagger = SteppedTagger(TEN)
    gone = weakref.ref(Countrate(tagger, [1]))
    gc.collect()
    assert gone() is None
    assert tagger.getRegistrations(1) == 0
    tagger.play()


def test_registrations_count_measurements_not_mentions():
    tagger = SteppedTagger(TEN, [1, 2])
    first, second = Countrate(tagger, [1, 1]), Countrate(tagger, [1, 2])
    assert (tagger.getRegistrations(1), tagger.getRegistrations(2)) == (2, 1)
    with second:
        pass
    assert (tagger.getRegistrations(1), tagger.isChannelRegistered(2)) == (1, False)
    assert not second.isRunning()
    assert first.isRunning()


def test_max_events_limits_a_block_but_never_parts_equal_times():
    times = np.array([1, 2, 2, 2, 3, 4, 5])
    tagger = SteppedTagger(TagBlock(0, 10, times, np.ones(7, np.int32)))
    tagger._hub.max_events = 2
    spans = Spans(tagger)
    tagger.play()
    assert spans.times == times.tolist()
    assert_gapless(spans.spans, 0, 10)
    assert spans.spans == [(0, 2), (2, 3), (3, 5), (5, 10)]


def test_overflows_are_counted():
    types = np.array([2, 3, 2, 4, 3], np.uint8)
    block = TagBlock(0, 10, np.arange(5), np.full(5, 1, np.int32), types, np.zeros(5, np.uint16))
    tagger = SteppedTagger(block, [1])
    tagger.play([3])
    assert tagger._hub.overflows == 2


def test_what_a_measurement_refuses_leaves_nothing_behind():
    tagger = SteppedTagger(TEN)
    with pytest.raises(ArgumentError, match=r"channels\[1\] is 7, but this tagger has the channels 1"):
        Countrate(tagger, [1, 7])
    with pytest.raises(ArgumentError, match="tagger is None"):
        Countrate(None, [1])
    with pytest.raises(ArgumentKindError, match="tagger must be a Time Tagger"):
        Countrate("tagger", [1])
    assert tagger._hub.iterators() == []
    with tagger:
        pass
    with pytest.raises(StateError, match="freed"):
        Countrate(tagger, [1])


def test_without_autostart_nothing_runs_by_itself():
    tagger = SteppedTagger(TEN)
    tagger.xtra_setAutoStart(False)
    rate = Countrate(tagger, [1])
    tagger.advance(50)
    assert not rate.isRunning()
    assert rate.getCaptureDuration() == 0
    rate.start()
    tagger.play()
    assert rate.getCountsTotal().tolist() == [5]
    assert rate.getCaptureDuration() == 50


def test_a_fence_passes_at_once_when_nothing_flows():
    tagger = SteppedTagger(TEN)
    assert tagger.sync(0)
    with pytest.raises(ArgumentError, match="fence"):
        tagger.waitForFence(tagger.getFence(alloc_fence=False) + 1)


def test_a_fence_passes_with_the_next_block_and_not_before():
    tagger = SteppedTagger(TEN)
    tagger._hub.flow()
    fence = tagger.getFence()
    assert not tagger.waitForFence(fence, 0)
    tagger.advance(10)
    assert tagger.waitForFence(fence, 0)
    assert not tagger.sync(0)


def test_the_abstract_base_is_not_created():
    with pytest.raises(AttributeError, match="No constructor defined"):
        IteratorBase(SteppedTagger(TEN), [1], {})


def test_the_configuration_names_parameters_and_channels():
    tagger = SteppedTagger(TEN)
    rate = Countrate(tagger, [1])
    expected = {"name": "Countrate", "params": {"channels": [1]}, "registered channels": [1], "virtual channels": []}
    assert rate.getConfiguration() == expected
    assert tagger.getConfiguration()["measurements"] == [expected]


def test_readers_of_a_virtual_channel_that_fails_are_told() -> None:
    tagger = SteppedTagger(TEN)
    broken = Earlier(tagger, fails=30)
    again = DelayedChannel(tagger, broken._outputs[0], 4)
    near, far = Countrate(tagger, [broken._outputs[0]]), Countrate(tagger, [again.getChannel()])
    other = Countrate(tagger, [1])
    tagger.play([20])
    for reader in (broken, again, near, far):
        assert not reader.isRunning()
        with pytest.raises(StateError, match="broken on purpose"):
            reader.waitUntilFinished(0)
    assert other.getCountsTotal().tolist() == [10]
