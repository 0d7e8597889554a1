"""A client's stream under whatever happens to it: every event arrives once, or is reported as missed, in order of time.

Real feeds, rings and sources; only the network between them is left out, and broken at random.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.enums import AccessMode
from tagwire.core.tags import TIME_MAX, TagBlock, TagType
from tagwire.errors import ArgumentError, ConnectionBroken, EndOfFeed, ServerUnreachable, StateError
from tagwire.network import inbox
from tagwire.network import source as network_source
from tagwire.network.access import Access
from tagwire.network.feeds import Feeds, Seat
from tagwire.network.frame import Frame, Resume
from tagwire.network.source import NetworkSource
from tagwire.network.station import EngineStation
from tagwire.testing import SteppedTagger
from tagwire.testing.tap import Tap

CHANNELS = (1, 2, 3)
STEP = 1000
PATIENCE_S = 120.0


class Wire:
    """A stream that can be broken, as `FrameStream` is."""

    def __init__(self, feeds: Feeds, seat: Seat) -> None:
        self.greeting: dict[str, Any] = {"epoch": feeds.epoch} | seat.greeting()
        self._feeds, self._seat = feeds, seat
        self.broken = threading.Event()

    def read(self) -> list[tuple[int, Frame]]:
        if self.broken.is_set():
            self._feeds.leave(self._seat)
            raise ConnectionBroken("cut")
        try:
            return [(self._feeds.epoch, frame) for frame in self._seat.take(0.01)]
        except EndOfFeed:
            self._feeds.leave(self._seat)
            raise

    def cancel(self) -> None:
        self.broken.set()


class Lab:
    """A server, its tagger, and the only link to it."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.wires: list[Wire] = []
        self.sent: Counter[int] = Counter()
        self.source: NetworkSource | None = None
        self.random = np.random.default_rng(1)
        self.restart()

    def restart(self, channels: tuple[int, ...] = CHANNELS) -> None:
        if hasattr(self, "feeds"):
            self.feeds.close("stopped")
        self.tagger = SteppedTagger(TagBlock.empty(0, TIME_MAX // 2), channels)
        self.tagger._hub.patient = False
        self.feeds = Feeds(EngineStation(self.tagger, ()), Access(AccessMode.Listen), self.memory)

    def open(self, channels: Sequence[int], resume: Resume | None = None) -> Wire:
        wire = Wire(self.feeds, self.feeds.join(channels, resume, "client", "here"))
        self.wires.append(wire)
        if self.source is not None and resume is None:  # tags come in before the client has got its stream
            self.advance(500, frozenset())
        return wire

    def ask(self, action: str, request: Any = None, timeout: Any = None) -> Any:
        if action != "info":
            raise ServerUnreachable("there are no questions here")
        return {"exposed channels": list(self.feeds.existing())}

    def renew(self) -> None:
        pass

    def cut(self) -> None:
        for wire in self.wires:
            wire.cancel()

    def advance(self, tags: int, listening: frozenset[int]) -> None:
        """Let some tags of all channels pass."""
        hub = self.tagger._hub
        begin = hub.position
        time = np.sort(self.random.integers(begin, begin + STEP, tags))
        channel = self.random.choice(CHANNELS, tags).astype(np.int32)
        block = TagBlock(begin, begin + STEP, time, channel)
        hub.source._block = block  # type: ignore[attr-defined]
        hub.step(STEP)
        self.sent.update(int(c) for c in channel if int(c) in listening)


class Reader:
    """Takes everything from a source, and checks that it is a stream."""

    def __init__(self, source: NetworkSource) -> None:
        self.source = source
        self.received: Counter[int] = Counter()
        self.missed: Counter[int] = Counter()
        self.errors = 0
        self.position = source.position
        self.within = False

    def read(self) -> None:
        while self.source.wait(0):
            block = self.source.read(TIME_MAX // 2, ())
            assert block is not None
            self._check(block)

    def _check(self, block: TagBlock) -> None:
        assert block.begin == self.position
        assert block.end >= block.begin
        times = [block.begin, *block.time.tolist(), block.end]
        assert times == sorted(times)
        self.position = block.end
        for kind, channel, missed in zip(block.types, block.channel, block.missed_events, strict=True):
            match kind:
                case TagType.TimeTag:
                    self.received[int(channel)] += 1
                case TagType.MissedEvents:
                    assert self.within
                    self.missed[int(channel)] += int(missed)
                case TagType.OverflowBegin:
                    assert not self.within
                    self.within = True
                case TagType.OverflowEnd:
                    assert self.within
                    self.within = False
                case _:
                    self.errors += 1


actions = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.integers(0, 3000)),
        st.tuples(st.just("request"), st.sets(st.sampled_from(CHANNELS))),
        st.tuples(st.just("cut"), st.none()),
        st.tuples(st.just("read"), st.none()),
    ),
    max_size=25,
)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_source, "RETRY_S", 0.001)
    monkeypatch.setattr(inbox, "QUEUE_TAGS", inbox.QUEUE_TAGS)
    monkeypatch.setattr("tagwire.network.feeds.CAPACITY_MIN", 4_000)


@settings(max_examples=60)
@given(actions, st.sampled_from([0, 2**26]), st.sampled_from([50, 2**21]))
def test_every_event_arrives_or_is_reported(todo: list[tuple[str, Any]], memory: int, room: int) -> None:
    inbox.QUEUE_TAGS = room  # type: ignore[misc]  # put back by the fixture
    lab = Lab(memory)
    source = NetworkSource(lab, CHANNELS)
    reader = Reader(source)
    listening: frozenset[int] = frozenset()
    try:
        for action, value in todo:
            match action:
                case "advance":
                    lab.advance(value, listening)
                case "request":
                    wanted = tuple(sorted(value))
                    wait_for(lambda: source.connected)
                    source.request(wanted)
                    wait_for(lambda wanted=wanted: carries(source, reader, wanted))
                    listening = frozenset(value)
                case "cut":
                    lab.cut()
                case _:
                    reader.read()
        end = lab.tagger._hub.position
        wait_for(lambda: (reader.read(), source.connected and reader.position >= end)[1])
    finally:
        source.close()
        lab.feeds.close("")
    assert reader.received + reader.missed == lab.sent
    assert reader.errors == 0
    assert not reader.within


@settings(max_examples=60)
@given(actions, st.integers(0, 3 * STEP), st.booleans())
def test_channels_that_join_a_stream_that_lags(todo: list[tuple[str, Any]], lag: int, slow: bool) -> None:
    lab = Lab(0)
    lab.tagger.setDelaySoftware(2, -lag)  # so the stream that comes out is behind the one that goes in
    tap = Tap(lab.tagger)
    source = NetworkSource(lab, CHANNELS)
    lab.source = source if slow else None
    reader = Reader(source)
    listening: frozenset[int] = frozenset()
    try:
        for action, value in todo:
            match action:
                case "advance":
                    lab.advance(value, listening)
                case "request":
                    listening = listening | value
                    wanted = tuple(sorted(listening))
                    lab.advance(100, listening)
                    source.request(wanted)
                    lab.advance(100, listening)
                    for _ in range(5):
                        lab.advance(100, listening)
                    wait_for(lambda wanted=wanted: carries(source, reader, wanted))
                case "cut":
                    lab.cut()
                case _:
                    reader.read()
        end = lab.tagger._hub.position
        for _ in range(5):
            lab.advance(100, listening)
        wait_for(lambda: (reader.read(), source.connected and reader.position >= end)[1])
    finally:
        source.close()
        lab.feeds.close("")
    since = source._since
    sent = tap.block().take(0, reader.position)
    for channel in CHANNELS:
        times = sent.time[sent.channel == channel]
        expected = int(np.count_nonzero(times >= since[channel])) if channel in since else 0
        assert reader.received[channel] + reader.missed[channel] == expected


def carries(source: NetworkSource, reader: Reader, wanted: tuple[int, ...]) -> bool:
    """Whether the stream has come to where it carries `wanted`; asks again where a cut came in between."""
    reader.read()  # as the thread of a client does all the time
    if source._assembler.channels == wanted and source.connected:
        return True
    source.request(wanted)
    return False


def test_a_server_that_was_restarted_goes_on_behind_an_error() -> None:
    lab = Lab(2**26)
    source = NetworkSource(lab, CHANNELS)
    reader = Reader(source)
    try:
        source.request((1, 2))
        wait_for(lambda: source._assembler.channels == (1, 2))
        for _ in range(3):
            lab.advance(1000, frozenset({1, 2}))
        wait_for(lambda: (reader.read(), reader.position >= 3 * STEP)[1])
        assert reader.received == lab.sent
        lab.restart()
        wait_for(lambda: source.connected and source._stream.greeting["epoch"] == lab.feeds.epoch)
        lab.advance(1000, frozenset({1, 2}))
        wait_for(lambda: (reader.read(), reader.received == lab.sent)[1])
        assert (reader.errors, reader.missed) == (1, Counter())
        assert reader.position > 4 * STEP
    finally:
        source.close()
        lab.feeds.close("")


def test_times_of_a_restarted_server_are_known_before_its_first_tags() -> None:
    lab = Lab(2**26)
    source = NetworkSource(lab, CHANNELS)
    reader = Reader(source)
    try:
        lab.advance(1000, frozenset())
        wait_for(lambda: (reader.read(), reader.position >= STEP)[1])
        lab.restart()
        wait_for(lambda: source.connected and source._stream.greeting["epoch"] == lab.feeds.epoch)
        later = source.client_time(lab.feeds.epoch, 2 * STEP)
        for _ in range(2):
            lab.advance(1000, frozenset())
        wait_for(lambda: (reader.read(), source._assembler.resume().end >= 2 * STEP)[1])
        wait_for(lambda: (reader.read(), reader.position >= later)[1])
        assert reader.position == later > 3 * STEP
        assert (reader.errors, reader.within) == (1, False)
    finally:
        source.close()
        lab.feeds.close("")


def test_a_channel_that_a_restarted_server_has_no_longer_ends_and_the_others_go_on() -> None:
    lab = Lab(2**26)
    source = NetworkSource(lab, CHANNELS)
    reader = Reader(source)
    try:
        source.request((1, 2))
        wait_for(lambda: source._assembler.channels == (1, 2))
        lab.advance(1000, frozenset({1, 2}))
        wait_for(lambda: (reader.read(), reader.position >= STEP)[1])
        lab.restart((1, 3))
        wait_for(lambda: source.connected and source._stream.greeting["epoch"] == lab.feeds.epoch)
        lab.advance(1000, frozenset({1}))
        wait_for(lambda: (reader.read(), reader.received == lab.sent)[1])
        assert (reader.errors, reader.missed, source.carried) == (1, Counter(), frozenset({1}))
    finally:
        source.close()
        lab.feeds.close("")


def test_a_damaged_stream_begins_anew_behind_an_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(2**26)
    source = NetworkSource(lab, CHANNELS)
    reader = Reader(source)
    try:
        source.request((1, 2))
        wait_for(lambda: source._assembler.channels == (1, 2))
        feed = source._stream.greeting["feed"]
        ring = next(e.outlet.ring for e in lab.feeds._entries.values() if e.outlet.ring.id == feed)
        ring._head = replace(ring._head, counts=ring._head.counts + 1)  # the server counts an event that never was
        lab.advance(100, frozenset({1, 2}))
        wait_for(lambda: (reader.read(), source.connected and reader.position >= STEP)[1])
        lab.advance(100, frozenset({1, 2}))
        wait_for(lambda: (reader.read(), reader.position >= 2 * STEP)[1])
        assert reader.received.total() < lab.sent.total()
        assert not reader.within
    finally:
        source.close()
        lab.feeds.close("")


def test_a_server_that_comes_back_as_something_else_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(2**26)
    source = NetworkSource(lab, CHANNELS)
    try:
        monkeypatch.setattr(lab, "ask", lambda action: {})
        monkeypatch.setattr(lab, "open", lambda channels, resume: {}[0])
        lab.cut()
        wait_for(lambda: source.wait(0))
        with pytest.raises(StateError, match="makes no sense: KeyError"):
            source.read(STEP, ())
        assert not source.connected
    finally:
        source.close()
        lab.feeds.close("")


def test_a_channel_that_is_not_offered_is_told() -> None:
    lab = Lab(2**26)
    source = NetworkSource(lab, CHANNELS)
    try:
        with pytest.raises(ArgumentError, match="channel 7 does not exist"):
            source.request((1, 7))
        source.request((1,))
        wait_for(lambda: source._assembler.channels == (1,))
    finally:
        source.close()
        lab.feeds.close("")
