"""Every class of the API, used once here and once through a connection on the same recording: the results are equal."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tagwire
from tagwire.core.catalog import Kind, MethodSpec, read_catalog
from tagwire.errors import NotSupported
from tagwire.rpc.client.local import runs_on_tags
from tagwire.rpc.server import Server

CATALOG = read_catalog(tagwire.TimeTagger)
READ = ("get", "is", "has", "ready", "triggered", "size", "next")
UNREPEATABLE = {
    "getConfiguration": "tells the process and its time",
    "isRunning": "asked while the end is near",
    "getTotalSize": "the header tells the file's whole name",
    "getUtcSeconds": "the computer's clock",
    "getUtcDates": "the computer's clock",
}
LIGHT, SYNC, FRAME = (1, 2, 3), 4, 5
EDGES = [0, 1_000, 10_000, 1_000_000]
NEEDED: dict[str, tuple[Any, ...]] = {
    "Combinations.getChannel": ([1, 2],),
    "Combinations.getChannelByMask": (0b11,),
    "Combinations.getChannels": ([[1, 2], [2, 3]],),
    "Combinations.getSumChannel": (2,),
    "FileReader.getData": (1_000_000,),
}

# How each class is made, of the library and a tagger; a class has to be here, or be reached through another one.
MAKE: dict[str, Callable[[Any, Any], Any]] = {
    "ChannelGate": lambda TT, t: TT.ChannelGate(3, 4, TT.GatedChannelInitial.Open),
    "Coincidence": lambda TT, t: TT.Coincidence(t, [1, 2], 100_000, TT.CoincidenceTimestamp.First),
    "Coincidences": lambda TT, t: TT.Coincidences(t, [[1, 2], [1, 2, 3]], 100_000),
    "Combinations": lambda TT, t: TT.Combinations(t, [1, 2, 3], 100_000),
    "Combiner": lambda TT, t: TT.Combiner(t, [1, 2]),
    "ConditionalFilterChannel": lambda TT, t: TT.ConditionalFilterChannel(t, [SYNC], [1]),
    "ConstantFractionDiscriminator": lambda TT, t: TT.ConstantFractionDiscriminator(t, [6], 20_000),
    "Correlation": lambda TT, t: TT.Correlation(t, 1, 2, 1000, 101),
    "CorrelationPairs": lambda TT, t: TT.CorrelationPairs(t, [1, 2, 3], 1000, 101),
    "CountBetweenMarkers": lambda TT, t: TT.CountBetweenMarkers(t, 1, SYNC, n_values=50),
    "Counter": lambda TT, t: TT.Counter(t, [1, 2], 10**9, 10),
    "Countrate": lambda TT, t: TT.Countrate(t, [1, 2, SYNC]),
    "DelayedChannel": lambda TT, t: TT.DelayedChannel(t, 1, 12_345),
    "DelayedChannels": lambda TT, t: TT.DelayedChannels(t, [1, 2], -12_345),
    "Dump": lambda TT, t: TT.Dump(t, "every.dump", 1000, [1]),
    "EventGenerator": lambda TT, t: TT.EventGenerator(t, SYNC, [0, 1000, 5000], 2),
    "FileReader": lambda TT, t: TT.FileReader("light.ttbin"),
    "FileWriter": lambda TT, t: TT.FileWriter(t, "again.ttbin", [1, 2]),
    "Flim": lambda TT, t: TT.Flim(t, SYNC, 1, SYNC, 10, 20, 1000, frame_begin_channel=FRAME),
    "FlimBase": lambda TT, t: TT.FlimBase(t, SYNC, 1, SYNC, 10, 20, 1000, frame_begin_channel=FRAME),
    "FrequencyCounter": lambda TT, t: TT.FrequencyCounter(t, [SYNC], 10**8, 10**8, 20),
    "FrequencyMultiplier": lambda TT, t: TT.FrequencyMultiplier(t, SYNC, 3),
    "FrequencyStability": lambda TT, t: TT.FrequencyStability(t, SYNC, [1, 2, 4], 10, 20),
    "GatedChannel": lambda TT, t: TT.GatedChannel(t, 1, 2, 3),
    "GatedChannels": lambda TT, t: TT.GatedChannels(t, [1, SYNC], 2, 3, TT.GatedChannelInitial.Open),
    "GatedCounter": lambda TT, t: TT.GatedCounter(t, [1, 2], SYNC, FRAME, 10),
    "Histogram": lambda TT, t: TT.Histogram(t, 1, SYNC, 1000, 200),
    "Histogram2D": lambda TT, t: TT.Histogram2D(t, SYNC, 1, 2, 10_000, 20_000, 10, 20),
    "HistogramCustomBins": lambda TT, t: TT.HistogramCustomBins(t, 1, 2, EDGES, click_gate=TT.ChannelGate(3, 4)),
    "HistogramLogBins": lambda TT, t: TT.HistogramLogBins(t, 1, 2, -8, -4, 20, start_gate=TT.ChannelGate(3, 4)),
    "HistogramND": lambda TT, t: TT.HistogramND(t, SYNC, [1, 2], [10_000, 20_000], [10, 20]),
    "Iterator": lambda TT, t: TT.Iterator(t, FRAME),
    "PhaseNoise": lambda TT, t: TT.PhaseNoise(t, SYNC, 4),
    "PulsePerSecondMonitor": lambda TT, t: TT.PulsePerSecondMonitor(t, FRAME, [SYNC], "", 10**8),
    "Sampler": lambda TT, t: TT.Sampler(t, SYNC, [1, 2], 50),
    "Scope": lambda TT, t: TT.Scope(t, [1, 2], SYNC, 1_000_000, 3, 50),
    "StartStop": lambda TT, t: TT.StartStop(t, 1, SYNC, 1000),
    "SynchronizedMeasurements": lambda TT, t: TT.SynchronizedMeasurements(t),
    "SyntheticSingleTag": lambda TT, t: TT.SyntheticSingleTag(t),
    "Tag": lambda TT, t: TT.Tag(0, 0, 0, 3, 12_345),
    "TimeDifferences": lambda TT, t: TT.TimeDifferences(t, 1, SYNC, SYNC, FRAME, 1000, 100, 5),
    "TimeDifferencesND": lambda TT, t: TT.TimeDifferencesND(t, 1, SYNC, [SYNC], [FRAME], [5], 1000, 100),
    "TimeTagStream": lambda TT, t: TT.TimeTagStream(t, 1_000_000, [1, 2, SYNC]),
    "TriggerOnCountrate": lambda TT, t: TT.TriggerOnCountrate(t, 1, 500e3, 50e3, 10**8),
    "OverflowInjector": lambda TT, t: TT.OverflowInjector(t, 10**9, 10**9),
    "Experimental.DlsSignalGenerator": lambda TT, t: TT.Experimental.DlsSignalGenerator(t, 1e-4, 1e5, seed=1),
    "Experimental.ExponentialSignalGenerator": lambda TT, t: TT.Experimental.ExponentialSignalGenerator(t, 1e5, seed=2),
    "Experimental.FcsSignalGenerator": lambda TT, t: TT.Experimental.FcsSignalGenerator(t, 1e-4, 1e5, 2.0, seed=3),
    "Experimental.GammaSignalGenerator": lambda TT, t: TT.Experimental.GammaSignalGenerator(t, 2.0, 1e-6, seed=4),
    "Experimental.GaussianSignalGenerator": lambda TT, t: TT.Experimental.GaussianSignalGenerator(
        t, 1e-5, 1e-7, seed=5
    ),
    "Experimental.MarkovProcessGenerator": lambda TT, t: TT.Experimental.MarkovProcessGenerator(
        t, 2, [0.0, 1e5, 1e5, 0.0], [-1, 0, 1, -1], seed=6
    ),
    "Experimental.OscillatorSimulation": lambda TT, t: TT.Experimental.OscillatorSimulation(t, 1e6, 1e-12, seed=7),
    "Experimental.PatternSignalGenerator": lambda TT, t: TT.Experimental.PatternSignalGenerator(
        t, [0, 1000, 2000], True, 10_000, 1_000_000
    ),
    "Experimental.PhotonGenerator": lambda TT, t: TT.Experimental.PhotonGenerator(t, 1e5, TT.CHANNEL_UNUSED, 8),
    "Experimental.PhotonNumber": lambda TT, t: TT.Experimental.PhotonNumber(t, SYNC, 1, 2, 1.0, [2e5, 1e5, 0.0], 1000),
    "Experimental.SimDetector": lambda TT, t: TT.Experimental.SimDetector(t, 1, 0.5, 1e4, 1e-10, 1e-8, 9),
    "Experimental.SimLifetime": lambda TT, t: TT.Experimental.SimLifetime(t, SYNC, 3e-9, 0.2, 10),
    "Experimental.SimSignalSplitter": lambda TT, t: TT.Experimental.SimSignalSplitter(t, 1, 0.4, 11),
    "Experimental.TransformCrosstalk": lambda TT, t: TT.Experimental.TransformCrosstalk(t, 1, 2, 1e-8, 1e-8, True),
    "Experimental.TransformDeadtime": lambda TT, t: TT.Experimental.TransformDeadtime(t, 1, 1e-6, True),
    "Experimental.TransformEfficiency": lambda TT, t: TT.Experimental.TransformEfficiency(t, 1, 0.3, True, 12),
    "Experimental.TransformGaussianBroadening": lambda TT, t: TT.Experimental.TransformGaussianBroadening(
        t, 1, 1e-10, True, 13
    ),
    "Experimental.TwoStateExponentialSignalGenerator": lambda TT, t: TT.Experimental.TwoStateExponentialSignalGenerator(
        t, 1e-6, 1e-6, seed=14
    ),
    "Experimental.UniformSignalGenerator": lambda TT, t: TT.Experimental.UniformSignalGenerator(
        t, 10**7, 10**6, seed=15
    ),
}

ALONE = "OverflowInjector"  # every other measurement on its tagger would see the loss
STATES = {"ReferenceClockState": "getReferenceClockState", "SoftwareClockState": "getSoftwareClockState"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders, for the library itself and for the server, with the same recording of 20 ms in each."""
    top = tmp_path_factory.mktemp("every")
    TT = tagwire.TimeTagger
    tagger = TT.createTimeTagger()
    tagger.simulatePoisson(list(LIGHT), 5e5)
    tagger.setTestSignal([SYNC, FRAME, 6, -6], True)
    tagger.setEventDivider(SYNC, 8)
    tagger.setEventDivider(FRAME, 200)
    for name in ("here", "there"):
        (top / name).mkdir()
    group = TT.SynchronizedMeasurements(tagger)
    writers = [
        TT.FileWriter(group.getTagger(), str(top / name / "light.ttbin"), [*LIGHT, SYNC, FRAME, 6, -6])
        for name in ("here", "there")
    ]
    group.startFor(2 * 10**10)
    assert group.waitUntilFinished(600_000)
    assert writers[0].getTotalEvents() == writers[1].getTotalEvents() > 50_000
    TT.freeTimeTagger(tagger)
    return top


@pytest.fixture(scope="module")
def answers(folder: Path, connection: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What all classes say, used here and used through a connection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "here")
        here = use_everything(tagwire.TimeTagger)
    return here, use_everything(connection)


@pytest.fixture(scope="module")
def connection(folder: Path) -> Iterator[Any]:
    """The library of a server whose data are in the second folder."""
    with (
        Server(tagwire.TimeTagger, "127.0.0.1", 0, folder / "there", catalog=CATALOG) as server,
        tagwire.connect("127.0.0.1", server.port) as TT,
    ):
        yield TT


def use_everything(TT: Any) -> dict[str, Any]:
    """The answers of each class, under its name, and of the objects that those hand out, under theirs."""
    seen: dict[str, Any] = {}
    with TT.createTimeTaggerVirtual("light.ttbin") as tagger:
        made = {name: make(TT, tagger) for name, make in MAKE.items() if name != ALONE}
        made["SynchronizedMeasurements"].registerMeasurement(made["Counter"])
        watched = {
            name: TT.TimeTagStream(tagger, 1_000_000, outputs(obj)) for name, obj in made.items() if outputs(obj)
        }
        tagger.run()
        assert tagger.waitUntilFinished(timeout=600_000)
        tagger.sync()
        made["FileWriter"].stop()
        for name, obj in made.items():
            seen[name] = look(obj, name, seen)
        seen |= {
            f"tags of {name}": look(stream.getData(), "TimeTagStreamBuffer", seen) for name, stream in watched.items()
        }
        seen["FileWriter"]["read back"] = look(
            TT.FileReader("again.ttbin").getData(1_000_000), "TimeTagStreamBuffer", seen
        )
        for name, getter in STATES.items():
            seen[name] = look(getattr(tagger, getter)(), name, seen)
        seen["TimeTaggerVirtual"] = [tagger.getChannelList(), tagger.getOverflows(), tagger.getReplaySpeed()]
    with TT.createTimeTaggerVirtual("light.ttbin") as tagger:
        injector = MAKE[ALONE](TT, tagger)
        counter = TT.Counter(tagger, [1], 10**8, 100)
        tagger.run()
        assert tagger.waitUntilFinished(timeout=600_000)
        seen[ALONE] = [look(injector, ALONE, seen), look(counter.getDataObject(), "CounterData", seen)]
    return seen


def outputs(obj: Any) -> list[int]:
    """Channels of a virtual channel; none of a measurement."""
    name = class_name(obj)
    spec = CATALOG.class_by_name[name]
    if spec.kind is not Kind.VIRTUAL:
        return []
    if name == "Combinations":
        return [obj.getChannel([1, 2]), obj.getSumChannel(2)]
    methods = {m.name for m in spec.methods}
    singles = [getattr(obj, m)() for m in ("getChannel", "getChannelAbove", "getChannelBelow") if m in methods]
    return singles or list(obj.getChannels())


def class_name(obj: Any) -> str:
    """The catalog's name of an object's class, or of the nearest base that is public."""
    names = [name for cls in type(obj).__mro__ for name in (cls.__qualname__, f"Experimental.{cls.__qualname__}")]
    return next(name for name in names if name in CATALOG.class_by_name)


def look(obj: Any, name: str, seen: dict[str, Any]) -> dict[str, Any]:
    """What an object answers to every question its class has, the objects it hands out included."""
    spec = CATALOG.class_by_name[name]
    said = {p.name: plain(getattr(obj, p.name), seen) for p in spec.properties}
    for method in spec.methods:
        if asks(method):
            said[method.name] = plain(getattr(obj, method.name)(*NEEDED.get(f"{name}.{method.name}", ())), seen)
    return said


def asks(method: MethodSpec) -> bool:
    """Whether a method is a question whose answer the stream alone decides."""
    named = f"{method.owner}.{method.name}"
    if method.static or method.name in UNREPEATABLE or not method.name.startswith(READ):
        return False
    return named in NEEDED or not any(p.required for p in method.params)


def plain(value: Any, seen: dict[str, Any]) -> Any:
    """A result without live objects."""
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(plain(v, seen) for v in value)]
    if isinstance(value, dict):
        return {key: plain(v, seen) for key, v in value.items()}
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, (np.ndarray, int, float, str, type(None))):
        return value
    name = class_name(value)
    if name == "TimeTaggerBase":  # where a group puts its measurements
        return name
    seen[name] = look(value, name, seen)
    return seen[name]


def same(a: Any, b: Any) -> bool:
    """Equal in value, type and shape; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def on_a_clock(TT: Any, choose: Callable[[Any], None]) -> dict[str, Any]:
    """Tags and states of a recording whose time comes from a clock."""
    seen: dict[str, Any] = {}
    with TT.createTimeTaggerVirtual("light.ttbin") as tagger:
        choose(tagger)
        stream = TT.TimeTagStream(tagger, 1_000_000, [1])
        tagger.run()
        assert tagger.waitUntilFinished(timeout=600_000)
        seen["tags"] = look(stream.getData(), "TimeTagStreamBuffer", seen)
        return seen | {name: look(getattr(tagger, getter)(), name, seen) for name, getter in STATES.items()}


CLOCKS: dict[str, Callable[[Any], None]] = {
    "SoftwareClockState": lambda tagger: tagger.setSoftwareClock(SYNC, 100_010.0, 10, wait_until_locked=False),
    "ReferenceClockState": lambda tagger: tagger.setReferenceClock(SYNC, 100_010.0, wait_until_locked=False),
}


@pytest.mark.parametrize("state", CLOCKS)
def test_clocks_are_the_same_here_and_there(
    state: str, connection: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = on_a_clock(connection, CLOCKS[state])
    monkeypatch.chdir(folder / "here")
    here = on_a_clock(tagwire.TimeTagger, CLOCKS[state])
    assert {k: (here[k], there[k]) for k in here if not same(here[k], there[k])} == {}
    assert here[state]["enabled"]
    assert here[state]["period_error"] == pytest.approx(1000, abs=1)  # the clock is 100 ppm slower than told
    assert here["tags"]["size"] > 5000


def settings(TT: Any) -> dict[str, Any]:
    """All that a simulated instrument tells of itself after a few changes."""
    seen: dict[str, Any] = {}
    with TT.createTimeTagger("SIMX-0001") as tagger:
        tagger.setTriggerLevel(1, 0.25)
        tagger.setInputDelay(-1, 1234)
        tagger.setDeadtime(1, 30_000)
        tagger.setEventDivider(1, 3)
        tagger.setConditionalFilter([1], [2])
        tagger.setTestSignalDivider(100)
        for method in CATALOG.class_by_name["TimeTagger"].methods:
            needed = [p.name for p in method.params if p.required]
            if method.name.startswith("get") and method.name not in RESTLESS and needed in ([], ["channel"]):
                seen[method.name] = plain(getattr(tagger, method.name)(*[1 for _ in needed]), seen)
    return seen


RESTLESS = {"getConfiguration", "getFence", "getSensorData", "getReferenceClockState", "getSoftwareClockState"}


def test_an_instrument_is_the_same_here_and_there(connection: Any) -> None:
    here, there = settings(tagwire.TimeTagger), settings(connection)
    assert {k: (here[k], there[k]) for k in here if not same(here[k], there[k])} == {}
    assert here["getEventDivider"] == 3
    assert len(here) > 20


ELSEWHERE = ("TimeTagger", "TimeTaggerNetwork", "TimeTaggerServer")
"""Above, and in the tests of the network."""

MADE = [s.name for s in CATALOG.classes if s.kind not in (Kind.BASE, Kind.LOCAL) and s.name not in ELSEWHERE]


@pytest.mark.parametrize("name", MADE)
def test_a_class_says_the_same_here_and_there(name: str, answers: tuple[dict[str, Any], dict[str, Any]]) -> None:
    here, there = answers
    assert name in here, f"{name} is neither in the table nor handed out by a class that is"
    differ = {k: (here[k], there[k]) for k in (name, f"tags of {name}") if k in here and not same(here[k], there[k])}
    assert differ == {}


def test_what_was_compared_is_not_empty(answers: tuple[dict[str, Any], dict[str, Any]], folder: Path) -> None:
    here, _ = answers
    silent = {"Experimental.PhotonNumber", "SyntheticSingleTag"}
    empty = {name for name, said in here.items() if name.startswith("tags of ") and not said["size"]}
    assert empty <= {f"tags of {name}" for name in silent}
    assert here["FileWriter"]["getTotalEvents"] == here["FileWriter"]["read back"]["size"] > 10_000
    assert here["Flim"]["getFramesAcquired"] > 50
    assert len(here["Scope"]["getData"]) == 1 + 3 * 2  # the kind of list, then traces
    for name in ("Correlation", "Histogram", "Histogram2D", "HistogramND", "StartStop", "TimeDifferences", "Sampler"):
        assert here[name]["getData"].any(), name
    dumps = [(folder / place / "every.dump").read_bytes() for place in ("here", "there")]
    assert dumps[0] == dumps[1]
    assert len(dumps[0]) == 16_000


@pytest.mark.parametrize("name", [s.name for s in CATALOG.classes if s.kind is Kind.LOCAL and not runs_on_tags(s)])
def test_what_runs_the_users_code_is_refused(name: str, connection: Any) -> None:
    remote = getattr(connection, name)
    with pytest.raises(NotSupported, match="your own code"):
        type("Mine", (remote,), {})
    with pytest.raises(NotSupported, match="your own code"):
        remote()


HOOKS = [
    ("Flim", "frameReady"),
    ("FlimBase", "frameReady"),
    ("FlimAbstract", "frameReady"),
    ("IteratorBase", "next_impl"),
    ("Counter", "on_start"),
    ("Experimental.PhotonGenerator", "get_intensity"),
    ("Experimental.FcsSignalGenerator", "get_next"),
    ("Experimental.PhotonGenerator", "on_restart"),
]


@pytest.mark.parametrize(("name", "hook"), HOOKS)
def test_a_hook_that_would_never_be_called_is_refused(connection: Any, name: str, hook: str) -> None:
    remote = connection._member_named(name)
    with pytest.raises(NotSupported, match=rf"Mine\.{hook} is code of yours"):
        type("Mine", (remote,), {hook: lambda self, *args: None})
    mixin = type("Mixin", (), {hook: lambda self, *args: None})
    with pytest.raises(NotSupported, match=rf"Mine\.{hook} is code of yours"):
        type("Mine", (mixin, remote), {})


def test_methods_of_ones_own_are_welcome(connection: Any) -> None:
    class Doubled(connection.Counter):  # type: ignore[misc]
        def getData(self) -> Any:
            return 2 * super().getData()

    with connection.createTimeTaggerVirtual("light") as tagger:
        assert Doubled(tagger, [1], 10**9, 3).getData().shape == (1, 3)
