"""Client code as users write it: mypy --strict has nothing to say."""

from typing import TYPE_CHECKING, Any, assert_type

import numpy as np
from numpy.typing import NDArray

import tagwire
from tagwire.rpc.client.module import RemoteModule

if TYPE_CHECKING:
    from tagwire.rpc import api
    from tagwire.rpc.api import CustomMeasurement
else:
    CustomMeasurement = tagwire.connect("lab-pc").CustomMeasurement


def tutorial(TT: RemoteModule) -> "NDArray[np.int32]":
    """The flow of the tutorial."""
    serials = TT.scanTimeTagger()
    assert_type(serials, tuple[str, ...])
    tagger = TT.createTimeTagger(resolution=TT.Resolution.HighResA)
    tagger.setTestSignal([1, 2], True)
    tagger.setTestSignal(1, False)
    tagger.setTriggerLevel(channel=np.int32(1), voltage=0.5)
    correlation = TT.Correlation(tagger, 1, 2, binwidth=5, n_bins=2000)
    correlation.startFor(int(10e12), clear=True)
    correlation.startFor(1e12)
    while correlation.isRunning():
        assert_type(correlation.getData(), NDArray[np.int32])
    assert_type(correlation.waitUntilFinished(timeout=100), bool)
    assert_type(correlation.getIndex(), NDArray[np.int64])
    assert_type(correlation.getConfiguration(), dict[str, Any])
    TT.freeTimeTagger(tagger)
    return correlation.getData()


def keywords_and_sequences(TT: RemoteModule) -> None:
    """Whatever holds integers serves as a list of channels."""
    with TT.createTimeTagger("1740000JG2") as tagger:
        assert_type(tagger.getChannelList(TT.ChannelEdge.Rising), tuple[int, ...])
        TT.Countrate(tagger=tagger, channels=range(1, 5))
        TT.Counter(tagger, np.array([1, 2]), binwidth=1e9, n_values=10)
        TT.Counter(tagger, tagger.getChannelList(), TT.CHANNEL_UNUSED)
        TT.Coincidences(tagger, [[1, 2], (3, 4)], 1000, timestamp=TT.CoincidenceTimestamp.Average)
        TT.EventGenerator(tagger, 1, [0, 1000, 2000], trigger_divider=2)
        TT.Experimental.PhotonGenerator(tagger, 1e5, TT.CHANNEL_UNUSED)
        tagger.simulatePoisson([1, 2], rate=1e5)
        gate = TT.ChannelGate(3, 4, initial=TT.GatedChannelInitial.Open)
        TT.HistogramLogBins(tagger, 1, 2, -9, -3, 100, click_gate=gate, start_gate=None)


def live_results(TT: RemoteModule, tagger: "api.TimeTagger") -> None:
    """Objects that methods return have their own types."""
    counter = TT.Counter(tagger, [1], 1000)
    with counter.getDataObject(remove=True) as data:
        assert_type(data.getData(), NDArray[np.int32])
        assert_type(data.size, int)
    with TT.SynchronizedMeasurements(tagger) as group:
        proxy = group.getTagger()
        stream = TT.TimeTagStream(proxy, 1_000_000, [1, 2])
        group.startFor(1e12)
        buffer = stream.getData()
        assert_type(buffer.getTimestamps(), NDArray[np.int64])
        assert_type(buffer.getEventTypes(), NDArray[np.uint8])
        assert_type(buffer.hasOverflows, bool)
        group.registerMeasurement(TT.Countrate(tagger, [1]))
    delayed = TT.DelayedChannel(tagger, input_channel=1, delay=100)
    assert_type(delayed.getChannel(), int)
    virtual = TT.createTimeTaggerVirtual("hbt.ptu")
    assert_type(virtual.waitUntilFinished(), bool)
    assert_type(TT.FileReader(["a.ttbin", "b.ttbin"]).getData(1000).size, int)


def any_measurement(measurement: "api.IteratorBase", mode: "api.AccessMode") -> int:
    """Base classes and enums serve in annotations."""
    measurement.clear()
    return measurement.getCaptureDuration() + int(mode)


def closing(TT: RemoteModule) -> None:
    """The connection is a context manager."""
    with TT as same:
        assert_type(same, RemoteModule)
        any_measurement(TT.StartStop(TT.createTimeTagger(), 1), TT.AccessMode.Listen)
    TT.close()


def connecting() -> None:
    """One line to begin with."""
    TT = tagwire.connect("lab-pc", port=23000)
    assert_type(TT, RemoteModule)
    assert_type(tutorial(TT), NDArray[np.int32])


class Gaps(CustomMeasurement):
    """Code of one's own, which runs here."""

    N_MAX_EVENTS = 10_000_000

    def __init__(self, tagger: "api.TimeTaggerBase", channel: int) -> None:
        super().__init__(tagger)
        self.register_channel(channel)
        self.clear_impl()
        self.finalize_init()

    def clear_impl(self) -> None:
        self.gaps = 0

    def process(self, incoming_tags: "NDArray[np.void]", begin_time: int, end_time: int) -> None:
        self.gaps += int((incoming_tags["type"] == 2).sum())

    def getData(self) -> int:
        with self.mutex:
            return self.gaps


def own_measurement(TT: RemoteModule) -> int:
    """It is used like all others."""
    gaps = Gaps(TT.createTimeTagger(), 1)
    gaps.startFor(1e12)
    assert_type(gaps.waitUntilFinished(timeout=1000), bool)
    any_measurement(gaps, TT.AccessMode.Listen)
    return gaps.getData()


def with_others(TT: RemoteModule) -> None:
    """Sessions, control and events."""
    tagger = TT.createTimeTagger()
    rates = TT.Countrate(tagger, [1, 2])
    with TT.control(tagger, lease_s=10):
        tagger.setTriggerLevel(1, 0.2)
    for change in TT.session.history(tagger):
        print(change.when, change.who, change.method, change.arguments)
    tagger.on_settings(lambda change: print(change.who))
    tagger.on_overflow(print).close()
    for data in rates.on_update(0.5, value="getData"):
        print(data)
    assert_type(rates.on_finished().next(timeout=1), int | None)
    TT.setLogger(print)
    TT.setLogger(None)
    for client in TT.session.clients:
        assert_type(client.who, str)
    assert_type(TT.session.keep("overnight"), str)
    TT.session.end()


async def in_a_loop(rates: "api.Countrate") -> None:
    """The same events for asyncio."""
    async with rates.on_update(0.5) as updates:
        async for data in updates:
            print(data)
