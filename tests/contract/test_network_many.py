"""Two laboratories in one Time Tagger: equal to one that has the tags of both, merged beforehand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from steady import PATIENCE_S, quiet_port, wait_for
from tagwire import TimeTagger
from tagwire.core.tags import TagBlock, TagType, join
from tagwire.errors import ArgumentError, StateError
from tagwire.network.merge_kernel import merged
from tagwire.network.numbering import Numbering
from tagwire.testing import SteppedTagger, SteppedTimeTagger, Tap, simulated_tagger

TT = TimeTagger
MS, S = 10**9, 10**12
MIDNIGHT = 86_400 * S
CLOCK, PULSE = 8, 7


def laboratory(place: int) -> SteppedTimeTagger:
    """An instrument with a clock of its own and one arm of the pairs, whose stream time is laboratory time."""
    tagger = simulated_tagger("20", seed=place)
    tagger.simulateClock((7e-6, -4e-6)[place], 30.0, MIDNIGHT + 9 * S // 10 + place * 10**10, seed=place)
    tagger.simulateReference(CLOCK, PULSE, clock_frequency=1e4)
    tagger.simulateSharedPairs(1, ("signal", "idler")[place], 5, 4e5, 0.3, 0.4)
    tagger.simulatePoisson([2], 1e5)
    tagger.setReferenceClock(CLOCK, 1e4, 1e-2, PULSE, wait_until_locked=False)
    return tagger


@pytest.fixture
def laboratories() -> Iterator[list[SteppedTimeTagger]]:
    with ExitStack() as stack:
        taggers = [stack.enter_context(laboratory(place)) for place in range(2)]
        for tagger in taggers:
            tagger.advance(2 * S // 10)
            assert tagger.getReferenceClockState().is_synchronized
        yield taggers


@pytest.fixture
def client(laboratories: list[SteppedTimeTagger]) -> Iterator[TT.TimeTaggerNetwork]:
    for tagger in laboratories:
        serve(tagger, TT.AccessMode.Control)
    with TT.createTimeTaggerNetwork([address_of(t) for t in laboratories]) as client:
        client.setServerPatience(-1)
        yield client


def serve(tagger: SteppedTimeTagger, mode: TT.AccessMode) -> None:
    tagger.setServerAddress("127.0.0.1")
    tagger.startServer(mode, port=quiet_port())


def address_of(tagger: SteppedTimeTagger) -> str:
    assert tagger._server is not None
    return str(tagger._server.address)


def settle(client: TT.TimeTaggerNetwork) -> None:
    """Wait until everything has come up to where the first of the two stands still."""
    wait_until(client, min(server._fence() for server in client.getServers()))


def wait_until(client: TT.TimeTaggerNetwork, at: int) -> None:
    """Wait until the stream here has come to a stream time."""
    deadline = time.monotonic() + PATIENCE_S
    while not client._reached(at):
        assert time.monotonic() < deadline
        client._hub.passed(client._hub.fence(), 0.05)


def measurements(tagger: Any) -> list[Any]:
    return [
        TT.Correlation(tagger, 2001, 1001, 50, 2000),
        TT.Correlation(tagger, 1002, 1001, 500, 1000),
        TT.Countrate(tagger, [1001, 1002, 2001, -2001]),
        TT.Counter(tagger, [1001, 2001], MS, 20),
        TT.Histogram(tagger, 2001, 1001, 100, 500),
    ]


def offline(taps: list[Tap], begin: int, end: int) -> TagBlock:
    """What both instruments gave within a span, merged."""
    return merged(begin, end, [Numbering(n).block(join(tap._blocks).take(begin, end)) for n, tap in enumerate(taps, 1)])


@pytest.mark.parametrize("cuts", [[40], [3, 1, 15, 21], [2] * 20])
def test_results_are_those_of_the_merged_tags(
    laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork, cuts: list[int]
) -> None:
    taps = [Tap(tagger) for tagger in laboratories]
    begin = client._hub.position
    assert begin == max(t._hub.device.present(t._hub.position) for t in laboratories)
    listening = [TT.Countrate(tagger, [1, 2, -1]) for tagger in laboratories]
    there, stream = measurements(client), Tap(client)
    for cut in cuts:
        for tagger in laboratories:
            tagger.advance(cut * MS)
        settle(client)
    end = client._hub.position
    assert end > begin + 25 * MS
    here = SteppedTagger(offline(taps, begin, end), [1001, 1002, 2001, -2001])
    expected = measurements(here)
    here.play()
    for ours, theirs in zip(there, expected, strict=True):
        np.testing.assert_array_equal(ours.getData(), theirs.getData())
    got, sent = stream.block().take(begin, end), offline(taps, begin, end)
    heard = np.isin(sent.channel, [1001, 1002, 2001, -2001])
    np.testing.assert_array_equal(got.time, sent.time[heard])
    np.testing.assert_array_equal(got.channel, sent.channel[heard])
    assert there[0].getData()[900:1100].sum() > 500
    assert client.getOverflowsClient() == 0
    del listening


def test_channels_and_servers(laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork) -> None:
    inputs = [*range(1, 9), *range(-1, -9, -1)]
    assert sorted(client.getChannelList()) == sorted(c + n * (1000 if c > 0 else -1000) for n in (1, 2) for c in inputs)
    first, second = client.getServers()
    assert client.getServer(address_of(laboratories[1])) is second
    assert (second.getAddress(), second.getAccessMode()) == (address_of(laboratories[1]), TT.AccessMode.Control)
    assert (first.getClientChannel(3), second.getClientChannel(3), second.getClientChannel(-3)) == (1003, 2003, -2003)
    assert client.getInvertedChannel(2003) == -2003
    second.setInputDelay(2, 77)
    assert [tagger.getInputDelay(2) for tagger in laboratories] == [0, 77]
    client.setInputDelay(2, 5)
    assert [tagger.getInputDelay(2) for tagger in laboratories] == [5, 77]
    client.setDelayClient(2001, 11)
    assert client.getDelayClient(2001) == 11
    with pytest.raises(ArgumentError, match=r"channels\[0\] is 1, "):
        TT.Countrate(client, [1])


def test_virtual_channels_of_servers_and_of_the_client_meet_nobody(
    laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork
) -> None:
    delayed = TT.DelayedChannel(laboratories[1], 1, 1000)
    (_, second) = client.getServers()
    number = second.getClientChannel(delayed.getChannel())
    assert number == 200_000 + delayed.getChannel()
    pairs = TT.Coincidence(client, [1001, 2001], 1000)
    assert pairs.getChannel() > 2999
    rates = TT.Countrate(client, [number, 2001, pairs.getChannel()])
    for tagger in laboratories:
        tagger.advance(20 * MS)
    settle(client)
    late, now, both = rates.getCountsTotal().tolist()
    assert abs(late - now) <= 2
    assert both > 300


def test_a_server_that_stalls_holds_nobody_up_and_its_tags_are_accounted_for(
    laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork
) -> None:
    client.setServerPatience(0.05)
    begin = client._hub.position
    mine, other = TT.Countrate(client, [1002]), TT.Countrate(client, [2002])
    taps = [Tap(tagger) for tagger in laboratories]
    laboratories[0].advance(40 * MS)
    wait_until(client, begin + 25 * MS)
    assert mine.getCountsTotal()[0] > 1_000
    assert other.getCountsTotal()[0] == 0
    assert client.getOverflowsClient() == 1
    assert client.getServerStandings()[address_of(laboratories[1])]["absent"] == 1
    client.setServerPatience(-1)
    for span in (30 * MS, 30 * MS, 30 * MS):
        laboratories[1].advance(span)
    wait_for(lambda: not client.getServerStandings()[address_of(laboratories[1])]["absent"])
    laboratories[0].advance(40 * MS)
    settle(client)
    end = client._hub.position
    sent = offline(taps, begin, end).channel
    assert mine.getCountsTotal()[0] == np.count_nonzero(sent == 1002)
    assert other.getCountsTotal()[0] == np.count_nonzero(sent == 2002)
    standing = client.getServerStandings()[address_of(laboratories[1])]
    assert standing["missed"] > 500
    assert standing["absent"] == 0


def test_a_server_that_was_started_anew_is_back_at_its_own_times(
    laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork
) -> None:
    taps = [Tap(tagger) for tagger in laboratories]
    stream = TT.TimeTagStream(client, 10**6, [1002, 2002])
    for tagger in laboratories:
        tagger.advance(20 * MS)
    settle(client)
    second, port = laboratories[1], int(address_of(laboratories[1]).rpartition(":")[2])
    second.stopServer()
    wait_for(lambda: not client.isConnected())
    second.disableReferenceClock()
    second.advance(30 * MS)
    second.startServer(TT.AccessMode.Control, port=port)
    second.setReferenceClock(CLOCK, 1e4, 1e-2, PULSE, wait_until_locked=False)
    second.advance(S)
    assert second.getReferenceClockState().is_synchronized
    wait_for(client.isConnected)
    second.advance(20 * MS)
    laboratories[0].advance(S + 100 * MS)
    begin, end = second._hub.device.present(second._hub.position) - 10 * MS, client._servers[1]._fence()
    wait_until(client, min(end, client._servers[0]._fence()))
    data = stream.getData()
    got = data.getTimestamps()[data.getChannels() == 2002]
    sent = offline(taps, begin, end)
    sent_times = sent.time[(sent.channel == 2002) & (sent.types == TagType.TimeTag)]
    np.testing.assert_array_equal(got[got >= begin], sent_times)
    assert len(sent_times) > 500
    assert client.getOverflowsClient() == 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_server_whose_clock_is_synchronized_anew_stays(
    laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork, place: int
) -> None:
    """One of them comes back a little before where its time had got to without the clock, the other behind."""
    taps, begin = [Tap(tagger) for tagger in laboratories], client._hub.position
    stream = TT.TimeTagStream(client, 10**6, [1002, 2002])
    renewed, other = laboratories[place], laboratories[1 - place]
    renewed.disableReferenceClock()
    renewed.advance(30 * MS)
    renewed.setReferenceClock(CLOCK, 1e4, 1e-2, PULSE, wait_until_locked=False)
    renewed.advance(S)
    assert renewed.getReferenceClockState().is_synchronized
    other.advance(S + 100 * MS)
    settle(client)
    end, data = client._hub.position, stream.getData()
    assert begin + S < end < begin + 2 * S
    assert [standing["absent"] for standing in client.getServerStandings().values()] == [0, 0]
    sent = offline(taps, begin, end)
    for channel in (1002, 2002):
        mine = (sent.channel == channel) & (sent.types == TagType.TimeTag)
        got = data.getTimestamps()[(data.getChannels() == channel) & (data.getEventTypes() == TagType.TimeTag)]
        np.testing.assert_array_equal(got, sent.time[mine])
        missed = data.getMissedEvents()[data.getChannels() == channel].sum()
        assert missed == sent.missed_events[sent.channel == channel].sum()
        assert (missed > 0) == (channel // 1000 == place + 1)
    assert client.getOverflowsClient() == 1


def test_how_well_the_clocks_agree_is_told(laboratories: list[SteppedTimeTagger], client: TT.TimeTaggerNetwork) -> None:
    assert client.getClockOffsets(0) == {}
    for _ in range(5):
        for tagger in laboratories:
            tagger.advance(S)
    found = client.getClockOffsets(120_000)
    assert list(found) == [address_of(laboratories[1])]
    offset = found[address_of(laboratories[1])]
    # Two inputs of 34 ps, and two clocks that follow theirs.
    assert abs(offset["offset"]) < 5 * offset["offset_error"] + 150
    assert abs(offset["drift"]) < 5e-10
    assert offset["used"] + offset["rejected"] >= 3
    assert offset["rms"] < 200
    with TT.createTimeTaggerNetwork(address_of(laboratories[0])) as alone, pytest.raises(StateError, match="only"):
        alone.getClockOffsets()


def test_servers_without_a_common_time_base_are_refused(laboratories: list[SteppedTimeTagger]) -> None:
    first, second = laboratories
    for tagger in laboratories:
        serve(tagger, TT.AccessMode.Listen)
    addresses = [address_of(t) for t in laboratories]
    second.disableReferenceClock()
    with pytest.raises(StateError, match=rf"{addresses[1]} has no reference clock.*setReferenceClock"):
        TT.createTimeTaggerNetwork(addresses)
    second.setReferenceClock(CLOCK, 1e4, wait_until_locked=False)
    with pytest.raises(StateError, match=r"without one pulse per second.*synchronization_channel"):
        TT.createTimeTaggerNetwork(addresses)
    second.setReferenceClock(CLOCK, 1e4, 1e-2, PULSE, wait_until_locked=False)
    second.advance(100 * MS)
    with pytest.raises(StateError, match=rf"is not synchronized.*channels {CLOCK} and {PULSE}"):
        TT.createTimeTaggerNetwork(addresses)
    assert first.getConnectedClients() == ()
    with TT.createTimeTaggerNetwork(addresses[1]) as alone:
        assert alone.getServerPatience() == -1


def test_servers_whose_times_are_far_apart_are_refused() -> None:
    with ExitStack() as stack:
        taggers = [stack.enter_context(simulated_tagger("20", seed=place)) for place in range(2)]
        for place, tagger in enumerate(taggers):
            tagger.simulateClock(0.0, 0.0, MIDNIGHT + place * 100 * S + 9 * S // 10)
            tagger.simulateReference(CLOCK, PULSE, clock_frequency=1e4)
            tagger.setReferenceClock(CLOCK, 1e4, 1e-2, PULSE, wait_until_locked=False)
            tagger.advance(2 * S // 10)
            serve(tagger, TT.AccessMode.Listen)
        with pytest.raises(StateError, match=r"is 86401.* s at .* and 86501.* s at .*synchronization_offset"):
            TT.createTimeTaggerNetwork([address_of(t) for t in taggers])


def test_lists_of_addresses_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="names 0 servers"):
        TT.createTimeTaggerNetwork([])
    with pytest.raises(ArgumentError, match="localhost:5 more than once"):
        TT.createTimeTaggerNetwork(["localhost:5", "localhost:5"])
    with pytest.raises(ArgumentError, match="localhost:41101 more than once"):
        TT.createTimeTaggerNetwork(["localhost", "localhost:41101"])
    with pytest.raises(ArgumentError, match="localhost:x"):
        TT.createTimeTaggerNetwork(["localhost:x", "localhost:5"])
