"""The loss rule: whatever a client does, what it gets and what it is told to have missed is what was sent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType, join, shift
from tagwire.measurements.counter import Counter
from tagwire.measurements.countrate import Countrate
from tagwire.network import ring as ring_module
from tagwire.network.assembly import Assembler
from tagwire.network.ring import Cursor, Ring
from tagwire.testing.rows import rows_of
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import tag_blocks

CHANNELS = (1, 2, 3)
LARGEST_FRAME = 4000

# A program has up to 25 blocks of tags; on a busy machine it takes long to think of one.
unhurried = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])


class Server:
    """One or more lives of a server, each with a feed that plays blocks."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.epoch = 0
        self.restart()

    def restart(self) -> None:
        self.epoch += 1
        self.renew()
        self.end = 0

    def renew(self) -> None:
        """The feed of the same server is made anew."""
        self.ring = Ring(CHANNELS, self.capacity)

    def play(self, block: TagBlock) -> None:
        block = shift(block, self.end - block.begin)
        self.ring.append(block)
        self.end = block.end


class Client:
    """Reads when it likes, and may lose its connection with frames on the way."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.assembler = Assembler(CHANNELS)
        self.blocks: list[TagBlock] = []
        self.sent_elsewhere = np.zeros(len(CHANNELS), np.int64)
        self.cursor = self._join()

    @property
    def sent(self) -> NDArray[np.int64]:
        """What the server has sent since this client's stream began."""
        return self.sent_elsewhere + (self.server.ring.counts - self.before)

    def read(self, most: int = 1) -> None:
        for _ in range(most):
            frames = self.cursor.take(0)
            for frame in frames:
                self.blocks.append(self.assembler.add(frame, self.server.epoch))
            if not frames:
                break

    def lose(self) -> None:
        """The connection breaks, with what was just taken from the ring still on the way."""
        self.cursor.take(0)
        self.connect()

    def connect(self) -> None:
        self.cursor.close()
        self.cursor = self._join()

    def _join(self) -> Cursor:
        resume = self.assembler.resume()
        if resume is None or resume.feed != self.server.ring.id:
            self.before, self.sent_elsewhere = self.server.ring.counts, self.assembler.sent
        return self.server.ring.cursor(resume)


Action = tuple[str, int, TagBlock]


def programs(overflows: bool) -> st.SearchStrategy[list[Action]]:
    names = st.sampled_from(["play"] * 4 + ["read"] * 2 + ["catch up", "lose", "connect"])
    blocks = tag_blocks(channels=CHANNELS, max_tags=12, begin=0, overflows=overflows)
    return st.lists(st.tuples(names, st.integers(0, 2), blocks), max_size=25)


def run(program: list[Action], server: Server, clients: list[Client], check: Callable[[], None]) -> None:
    for name, who, block in program:
        client = clients[who]
        match name:
            case "play":
                server.play(block)
            case "read":
                client.read()
            case "catch up":
                client.read(100)
            case "lose":
                client.lose()
            case "connect":
                client.connect()
        check()


def accounts_add_up(client: Client) -> None:
    a = client.assembler
    assert np.array_equal(a.received + a.missed, a.sent)
    rows = [row for block in client.blocks for row in rows_of(block)]
    for place, channel in enumerate(CHANNELS):
        assert a.received[place] == sum(r[2] == TagType.TimeTag for r in rows if r[1] == channel)
        assert a.missed[place] == sum(r[3] for r in rows if r[1] == channel)


@unhurried
@given(program=programs(overflows=True), capacity=st.sampled_from([1, 1500, 3000, 10**6]))
def test_received_and_missed_is_sent(program: list[Action], capacity: int) -> None:
    server = Server(capacity)
    clients = [Client(server) for _ in range(3)]

    def check() -> None:
        assert server.ring.size <= max(capacity, LARGEST_FRAME)
        for client in clients:
            assert np.array_equal(client.assembler.received + client.assembler.missed, client.assembler.sent)

    run(program, server, clients, check)
    for client in clients:
        client.read(100)
        accounts_add_up(client)
        assert client.cursor.lag == 0
        if client.blocks:
            assert np.array_equal(client.assembler.sent, client.sent)
            whole = join(client.blocks)
            assert whole.end == server.end == client.assembler.end
            assert np.all(np.diff(whole.time) >= 0)


@unhurried
@given(program=programs(overflows=False), capacity=st.sampled_from([1, 1500, 3000]))
def test_what_is_outside_of_gaps_is_what_was_played(program: list[Action], capacity: int) -> None:
    """Against the whole stream: every gap reports as many events of each channel as the stream has there."""
    server = Server(capacity)
    clients = [Client(server) for _ in range(3)]
    played: list[TagBlock] = []
    for action in program:
        if action[0] == "play":
            played.append(shift(action[2], server.end - action[2].begin))
        run([action], server, clients, lambda: None)
    for client in clients:
        client.read(100)
        if not client.blocks:
            continue
        got = join(client.blocks)
        sent = join(played).take(got.begin, server.end)
        assert (got.begin, got.end) == (sent.begin, sent.end)
        expected = _with_gaps(rows_of(got), rows_of(sent))
        assert [row for row in rows_of(got) if row[2] != TagType.MissedEvents] == expected[0]
        assert _missed(rows_of(got)) == expected[1]


def _with_gaps(got: list, sent: list) -> tuple[list, list]:
    """The time tags sent that lie outside of the gaps, with the ends of these; and the events within each."""
    begins = [row[0] for row in got if row[2] == TagType.OverflowBegin]
    ends = [row[0] for row in got if row[2] == TagType.OverflowEnd]
    rows, events = [], []
    for begin, end in zip(begins, ends, strict=True):
        inside = [row[1] for row in sent if begin <= row[0] <= end]
        events.append([inside.count(channel) for channel in CHANNELS])
        rows += [(begin, CHANNEL_UNUSED, 2, 0), (end, CHANNEL_UNUSED, 3, 0)]
    outside = [row for row in sent if not any(b <= row[0] <= e for b, e in zip(begins, ends, strict=True))]
    return sorted(outside + rows, key=lambda row: row[0]), events


def _missed(got: list) -> list:
    """Events of each channel that each gap reports."""
    gaps: list[list[int]] = []
    for _, channel, kind, missed in got:
        if kind == TagType.OverflowBegin:
            gaps.append([0] * len(CHANNELS))
        elif kind == TagType.MissedEvents:
            gaps[-1][CHANNELS.index(channel)] += missed
    return gaps


@unhurried
@given(
    before=programs(overflows=True),
    after=programs(overflows=True),
    restarted=st.booleans(),
    pause=st.sampled_from([0, 1, 10**12]),
)
def test_a_stream_goes_on_with_another_feed(
    before: list[Action], after: list[Action], restarted: bool, pause: int
) -> None:
    """Time goes on without a step back, and what each feed sent is accounted for."""
    server = Server(2000)
    clients = [Client(server) for _ in range(3)]
    run(before, server, clients, lambda: None)
    server.restart() if restarted else server.renew()
    for client in clients:
        client.connect()
    ends = [c.assembler.end for c in clients]
    run(after, server, clients, lambda: None)
    for client, end in zip(clients, ends, strict=True):
        client.read(100)
        accounts_add_up(client)
        assert np.array_equal(client.assembler.sent, client.sent)
        if not client.blocks:
            continue
        whole = join(client.blocks)
        assert np.all(np.diff(whole.time) >= 0)
        assert whole.end == client.assembler.end
        resume = client.assembler.resume()
        if resume is not None and resume.feed == server.ring.id:
            assert whole.end == server.end + client.assembler.offset
        cut = [row for row in rows_of(whole) if row[0] >= end]
        if client.assembler.breaks and restarted:
            kinds = [kind for _, _, kind, _ in cut[:3]]
            assert TagType.Error in kinds
            assert TagType.OverflowEnd in kinds


@pytest.fixture
def slow_client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """One that has read a second, has then missed many, and has read the last frames again: 100 s in all."""
    monkeypatch.setattr(ring_module, "FRAME_BYTES", 0)
    server = Server(20_000)
    client = Client(server)
    times = np.sort(np.random.default_rng(1).integers(0, 10**12, 1000))
    second = TagBlock(0, 10**12, times, np.full(1000, 2, np.int32))
    for number in range(100):
        server.play(second)
        if number in (0, 99):
            client.read(100)
    return client


def test_measurements_react_to_a_gap(slow_client: Client) -> None:
    whole = join(slow_client.blocks)
    gap = [row[0] for row in rows_of(whole) if row[2] in (TagType.OverflowBegin, TagType.OverflowEnd)]
    assert len(gap) == 2
    assert gap[0] == 10**12
    tagger = SteppedTagger(whole, CHANNELS)
    rate, counter = Countrate(tagger, [2]), Counter(tagger, [2], 10**12, 99)
    tagger.play()
    assert rate.getCountsTotal() == [100_000]
    lost = np.isnan(counter.getDataNormalized()[0])
    assert lost.sum() == (gap[1] + 1 - gap[0]) // 10**12
    assert slow_client.cursor.missed.tolist() == [0, 1000 * lost.sum(), 0]
