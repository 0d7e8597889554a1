"""The stream for those who are no client of ours, of taggers that are none of ours, and through other servers."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from steady import process, python, wait_for
from tagwire import TimeTagger
from tagwire.core.address import Address
from tagwire.core.tags import TagBlock
from tagwire.errors import ArgumentError, EndOfFeed
from tagwire.network import vendor
from tagwire.network.access import Access
from tagwire.network.bridge import Bridge
from tagwire.network.server import StreamServer
from tagwire.tagger.forwarding import FORWARDED
from tagwire.tagger.relaying import Relay
from tagwire.testing import simulated_tagger
from tagwire.testing.simulated import SteppedTimeTagger

TT = TimeTagger
MS = 10**9
PATIENCE_MS = 120_000

STRANGER = """
import importlib.abc, json, sys

class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tagwire":
            raise ImportError("there is no tagwire here")

sys.meta_path.insert(0, Without())
import pyarrow.flight as flight

client = flight.connect("grpc://" + sys.argv[1])
(answer,) = client.do_action(flight.Action("info", b"{}"))
print(json.dumps(json.loads(answer.body.to_pybytes())["value"]["exposed channels"]), flush=True)
try:
    client.do_get(flight.Ticket(b'{"channels": [99]}')).read_chunk()
except flight.FlightServerError as error:
    print(json.dumps(str(error)), flush=True)
reader = client.do_get(flight.Ticket(b'{"channels": [1, 3], "encoding": "columns"}'))
print(json.dumps(json.loads(reader.read_chunk().app_metadata.to_pybytes())), flush=True)
tags = []
while len(tags) < int(sys.argv[2]):
    tags += reader.read_chunk().data.to_pylist()
print(json.dumps(tags))
"""
"""A client that knows Arrow and nothing of ours."""


@pytest.fixture
def instrument() -> Iterator[SteppedTimeTagger]:
    with simulated_tagger(seed=5) as tagger:
        tagger._hub.patient = False
        tagger.setTestSignal([1, 2], True)
        tagger.simulatePoisson([3], rate=500e3)
        yield tagger


def address_of(tagger: SteppedTimeTagger) -> Address:
    assert tagger._server is not None
    return tagger._server.address


def tags_of(stream: Any) -> list[tuple[int, int]]:
    buffer = stream.getData()
    return list(zip(buffer.getTimestamps().tolist(), buffer.getChannels().tolist(), strict=True))


def test_a_plain_arrow_client_reads_columns(instrument: SteppedTimeTagger) -> None:
    instrument.startServer(TT.AccessMode.Listen, [1, 3], port=0)
    expected = TT.TimeTagStream(instrument, 10**6, [1, 3])
    address = str(address_of(instrument)).replace("localhost", "127.0.0.1")
    wanted = 1000
    with process(python("-c", STRANGER, address, str(wanted)), stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None
        assert json.loads(stranger.stdout.readline()) == [1, 3]
        assert "channel 99 does not exist" in json.loads(stranger.stdout.readline())
        assert json.loads(stranger.stdout.readline())["channels"] == [1, 3]
        instrument.advance(2 * MS)
        tags = json.loads(stranger.stdout.read())
    assert set(tags[0]) == {"time", "channel", "type", "missed"}
    seen = [(t["time"], t["channel"]) for t in tags]
    assert seen == tags_of(expected)[: len(seen)]
    assert len(seen) >= wanted


def test_a_library_whose_blocks_do_not_follow_each_other_ends_the_stream(
    instrument: SteppedTimeTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "FIRST_BLOCK_S", 0.01)
    instrument.advance(MS)
    outlet = vendor.ApiOutlet(TT, instrument, [1], 2**22, synchronous=False)
    try:
        instrument.advance(MS)
        assert outlet.ring.end > 0
        with pytest.raises(ValueError, match="but the block begins at"):
            outlet._take(TagBlock.empty(0, 1).records(), 10**15, 10**15 + 1)
        with pytest.raises(EndOfFeed, match="broke off"):
            outlet.ring.cursor()
    finally:
        outlet.close()


def test_a_bridge_passes_tags_on_to_local_programs(instrument: SteppedTimeTagger) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    expected = TT.TimeTagStream(instrument, 10**6, [1, 3])
    bridge = Bridge(address_of(instrument), Address("127.0.0.1", 0), [1, 3])
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        with socket.create_connection(bridge.address) as sock, sock.makefile("rb") as file:
            stream = pa.ipc.open_stream(file)
            wait_until_carried(instrument, [1, 3])
            instrument.advance(2 * MS)
            seen: list[tuple[int, int]] = []
            while len(seen) < 1000:
                columns = stream.read_next_batch().to_pydict()
                seen += zip(columns["time"], columns["channel"], strict=True)
        assert seen == tags_of(expected)[: len(seen)]
    finally:
        bridge.close()
        thread.join()


def test_a_bridge_makes_no_thread_for_programs_that_find_no_place(
    instrument: SteppedTimeTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagwire.network.bridge.MOST_PROGRAMS", 1)
    instrument.startServer(TT.AccessMode.Listen, port=0)
    bridge = Bridge(address_of(instrument), Address("127.0.0.1", 0), [1])
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        with socket.create_connection(bridge.address) as first, first.makefile("rb") as file:
            pa.ipc.open_stream(file).read_next_batch()
            second = socket.create_connection(bridge.address)
            wait_until_carried(instrument, [1])
            assert sum(t.name == "tagwire-bridge" for t in threading.enumerate()) == 1
        with second, second.makefile("rb") as file:
            deadline = time.monotonic() + PATIENCE_MS / 1000
            while not select.select([second], [], [], 0.01)[0]:
                instrument.advance(MS)  # only by tags that cannot be sent is it noticed that the first one has gone
                assert time.monotonic() < deadline
            assert pa.ipc.open_stream(file).read_next_batch().num_rows == 0
    finally:
        bridge.close()
        thread.join()


def wait_until_carried(instrument: SteppedTimeTagger, channels: list[int]) -> None:
    """Wait until a client has gone over to the stream of these channels, and has left the one before."""
    server = instrument._server
    assert server is not None
    wait_for(lambda: [list(seat.channels) for seat in server._feeds.seats()] == [channels])


def test_a_bridge_is_for_this_computer_only(instrument: SteppedTimeTagger) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    with pytest.raises(ArgumentError, match="localhost only"):
        Bridge(address_of(instrument), Address("0.0.0.0", 0))
    with pytest.raises(ArgumentError, match=r"channels \[99\] are not offered"):
        Bridge(address_of(instrument), Address("127.0.0.1", 0), [99])


def test_a_relay_gives_what_the_origin_gives(instrument: SteppedTimeTagger) -> None:
    instrument.startServer(TT.AccessMode.Control, port=0)
    with (
        Relay(str(address_of(instrument)), TT.AccessMode.Control, (), Address("localhost", 0)) as relay,
        TT.createTimeTaggerNetwork(str(relay.server.address)) as client,
    ):
        tagger_of = {"origin": instrument, "client": client}
        made = {name: TT.TimeTagStream(tagger, 10**6, [1, 3]) for name, tagger in tagger_of.items()}
        for _ in range(4):
            instrument.advance(MS)
            assert client.sync(PATIENCE_MS)
        assert tags_of(made["client"]) == tags_of(made["origin"]) != []
        client.setTriggerLevel(1, 0.25)
        assert instrument.getTriggerLevel(1) == 0.25
        pairs = TT.Coincidence(instrument, [1, 2], 1000)
        rates = [TT.Countrate(tagger, [pairs.getChannel()]) for tagger in tagger_of.values()]
        instrument.advance(MS)
        assert client.sync(PATIENCE_MS)
        here, there = [rate.getCountsTotal() for rate in rates]
        assert here == there > 0


class Ledger(TT.CustomMeasurement):
    """Counts events of channel 3 that came and that were missed; may be held up."""

    def __init__(self, tagger: Any) -> None:
        super().__init__(tagger)
        self.go_on = threading.Event()
        self.go_on.set()
        self.received = self.missed = 0
        self.register_channel(3)
        self.finalize_init()

    def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
        assert self.go_on.wait(120)
        self.received += int(np.count_nonzero((incoming_tags["type"] == 0) & (incoming_tags["channel"] == 3)))
        self.missed += int(incoming_tags["missed_events"][incoming_tags["channel"] == 3].sum(dtype=np.int64))


def test_what_a_relay_misses_its_clients_are_told(instrument: SteppedTimeTagger) -> None:
    instrument.simulatePoisson([3], rate=200e6)
    instrument.startServer(TT.AccessMode.Listen, port=0)
    assert instrument._server is not None
    instrument._server._feeds._memory = 0  # the smallest ring
    total = TT.Countrate(instrument, [3])
    with Relay(str(address_of(instrument)), TT.AccessMode.Listen, (), Address("localhost", 0)) as relay:
        stalled = Ledger(relay.tagger)
        with TT.createTimeTaggerNetwork(str(relay.server.address)) as client:
            told = Ledger(client)
            instrument.advance(MS)
            assert client.sync(PATIENCE_MS)
            stalled.go_on.clear()  # the relay's own stream is held up, so that it misses tags of the origin
            instrument.advance(100 * MS)
            stalled.go_on.set()
            instrument.advance(MS)
            assert client.sync(PATIENCE_MS)
            assert told.received + told.missed == total.getCountsTotal()
            assert stalled.received + stalled.missed == total.getCountsTotal()
            assert stalled.missed > 0
            assert told.missed >= stalled.missed


def test_a_tagger_known_by_its_api_alone_is_served_alike(
    instrument: SteppedTimeTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "FIRST_BLOCK_S", 0.01)  # time stands still here, so no first block comes
    station = vendor.ApiStation(TT, instrument, FORWARDED)
    server = StreamServer(station, Access(TT.AccessMode.Control), Address("localhost", 0))
    instrument.advance(MS)
    try:
        with TT.createTimeTaggerNetwork(str(server.address)) as client:
            made = [TT.TimeTagStream(tagger, 10**6, [1, 3]) for tagger in (instrument, client)]
            for _ in range(3):
                instrument.advance(MS)
                assert client.sync(PATIENCE_MS)
            assert tags_of(made[1]) == tags_of(made[0]) != []
            client.setTriggerLevel(1, 0.25)
            assert instrument.getTriggerLevel(1) == 0.25
            assert client.getReferenceClockState().clock_period == 0
            assert client.getChannelList() == instrument.getChannelList()
            with pytest.raises(ValueError, match="clients may call"):
                client._ask("freeTimeTagger", (), {})
    finally:
        server.close()
