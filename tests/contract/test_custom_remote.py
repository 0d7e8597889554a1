"""CustomMeasurement at a client gets what one in the process of the tagger gets, and lives by the same rules."""

from __future__ import annotations

import _thread
import gc
import logging
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tagwire
from tagwire.core.catalog import read_catalog
from tagwire.core.tags import TAG_DTYPE, TagBlock, TagType
from tagwire.errors import ArgumentError, ConnectionBroken, NotSupported, StateError
from tagwire.rpc.client.feed import Feed
from tagwire.rpc.server import Server
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of, cuts, tag_blocks

CATALOG = read_catalog(tagwire.TimeTagger)
CHANNELS = (1, 2, 3, -1, 1001)
TICKS = TagBlock(0, 1000, np.arange(0, 1000, 10), np.tile(np.array([1, 2], np.int32), 50))


class Bench:
    """A server whose virtual tagger is a stepped one, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self._next: SteppedTagger | None = None
        module = type("Library", (), {})()
        for name in dir(tagwire.TimeTagger):
            if not name.startswith("_") or name == "__name__":
                setattr(module, name, getattr(tagwire.TimeTagger, name))
        module.createTimeTaggerVirtual = self._open
        self.server = Server(module, "127.0.0.1", 0, folder, catalog=CATALOG).start()
        self.TT: Any = tagwire.connect("127.0.0.1", self.server.port)

    def _open(self, filename: str = "", begin: int = 0, duration: int = -1) -> Any:
        if self._next is None:
            return tagwire.TimeTagger.createTimeTaggerVirtual(filename, begin, duration)
        stepped, self._next = self._next, None
        return stepped

    def stepped(self, block: TagBlock, channels: Any = None) -> tuple[SteppedTagger, Any]:
        """A stepped tagger, and the one at the client that stands for it."""
        self._next = stepped = SteppedTagger(block, channels)
        return stepped, self.TT.createTimeTaggerVirtual()

    def close(self) -> None:
        self.TT.close()
        self.server.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("data"))
    yield made
    made.close()


def read(measurement: Any) -> None:
    """Take in all that is there now, as the thread does sooner or later."""
    measurement._tagwire_feed.poll()


def recorder(TT: Any) -> type[Any]:
    class Recorder(TT.CustomMeasurement):  # type: ignore[misc]
        """Keeps every call."""

        def __init__(self, tagger: Any, channels: Any) -> None:
            super().__init__(tagger)
            self.calls: list[tuple[Any, int, int]] = []
            for channel in channels:
                self.register_channel(channel)
            self.finalize_init()

        def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
            self.calls.append((incoming_tags, begin_time, end_time))

        def clear_impl(self) -> None:
            self.calls = []

        def tags(self) -> list[Any]:
            with self.mutex:
                return [row for tags, _, _ in self.calls for row in tags.tolist()]

        def spans(self) -> list[tuple[int, int]]:
            with self.mutex:
                return [(begin, end) for _, begin, end in self.calls]

    return Recorder


def counting(TT: Any) -> type[Any]:
    class Counting(TT.CustomMeasurement):  # type: ignore[misc]
        """Counts the tags of a channel and notes which hooks were called."""

        def __init__(self, tagger: Any, channel: int = 1) -> None:
            super().__init__(tagger)
            self.register_channel(channel=channel)
            self.hooks: list[str] = []
            self.clear_impl()
            self.finalize_init()

        def __del__(self) -> None:
            self.stop()

        def getData(self) -> int:
            with self.mutex:
                return self.count

        def clear_impl(self) -> None:
            self.count = 0
            self.hooks.append("clear")

        def on_start(self) -> None:
            self.hooks.append("start")

        def pre_stop(self) -> None:
            assert self.is_running()
            self.hooks.append("stopping")

        def on_stop(self) -> None:
            self.hooks.append("stop")

        def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
            self.count += len(incoming_tags)

    return Counting


@settings(max_examples=40, deadline=None)
@given(st.data(), tag_blocks(channels=CHANNELS), st.sets(st.sampled_from(CHANNELS), min_size=1))
def test_the_same_tags_in_the_same_span(bench: Bench, data: Any, block: TagBlock, channels: set[int]) -> None:
    stepped, tagger = bench.stepped(block, CHANNELS)
    here, there = recorder(tagwire.TimeTagger)(stepped, channels), recorder(bench.TT)(tagger, channels)
    for cut in data.draw(cuts(block)):
        stepped.advance(cut)
        if data.draw(st.booleans()):
            read(there)
    stepped.play()
    there.stop()
    assert there.tags() == here.tags()
    assert there.getCaptureDuration() == here.getCaptureDuration() == block.end - block.begin
    edges = [begin for begin, _ in there.spans()] + [block.end]
    assert there.spans() == list(pairwise(edges))
    assert edges[0] == block.begin
    for tags, begin, end in there.calls:
        assert tags.dtype == TAG_DTYPE == bench.TT.CustomMeasurement.INCOMING_TAGS_DTYPE
        assert not tags.view(np.uint8).reshape(-1, 16)[:, 1].any()
        assert all(begin <= time < end for time in tags["time"])


@settings(max_examples=25, deadline=None)
@given(st.data(), tag_blocks(channels=(1, 2)), st.integers(0, 300), st.integers(0, 300))
def test_a_capture_is_exact(bench: Bench, data: Any, block: TagBlock, first: int, duration: int) -> None:
    stepped, tagger = bench.stepped(block, (1, 2))
    here, there = recorder(tagwire.TimeTagger)(stepped, [1]), recorder(bench.TT)(tagger, [1])
    stepped.advance(min(block.begin + first, block.end))
    for one in (here, there):
        one.startFor(duration)
    for cut in data.draw(cuts(block)):
        stepped.advance(cut)
    stepped.play()
    read(there)
    assert there.tags() == here.tags()
    assert there.getCaptureDuration() == here.getCaptureDuration()
    assert there.isRunning() == here.isRunning()


def test_hooks_follow_the_life_of_the_measurement(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    assert measured.hooks == ["clear", "start"]
    stepped.advance(100)
    read(measured)
    assert measured.getData() == 5
    measured.start()  # it runs already
    measured.stop()
    measured.stop()
    measured.startFor(200)
    assert (measured.hooks, measured.getData()) == (["clear", "start", "stopping", "stop", "clear", "start"], 0)
    stepped.advance(500)
    assert measured.waitUntilFinished(timeout=60_000)
    assert (measured.getData(), measured.getCaptureDuration()) == (10, 200)
    assert measured.hooks[6:] == ["stopping", "stop"]
    measured.clear()
    assert measured.hooks[8:] == ["clear"]
    measured.startFor(0)
    assert measured.hooks[9:] == ["clear"]
    with measured:
        measured.start()
        assert measured.isRunning()
    assert measured.hooks[10:] == ["start", "stopping", "stop"]


def test_going_on_and_clearing(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    here, there = recorder(tagwire.TimeTagger)(stepped, [1]), recorder(bench.TT)(tagger, [1])
    steps: list[Callable[[Any], None]] = [
        lambda m: m.stop(),
        lambda m: m.start(),
        lambda m: m.startFor(150, clear=False),
        lambda m: m.startFor(130, clear=False),
        lambda m: m.clear(),
        lambda m: m.start(),
        lambda m: m.abort(),
        lambda m: m.startFor(70, False),
    ]
    for step in steps:
        for one in (here, there):
            step(one)
        stepped.advance(stepped._hub.position + 95)
        read(there)
        assert (there.tags(), there.getCaptureDuration()) == (here.tags(), here.getCaptureDuration())
        assert there.isRunning() == here.isRunning()


def test_it_listens_only_after_finalize_init(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measurement = bench.TT.CustomMeasurement(tagger)
    with pytest.raises(StateError, match="finalize_init"):
        measurement.start()
    with pytest.raises(StateError, match="register at least one channel"):
        measurement.finalize_init()
    assert stepped.getConfiguration()["measurements"] == []
    measurement.register_channel(1)
    measurement.finalize_init()
    measurement.finalize_init()
    assert measurement.is_running()
    assert len(stepped.getConfiguration()["measurements"]) == 1


def test_channels_may_change_while_it_runs(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    measured.register_channel(1)  # a second time
    assert stepped.getRegistrations(1) == 1
    stepped.advance(100)
    measured.registerChannel(2)
    stepped.advance(200)
    measured.unregister_channel(1)
    measured.unregister_channel(1)
    stepped.advance(300)
    measured.stop()
    assert measured.getData() == 5 + 10 + 5
    assert measured.getCaptureDuration() == 300
    assert measured.getConfiguration()["registered channels"] == [2]
    with pytest.raises(ArgumentError, match="3"):
        measured.register_channel(3)
    with pytest.raises(StateError, match="register at least one channel"):
        measured.unregister_channel(2)
    assert measured.getConfiguration()["registered channels"] == [2]


def test_lost_tags_show(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    small = type("Small", (recorder(bench.TT),), {"N_MAX_EVENTS": 5})
    measured = small(tagger, [1])
    with measured._tagwire_feed.commands:  # the thread cannot read meanwhile
        stepped.advance(200)
    measured.stop()
    kinds = [row[0] for row in measured.tags()]
    assert kinds == [TagType.TimeTag] * 5 + [TagType.OverflowBegin, TagType.OverflowEnd]
    assert [row[3] for row in measured.tags()][5:] == [80, 199]


def test_overflows_come_through(bench: Bench) -> None:
    rows = [(1, -134217728, TagType.OverflowBegin, 0), (2, 1, TagType.MissedEvents, 3)]
    rows += [(3, 2, TagType.MissedEvents, 4), (4, -134217728, TagType.OverflowEnd, 0), (5, 2, TagType.TimeTag, 0)]
    stepped, tagger = bench.stepped(block_of(rows, 0, 10), [1, 2])
    measured = recorder(bench.TT)(tagger, [1])
    stepped.play()
    measured.stop()
    assert measured.tags() == [(2, 0, -134217728, 1), (4, 3, 1, 2), (3, 0, -134217728, 4)]


def test_an_error_ends_this_measurement_and_no_other(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    stepped, tagger = bench.stepped(TICKS)

    class Failing(counting(bench.TT)):  # type: ignore[misc]
        def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
            if len(incoming_tags):
                raise ValueError("as expected")

    failing, other = Failing(tagger), counting(bench.TT)(tagger)
    with caplog.at_level(logging.ERROR):
        stepped.advance(100)
        with pytest.raises(StateError, match="the capture broke off: ValueError\\('as expected'\\)"):
            failing.waitUntilFinished(60_000)
    assert "Failing failed and was stopped" in caplog.text
    assert "as expected" in caplog.text
    assert failing.hooks == ["clear", "start", "stopping", "stop"]
    assert not failing.isRunning()
    read(other)
    assert (other.isRunning(), other.getData()) == (True, 5)


def test_hooks_may_steer(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)

    class Once(counting(bench.TT)):  # type: ignore[misc]
        def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
            super().process(incoming_tags, begin_time, end_time)
            if len(incoming_tags):
                self.stop()

    once = Once(tagger)
    stepped.advance(100)
    assert once.waitUntilFinished(60_000)
    stepped.advance(200)
    assert (once.getData(), once.isRunning(), once.hooks[2:]) == (5, False, ["stopping", "stop"])


def test_inside_the_mutex_it_may_be_steered(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    reading = threading.Thread(target=read, args=(measured,), daemon=True)

    def steer() -> None:
        with measured.mutex:
            stepped.advance(100)
            reading.start()
            reading.join(0.2)  # it would now stand before the hooks, if it could come so far
            measured.clear()
            measured.stop()
            measured.start()

    steering = threading.Thread(target=steer, daemon=True)
    steering.start()
    for thread in (steering, reading):
        thread.join(60)
        assert not thread.is_alive()
    stepped.advance(300)
    measured.stop()
    assert measured.getData() == 10


def test_who_keeps_the_tags_out_cannot_wait_for_them(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    caught: list[StateError] = []

    class Waiting(counting(bench.TT)):  # type: ignore[misc]
        def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
            super().process(incoming_tags, begin_time, end_time)
            with pytest.raises(StateError, match="in a hook") as raised:
                self.waitUntilFinished()
            caught.append(raised.value)

    waiting = Waiting(tagger)
    with waiting.mutex:
        for timeout in (-1, 10**6):
            with pytest.raises(StateError, match="holds its mutex"):
                waiting.waitUntilFinished(timeout)
        assert not waiting.waitUntilFinished(0)
    stepped.advance(100)
    waiting.stop()
    assert (waiting.getData(), len(caught) > 0) == (5, True)
    with waiting.mutex:
        assert waiting.waitUntilFinished()


def test_a_thread_that_is_about_to_end_fetches_nothing_for_those_who_start_anew(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    measured.stop()
    feed, end = measured._tagwire_feed, threading.Event()
    ending = threading.Thread(target=end.wait, daemon=True)
    ending.start()
    with feed.commands:
        feed._thread = ending
        assert feed.fetch() is None
    measured.startFor(100)
    assert feed._thread is not ending
    end.set()
    stepped.advance(100)
    assert measured.waitUntilFinished(60_000)
    assert measured.getData() == 5


def test_all_of_them_can_be_stopped(bench: Bench) -> None:
    _, tagger = bench.stepped(TICKS)
    both = [counting(bench.TT)(tagger, channel) for channel in (1, 2)]
    bench.TT.CustomMeasurement.stop_all_custom_measurements()
    assert [one.isRunning() for one in both] == [False, False]
    assert both[0].hooks == ["clear", "start", "stopping", "stop"]


def test_one_without_process_says_so_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = type("Silent", (bench.TT.CustomMeasurement,), {})(tagger)
    measured.register_channel(1)
    measured.finalize_init()
    for end in (100, 200):
        stepped.advance(end)
        read(measured)
    measured.stop()
    assert caplog.text.count("Silent has no process(), so its tags are dropped") == 1


def test_a_group_steers_it(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    group = bench.TT.SynchronizedMeasurements(tagger)
    measured = recorder(bench.TT)(group.getTagger(), [1])
    assert not measured.isRunning()
    stepped.advance(100)
    group.startFor(200)
    stepped.advance(250)
    read(measured)
    assert measured.isRunning()
    stepped.advance(500)
    assert measured.waitUntilFinished(60_000)
    assert measured.getCaptureDuration() == 200
    assert [row[3] for row in measured.tags()] == list(range(100, 300, 20))
    group.startFor(50)
    stepped.advance(600)
    assert measured.waitUntilFinished(60_000)
    assert [row[3] for row in measured.tags()] == [500, 520, 540]


def test_nobody_keeps_it_alive(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    ref = weakref.ref(measured)
    thread = measured._tagwire_feed._thread
    del measured
    gc.collect()
    thread.join(120)
    assert not thread.is_alive()
    gc.collect()
    assert ref() is None
    deadline = time.monotonic() + 30
    while stepped.getConfiguration()["measurements"] and time.monotonic() < deadline:
        bench.TT.getVersion()  # the server hears of what is not needed before the next call, and acts soon
    assert stepped.getConfiguration()["measurements"] == []


def test_the_server_goes_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagwire.rpc.client.link.PAUSES_S", (0.0,))
    bench = Bench(tmp_path)
    _, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    with caplog.at_level(logging.ERROR):
        bench.server.close()
        with pytest.raises(StateError, match="the capture broke off"):
            measured.waitUntilFinished(60_000)
    assert "Counting failed and was stopped" in caplog.text
    bench.close()


def test_it_goes_on_after_a_broken_link(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stepped, tagger = bench.stepped(TICKS)
    measured = recorder(bench.TT)(tagger, [1])
    stepped.advance(100)
    bench.TT._link._connections[0]._sock.shutdown(socket.SHUT_RDWR)
    stepped.advance(200)
    measured.stop()
    # Whether a call of the thread was out when the link broke, nobody knows; tags are lost only then, and it shows.
    lost = any(row[0] == TagType.OverflowBegin for row in measured.tags())
    times = [row[3] for row in measured.tags() if row[0] == TagType.TimeTag]
    assert times == list(range(0, 200, 20)) or (lost and set(times) < set(range(0, 200, 20)))
    assert measured.getCaptureDuration() == 200
    bench.close()


def test_tags_that_were_lost_on_their_way_show(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = recorder(bench.TT)(tagger, [1])
    feed = measured._tagwire_feed
    with feed.commands:
        stepped.advance(100)
        read(measured)
        stepped.advance(200)
        with pytest.MonkeyPatch.context() as patch:
            really = feed._reader.read

            def lose() -> Any:
                really()
                raise ConnectionBroken("the server went away in the middle of a call")

            patch.setattr(feed._reader, "read", lose)
            read(measured)
        assert measured.isRunning()
        stepped.advance(300)
        read(measured)
    measured.stop()
    times = [*range(0, 100, 20), *range(200, 300, 20)]
    assert [row[3] for row in measured.tags() if row[0] == TagType.TimeTag] == times
    marks = [(row[0], row[3]) for row in measured.tags() if row[0] != TagType.TimeTag]
    assert marks == [(TagType.OverflowBegin, 100), (TagType.OverflowEnd, 200)]
    assert measured.getCaptureDuration() == 300
    edges = [begin for begin, _ in measured.spans()] + [300]
    assert measured.spans() == list(pairwise(edges))


def test_a_wait_can_be_interrupted(bench: Bench) -> None:
    stepped, tagger = bench.stepped(TICKS)
    measured = counting(bench.TT)(tagger)
    waiting = threading.Event()
    look = type(measured._tagwire_feed).running

    def interrupt() -> None:
        waiting.wait(120)
        _thread.interrupt_main()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Feed, "running", property(lambda feed: (look.fget(feed), waiting.set())[0]))  # type: ignore[misc]
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            measured.waitUntilFinished()
        thread.join(120)
    stepped.advance(100)
    measured.stop()
    assert measured.getData() == 5


def test_a_recording_gives_the_same(bench: Bench, recorded: Path) -> None:
    def pairs(TT: Any, name: str) -> Any:
        class Pairs(TT.CustomMeasurement):  # type: ignore[misc]
            """Times from each tag of channel 1 to the next one of channel 2: a state that crosses blocks."""

            def __init__(self, tagger: Any) -> None:
                super().__init__(tagger)
                self.register_channel(1)
                self.register_channel(2)
                self.started: int | None = None
                self.times: list[int] = []
                self.finalize_init()

            def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
                for _, _, channel, when in incoming_tags.tolist():
                    if channel == 1:
                        self.started = when
                    elif self.started is not None:
                        self.times.append(when - self.started)
                        self.started = None

        with TT.createTimeTaggerVirtual(name) as tagger:
            measured = Pairs(tagger)
            tagger.run()
            assert tagger.waitUntilFinished(timeout=60_000)
            measured.stop()
            return measured.times, measured.getCaptureDuration()

    here = pairs(tagwire.TimeTagger, str(recorded))
    assert pairs(bench.TT, recorded.name) == here
    assert len(here[0]) > 1000


@pytest.fixture
def recorded(bench: Bench) -> Path:
    folder = bench.server.service._files.path  # type: ignore[union-attr]
    rng = np.random.default_rng(1)
    time = np.sort(rng.integers(0, 10**10, 20_000))
    stepped = SteppedTagger(TagBlock(0, 10**10, time, rng.integers(1, 3, 20_000).astype(np.int32)))
    with tagwire.TimeTagger.FileWriter(stepped, str(folder / "pairs.ttbin"), [1, 2]):
        stepped.play()
    return Path(folder / "pairs.ttbin")


def test_what_has_no_tags_stays_refused(bench: Bench) -> None:
    with pytest.raises(NotSupported, match="your own code"):
        bench.TT.CustomLogger()
    with pytest.raises(TypeError, match="tagger must be a Time Tagger of the same server, not None"):
        bench.TT.CustomMeasurement(None)
    measured = counting(bench.TT)(bench.stepped(TICKS)[1])
    for subscribe in (lambda: measured.on_update(1), measured.on_finished):
        with pytest.raises(NotSupported, match="this measurement runs here"):
            subscribe()
    assert issubclass(bench.TT.CustomMeasurement, bench.TT.CustomMeasurementBase)
    assert issubclass(bench.TT.CustomMeasurementBase, bench.TT.IteratorBase)
