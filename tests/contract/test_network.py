"""The same light gives the same results, measured at the instrument and at clients of its stream, whatever the cuts."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pyarrow import flight

from steady import nobody, quiet_port, wait_for
from tagwire import TimeTagger
from tagwire.errors import NotAllowed, ServerUnreachable
from tagwire.testing import simulated_tagger
from tagwire.testing.simulated import SteppedTimeTagger

TT = TimeTagger
MS = 10**9
PATIENCE_MS = 120_000

Made = tuple[Any, Callable[[Any], Any]]


@pytest.fixture
def instrument() -> Iterator[SteppedTimeTagger]:
    with simulated_tagger(seed=7) as tagger:
        tagger.setTestSignal([1, 2], True)
        tagger.simulatePoisson([3, 4], rate=200e3)
        tagger.simulatePairs([5], [6], pair_rate=500e3)
        yield tagger


@pytest.fixture
def connect(instrument: SteppedTimeTagger) -> Iterator[Callable[[], TT.TimeTaggerNetwork]]:
    clients: list[TT.TimeTaggerNetwork] = []

    def make() -> TT.TimeTaggerNetwork:
        clients.append(TT.createTimeTaggerNetwork(address_of(instrument)))
        return clients[-1]

    yield make
    for client in clients:
        TT.freeTimeTagger(client)


def address_of(tagger: Any) -> str:
    assert tagger._server is not None
    return str(tagger._server.address)


def measurements(tagger: Any) -> list[Made]:
    """Measurements of every kind, virtual channels among them, and how to read each."""
    coincidence = TT.Coincidence(tagger, [5, 6], 2000)
    delayed = TT.DelayedChannel(tagger, 3, -5000)
    gated = TT.GatedChannel(tagger, 4, 1, 3)
    counts = TT.Counter(tagger, [1, 3, coincidence.getChannel(), delayed.getChannel()], 10**8, 200)
    return [
        (coincidence, lambda m: m.getCaptureDuration()),
        (gated, lambda m: m.getCaptureDuration()),
        (counts, lambda m: m.getData()),
        (TT.Countrate(tagger, [1, 2, 5, gated.getChannel()]), lambda m: m.getCountsTotal()),
        (TT.Correlation(tagger, 1, 2, 100, 500), lambda m: m.getData()),
        (TT.Correlation(tagger, delayed.getChannel(), 3, 100, 500), lambda m: m.getDataNormalized()),
        (TT.Histogram(tagger, 5, 6, 100, 100), lambda m: m.getData()),
        (TT.StartStop(tagger, 3, 4, 10**6), lambda m: m.getData()),
        (TT.TimeDifferences(tagger, 3, 4, n_bins=50, binwidth=10**6), lambda m: m.getData()),
        (TT.HistogramLogBins(tagger, 3, 4, -9, -3, 40), lambda m: m.getDataObject().getCounts()),
        (TT.TimeTagStream(tagger, 10**6, [1, 3, 6]), lambda m: m.getData().getTimestamps()),
    ]


def results(made: list[Made]) -> list[Any]:
    return [read(measurement) for measurement, read in made]


def assert_equal(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cuts", [[20], [1, 7, 7, 20], list(range(1, 21))])
@pytest.mark.parametrize("mode", [TT.AccessMode.Listen, TT.AccessMode.SynchronousControl])
def test_clients_measure_what_the_instrument_measures(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork], cuts: list[int], mode: TT.AccessMode
) -> None:
    instrument.startServer(mode, port=0)
    here = measurements(instrument)
    there = [(client := connect(), measurements(client)) for _ in range(2)]
    for cut in cuts:
        instrument.advance(cut * MS - instrument._hub.position)
        for client, _ in there:
            assert client.sync(PATIENCE_MS)
    expected = results(here)
    assert np.sum(expected[2]) > 0
    for client, made in there:
        assert_equal(results(made), expected)
        assert client.getOverflowsClient() == 0


def test_a_measurement_that_joins_gets_each_tag_once(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    client = connect()
    first = TT.TimeTagStream(client, 10**6, [1])
    expected_first = TT.TimeTagStream(instrument, 10**6, [1])
    others = []
    for channel in (3, 5, 2, 4):
        instrument.advance(MS)
        others.append(
            (TT.TimeTagStream(client, 10**6, [1, channel]), TT.TimeTagStream(instrument, 10**6, [1, channel]))
        )
    instrument.advance(3 * MS)
    assert client.sync(PATIENCE_MS)
    for ours, theirs in [(first, expected_first), *others]:
        a, b = ours.getData(), theirs.getData()
        np.testing.assert_array_equal(a.getTimestamps(), b.getTimestamps())
        np.testing.assert_array_equal(a.getChannels(), b.getChannels())
    accounts = client._source.accounts()
    np.testing.assert_array_equal(accounts["received"] + accounts["missed"], accounts["sent"])


def test_a_virtual_channel_of_the_server_is_offered_by_its_number(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    client = connect()
    pairs = TT.Coincidence(instrument, [5, 6], 2000)
    here, there = TT.Countrate(instrument, [pairs.getChannel()]), TT.Countrate(client, [pairs.getChannel()])
    instrument.advance(20 * MS)
    assert client.sync(PATIENCE_MS)
    assert there.getCountsTotal() == here.getCountsTotal() > 0
    assert TT.Coincidence(client, [5, 6], 2000).getChannel() != pairs.getChannel()
    assert TT.getTimeTaggerServerInfo(address_of(instrument))["virtual channels"] == [pairs.getChannel()]


def test_a_channel_that_a_client_listens_to_is_registered(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    client = connect()
    assert not instrument.isChannelRegistered(3)
    rate = TT.Countrate(client, [3])
    assert instrument.isChannelRegistered(3)
    assert client.getRegistrations(3) == 1
    instrument.advance(MS)
    assert client.sync(PATIENCE_MS)
    assert rate.getCountsTotal() > 0


def test_control_lets_clients_change_settings(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    instrument.startServer(TT.AccessMode.Control, [1], port=0)
    client = connect()
    client.setTriggerLevel(channel=1, voltage=0.25)
    assert instrument.getTriggerLevel(1) == client.getTriggerLevel(1) == 0.25
    assert client.setDeadtime(1, 10_000) == 10_000
    assert client.getServers()[0].getDeadtime(1) == 10_000
    assert client.getServer("localhost").getAccessMode() == TT.AccessMode.Control
    with pytest.raises(ValueError, match="channel is 99, but must be one of"):
        client.setTriggerLevel(99, 0.0)
    with pytest.raises(TypeError):
        client.setTriggerLevel(1)  # type: ignore[call-arg]
    TT.Countrate(client, [2])  # `channels` restricts in the Listen modes only


def test_listen_lets_clients_read_and_no_more(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    instrument.startServer(TT.AccessMode.Listen, [1, 2], port=0)
    client = connect()
    assert client.getTriggerLevel(1) == instrument.getTriggerLevel(1)
    assert client.getReferenceClockState().enabled is False
    for change in (lambda: client.setTriggerLevel(1, 0.3), client.clearOverflows, client.getOverflowsAndClear):
        with pytest.raises(NotAllowed, match=r"AccessMode\.Listen"):
            change()
    assert instrument.getTriggerLevel(1) != 0.3
    with pytest.raises(ValueError, match="3"):
        TT.Countrate(client, [3])
    assert client.getChannelList() == instrument.getChannelList()
    assert TT.getTimeTaggerServerInfo(address_of(instrument))["exposed channels"] == [1, 2]


def test_delays_at_the_client_are_its_own(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    client, other = connect(), connect()
    client.setDelayClient(1, 777)
    assert (client.getDelayClient(1), other.getDelayClient(1), instrument.getInputDelay(1)) == (777, 0, 0)
    streams = [TT.TimeTagStream(t, 10**6, [1]) for t in (instrument, client, other)]
    instrument.advance(MS)
    assert client.sync(PATIENCE_MS)
    assert other.sync(PATIENCE_MS)
    here, delayed, there = [s.getData().getTimestamps() for s in streams]
    np.testing.assert_array_equal(there, here)
    np.testing.assert_array_equal(delayed[: len(here) - 1], here[: len(delayed)][: len(here) - 1] + 777)


def test_clients_are_listed_while_they_are_connected(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork]
) -> None:
    assert (instrument.isServerRunning(), instrument.getConnectedClients()) == (False, ())
    instrument.stopServer()
    instrument.startServer(TT.AccessMode.Listen, port=0)
    with pytest.raises(RuntimeError, match="running already"):
        instrument.startServer(TT.AccessMode.Listen, port=0)
    client = connect()
    assert client.isConnected()
    assert len(instrument.getConnectedClients()) == 1


def test_the_configuration_tells_where_the_stream_is_served(instrument: SteppedTimeTagger) -> None:
    assert instrument.getConfiguration()["server"] is None
    instrument.startServer(TT.AccessMode.Control, port=0)
    told = instrument.getConfiguration()["server"]
    assert told["access mode"] == "Control"
    with TT.createTimeTaggerNetwork(told["address"]) as client:
        assert client.isConnected()
    instrument.stopServer()
    assert instrument.getConfiguration()["server"] is None


def test_a_client_that_goes_at_once_leaves_no_trace(instrument: SteppedTimeTagger) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    with flight.connect("grpc://" + address_of(instrument).replace("localhost", "127.0.0.1")) as plain:
        for read in (True, False) * 10:
            stream = plain.do_get(flight.Ticket(b'{"channels": [3]}'))
            if read:
                stream.read_chunk()
            stream.cancel()
    wait_for(lambda: not instrument.getConnectedClients())


def test_the_name_of_a_client_is_short(instrument: SteppedTimeTagger) -> None:
    instrument.startServer(TT.AccessMode.Listen, port=0)
    with flight.connect("grpc://" + address_of(instrument).replace("localhost", "127.0.0.1")) as plain:
        for name in ("x" * 65, 1):
            ticket = json.dumps({"channels": [3], "client": name}).encode()
            with pytest.raises(flight.FlightServerError, match="client must be a text of at most 64 characters"):
                plain.do_get(flight.Ticket(ticket)).read_chunk()


def test_in_step_the_stream_waits_for_the_living_and_not_for_the_dead(
    instrument: SteppedTimeTagger, connect: Callable[[], TT.TimeTaggerNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagwire.network.feeds.SILENT_S", 600.0)  # nobody is silent for so long, but see below
    instrument.simulatePoisson([3], rate=100e6)
    instrument.startServer(TT.AccessMode.SynchronousListen, port=0)
    here, client = TT.Countrate(instrument, [3]), connect()
    there = TT.Countrate(client, [3])
    plain = flight.connect("grpc://" + address_of(instrument).replace("localhost", "127.0.0.1"))
    dead = plain.do_get(flight.Ticket(b'{"channels": [3]}'))
    dead.read_chunk()  # and nothing any more, so that the connection fills
    assert len(instrument.getConnectedClients()) == 2
    stepping = threading.Thread(target=instrument.advance, args=(100 * MS,), daemon=True)
    stepping.start()
    (silent,) = [seat for seat in instrument._server._feeds.seats() if not seat.client]
    while stepping.is_alive():
        silent._heard = -1e9  # as if it had not been heard of for ages
        stepping.join(0.05)
    assert client.sync(PATIENCE_MS)
    assert there.getCountsTotal() == here.getCountsTotal() > 5_000_000
    assert client.getOverflowsClient() == 0
    assert len(instrument.getConnectedClients()) == 1
    dead.cancel()


def test_a_server_that_waits_for_a_client_can_be_stopped(instrument: SteppedTimeTagger) -> None:
    instrument.simulatePoisson([3], rate=100e6)
    instrument.startServer(TT.AccessMode.SynchronousListen, port=0)
    plain = flight.connect("grpc://" + address_of(instrument).replace("localhost", "127.0.0.1"))
    silent = plain.do_get(flight.Ticket(b'{"channels": [3]}'))
    silent.read_chunk()  # and nothing any more, so that the stream has to wait
    stepping = threading.Thread(target=instrument.advance, args=(200 * MS,), daemon=True)
    stepping.start()
    before, now = -1, 0
    while now != before:  # until it waits
        before, now = now, instrument._hub.position
        stepping.join(0.5)
    assert stepping.is_alive()
    instrument.stopServer()
    stepping.join(PATIENCE_MS / 1000)
    assert not stepping.is_alive()
    assert not instrument.isServerRunning()
    silent.cancel()


@pytest.mark.parametrize("address", ["", "host:0", "host:port", "a host", ":41101", "host:99999"])
def test_a_malformed_address_is_told(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        TT.createTimeTaggerNetwork(address)
    with pytest.raises(ValueError, match="not an address"):
        TT.getTimeTaggerServerInfo(address)


def test_where_nobody_serves_it_is_said_what_to_start() -> None:
    with nobody() as port, pytest.raises(ServerUnreachable, match="startServer") as caught:
        TT.createTimeTaggerNetwork(f"localhost:{port}")
    assert isinstance(caught.value, RuntimeError)


def test_a_scan_asks_known_computers_only(
    instrument: SteppedTimeTagger, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    port = quiet_port()
    instrument.startServer(TT.AccessMode.Listen, port=port)
    monkeypatch.setattr("tagwire.config.STREAM_PORT", port)
    assert TT.scanTimeTaggerServers() == (f"localhost:{port}",)
    instrument.stopServer()
    assert TT.scanTimeTaggerServers() == ()


def test_beyond_this_computer_only_with_keys(
    instrument: SteppedTimeTagger, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    instrument.setServerAddress("0.0.0.0")
    with pytest.raises(RuntimeError, match="tagwire keys"):
        instrument.startServer(TT.AccessMode.Listen, port=0)
    assert not instrument.isServerRunning()


def test_a_port_that_is_taken_at_one_address_of_this_computer(instrument: SteppedTimeTagger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RuntimeError, match=f"cannot listen at localhost:{port}"):
            instrument.startServer(TT.AccessMode.Listen, port=port)
    assert not instrument.isServerRunning()
    instrument.startServer(TT.AccessMode.Listen, port=0)


def test_a_channel_or_mode_that_does_not_exist(instrument: SteppedTimeTagger) -> None:
    with pytest.raises(ValueError, match="access_mode is 7"):
        instrument.startServer(7, port=0)
    with pytest.raises(ValueError, match=r"channels\[0\] is 99"):
        instrument.startServer(TT.AccessMode.Listen, [99], port=0)
    assert not instrument.isServerRunning()
