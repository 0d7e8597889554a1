"""What the server tells its clients: new data, ends, overflows, settings, log messages, who comes and goes."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import steady
from tagwire.core.catalog import Catalog, ClassSpec, Kind, MethodSpec, ParamSpec, PropertySpec, ResultSpec
from tagwire.errors import ArgumentError, ArgumentKindError, LimitReached, NotSupported, ObjectGone
from tagwire.rpc.host import publisher as publisher_module
from tagwire.rpc.host.objects import Caller, Lease
from tagwire.rpc.host.onlooker import Onlooker
from tagwire.rpc.host.publisher import Publisher
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client, Session, nowhere

COUNTER = ClassSpec(
    "Counter",
    Kind.MEASUREMENT,
    methods=(
        MethodSpec("clear"),
        MethodSpec("getCaptureDuration", result=ResultSpec("int")),
        MethodSpec("getData", (ParamSpec("rolling", "bool", required=False),), ResultSpec("array", "int32", 1)),
        MethodSpec("getDataObject", result=ResultSpec("object:CounterData")),
        MethodSpec("getRow", (ParamSpec("row", "int"),), ResultSpec("int")),
        MethodSpec("isRunning", result=ResultSpec("bool")),
    ),
    properties=(PropertySpec("mode", "str"),),
)
TAGGER = ClassSpec("TimeTagger", Kind.TAGGER, methods=(MethodSpec("getOverflows"), MethodSpec("setInputDelay")))


class Counter:
    def __init__(self) -> None:
        self.data, self.running, self.mode, self.reads = np.zeros(3, np.int32), True, "slow", 0

    def getData(self) -> Any:
        self.reads += 1
        if self.data is None:
            raise ZeroDivisionError("no data")
        return self.data.copy()

    def isRunning(self) -> bool:
        return self.running

    def getCaptureDuration(self) -> int:
        return 10**12


class Tagger:
    overflows = 3

    def getOverflows(self) -> int:
        return self.overflows


class Scene:
    """A publisher on a clock that the test moves; two clients that note what they are sent."""

    def __init__(self) -> None:
        self.now = 100.0
        self.loggers: list[Callable[..., None] | None] = []
        api = ModuleType("api")
        api.setLogger = self.loggers.append  # type: ignore[attr-defined]
        api.Counter, api.TimeTagger = Counter, Tagger  # type: ignore[attr-defined]
        catalog = Catalog("api", "0", classes=(COUNTER, TAGGER), functions=(MethodSpec("setLogger"),))
        self.service = Service(api, catalog)
        self.publisher = Publisher(self.service, clock=lambda: self.now)
        self.sent: list[tuple[int, Any]] = []
        self.room = 10**6
        self.client = self.join("alice")
        self.counter, self.tagger = Counter(), Tagger()
        self.counter_lease, self.tagger_lease = self.add(self.counter, COUNTER), self.add(self.tagger, TAGGER)

    def join(self, who: str) -> Client:
        caller = Caller(who, domain=f"session of {who}")
        return Client(who, Session(who, "", "", kept=False), caller, push=self.make_push())

    def make_push(self) -> Callable[[int, object], bool]:
        def push(number: int, value: object) -> bool:
            if len(self.sent) >= self.room:
                return False
            self.sent.append((number, value))
            return True

        return push

    def add(self, obj: object, spec: ClassSpec) -> Lease:
        return self.service.registry.add(obj, spec, self.client.caller)

    def subscribe(self, number: int, what: str, lease: Lease | None = None, **options: Any) -> None:
        self.publisher.subscribe(self.client, number, what, lease.id if lease else None, options)

    def updates(self, number: int = 1, interval: Any = 1.0, value: str = "getData") -> None:
        self.subscribe(number, "update", self.counter_lease, interval=interval, value=value)

    def after(self, seconds: float) -> list[Any]:
        """What is sent within that time, as values with the number of those lost."""
        self.now += seconds
        self.publisher.look()
        sent, self.sent = self.sent, []
        return [content[1:] for _, content in sent if content[0] == "value"]

    def seen(self, number: int = 1) -> None:
        self.publisher.seen(self.client, number)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_data_are_sent_when_they_are_new(scene: Scene) -> None:
    scene.updates()
    (first,) = scene.after(0)
    np.testing.assert_array_equal(first[0], [0, 0, 0])
    scene.seen()
    assert scene.after(5) == []
    scene.counter.data[1] = 7
    (second,) = scene.after(1)
    np.testing.assert_array_equal(second[0], [0, 7, 0])


def test_data_are_taken_at_most_once_an_interval(scene: Scene) -> None:
    scene.updates(interval=2.0)
    scene.after(0)
    scene.seen()
    for _ in range(10):
        scene.counter.data += 1
        scene.after(0.125)
    assert scene.counter.reads == 1
    scene.after(1)
    assert scene.counter.reads == 2


def test_a_client_that_is_slow_gets_the_latest_and_no_backlog(scene: Scene) -> None:
    scene.updates()
    scene.after(0)
    for _ in range(10):
        scene.counter.data += 1
        assert scene.after(1) == []
    assert scene.counter.reads == 1
    scene.seen()
    ((value, lost),) = scene.after(0)
    np.testing.assert_array_equal(value, [10, 10, 10])
    assert lost == 0
    scene.seen()
    assert scene.after(10) == []


def test_what_found_no_room_is_offered_again(scene: Scene) -> None:
    scene.updates()
    scene.room = 0
    assert scene.after(0) == []
    scene.room = 10
    assert len(scene.after(1)) == 1


def test_what_went_out_on_a_connection_that_broke_is_sent_again(scene: Scene) -> None:
    scene.updates()
    assert len(scene.after(0)) == 1
    assert scene.after(1) == []
    scene.client.push = scene.make_push()
    assert len(scene.after(1)) == 1
    scene.seen()
    scene.client.push = scene.make_push()
    assert scene.after(1) == []


def test_events_whose_arrival_is_not_known_are_counted_as_lost(scene: Scene) -> None:
    scene.subscribe(1, "settings", scene.tagger_lease)
    for _ in range(3):
        scene.service.history.record(scene.tagger_lease.resource, scene.client.caller, "setInputDelay", {})
    scene.seen()
    scene.client.push = scene.make_push()
    scene.service.history.record(scene.tagger_lease.resource, scene.client.caller, "setInputDelay", {})
    assert [lost for _, lost in scene.after(0)] == [0, 0, 0, 2]


def test_a_client_that_is_away_costs_no_look_and_loses_events_that_are_counted(scene: Scene) -> None:
    scene.updates()
    scene.subscribe(2, "settings", scene.tagger_lease)
    scene.client.push = nowhere
    for _ in range(3):
        scene.service.history.record(scene.tagger_lease.resource, scene.client.caller, "setInputDelay", {})
        assert scene.after(1) == []
    assert scene.publisher.look() > scene.now
    assert scene.counter.reads == 0
    scene.client.push = scene.make_push()
    scene.service.history.record(scene.tagger_lease.resource, scene.client.caller, "setInputDelay", {})
    assert sorted(lost for _, lost in scene.after(1)) == [0, 3]


def test_a_client_that_has_gone_leaves_nothing(scene: Scene) -> None:
    scene.updates()
    scene.publisher.client_changed("went", scene.client)
    scene.client.gone = True
    scene.subscribe(2, "log")  # a call that was under way
    assert len(scene.publisher) == 0
    assert scene.loggers[-1] is None


def test_a_property_can_be_watched(scene: Scene) -> None:
    scene.updates(value="mode")
    assert scene.after(0) == [["slow", 0]]
    scene.counter.mode = "fast"
    scene.seen()
    assert scene.after(1) == [["fast", 0]]


def test_what_takes_long_is_left_alone_and_the_others_are_not(scene: Scene) -> None:
    onlooker, slow, go_on, begun = Onlooker(0.01), Counter(), threading.Event(), threading.Semaphore(0)
    slow.getData = lambda: (begun.release(), go_on.wait(steady.PATIENCE_S), 7)[-1]  # type: ignore[method-assign]
    scene.publisher = Publisher(scene.service, clock=lambda: scene.now, make=onlooker.make)
    scene.subscribe(1, "update", scene.add(slow, COUNTER), interval=1.0, value="getData")
    scene.publisher.look()
    assert begun.acquire(timeout=steady.PATIENCE_S)
    scene.now += 10
    assert scene.publisher.look() > scene.now  # it is not asked for all the time what comes of it
    scene.updates(2)

    def told() -> list[int]:
        scene.now += 1
        scene.publisher.look()
        return [number for number, _ in scene.sent]

    steady.wait_for(lambda: told() == [2])
    scene.seen(2)
    assert told() == [2]
    assert not begun.acquire(blocking=False)
    go_on.set()
    steady.wait_for(lambda: told() == [2, 1])
    onlooker.close()


def test_a_getter_that_fails_ends_the_subscription_with_its_error(scene: Scene) -> None:
    scene.updates()
    scene.after(0)
    scene.seen()
    scene.counter.data = None  # type: ignore[assignment]
    scene.now += 1
    scene.publisher.look()
    scene.publisher.look()
    ((number, (kind, fault, _)),) = scene.sent
    assert (number, kind, fault["type"], fault["message"]) == (1, "end", "ZeroDivisionError", "no data")
    assert len(scene.publisher) == 0


def test_a_value_that_cannot_be_sent_ends_it_too(scene: Scene) -> None:
    scene.updates()
    scene.counter.data = np.array([object()])
    scene.publisher.look()
    scene.publisher.look()
    assert scene.sent[0][1][1]["type"] == "ArgumentKindError"


@pytest.mark.parametrize("what", ["update", "finished", "settings"])
def test_it_ends_with_its_object(scene: Scene, what: str) -> None:
    lease = scene.tagger_lease if what == "settings" else scene.counter_lease
    scene.subscribe(1, what, lease, interval=1.0, value="getData")
    scene.publisher.look()
    scene.sent.clear()
    scene.service.registry.release(lease)
    scene.room = 0
    assert scene.publisher.look() <= scene.now + 0.1
    scene.room = 1
    scene.publisher.look()
    assert scene.sent == [(1, ["end", None, 0])]
    assert len(scene.publisher) == 0
    assert scene.publisher.look() == math.inf


def test_what_has_ended_is_not_held_while_its_client_is_away(scene: Scene) -> None:
    scene.subscribe(1, "finished", scene.counter_lease)
    scene.client.push = nowhere
    gone = weakref.ref(scene.counter)
    scene.service.registry.release(scene.counter_lease)
    del scene.counter, scene.counter_lease
    scene.publisher.look()
    gc.collect()
    assert gone() is None
    assert len(scene.publisher) == 1


def test_the_end_of_every_run_is_told_once(scene: Scene) -> None:
    scene.subscribe(1, "finished", scene.counter_lease)
    assert scene.after(1) == []
    scene.counter.running = False
    assert scene.after(1) == [[10**12, 0]]
    scene.seen()
    assert scene.after(1) == []
    scene.counter.running = True
    assert scene.after(1) == []
    scene.counter.running = False
    assert scene.after(1) == [[10**12, 0]]


def test_what_has_finished_before_is_told_at_once(scene: Scene) -> None:
    scene.counter.running = False
    scene.subscribe(1, "finished", scene.counter_lease)
    assert len(scene.after(0)) == 1


def test_overflows_are_told_when_they_grow(scene: Scene) -> None:
    scene.subscribe(1, "overflow", scene.tagger_lease)
    assert scene.after(1) == []
    scene.tagger.overflows = 5
    assert scene.after(1) == [[5, 0]]
    scene.seen()
    scene.tagger.overflows = 0
    assert scene.after(1) == []
    scene.tagger.overflows = 2
    assert scene.after(1) == [[2, 0]]


def test_settings_of_the_same_instrument_are_told(scene: Scene) -> None:
    other = scene.add(Tagger(), TAGGER)
    scene.subscribe(1, "settings", scene.tagger_lease)
    scene.service.history.record(other.resource, scene.client.caller, "setInputDelay", {})
    scene.service.history.record(scene.tagger_lease.resource, Caller("x", who="bob"), "setInputDelay", {"delay": 5})
    (((change), lost),) = scene.after(0)
    assert (change["who"], change["method"], change["arguments"], lost) == ("bob", "setInputDelay", {"delay": 5}, 0)


def test_events_that_find_no_room_are_counted(scene: Scene) -> None:
    scene.subscribe(1, "settings", scene.tagger_lease)
    scene.room = 0
    for _ in range(3):
        scene.service.history.record(scene.tagger_lease.resource, scene.client.caller, "setInputDelay", {})
    scene.room = 10
    scene.service.history.record(scene.tagger_lease.resource, scene.client.caller, "setInputDelay", {})
    assert [lost for _, lost in scene.after(0)] == [3]


def test_the_log_is_heard_while_somebody_listens(scene: Scene) -> None:
    scene.subscribe(1, "log")
    (logger,) = scene.loggers
    assert logger is not None
    logger(30, "watch out")
    ((value, _),) = scene.after(0)
    assert (value["level"], value["message"]) == (30, "watch out")
    scene.subscribe(2, "log")
    scene.publisher.unsubscribe(scene.client, 1)
    assert len(scene.loggers) == 1
    scene.publisher.unsubscribe(scene.client, 2)
    assert scene.loggers[1:] == [None]


def test_a_message_about_sending_a_message_goes_nowhere(scene: Scene) -> None:
    scene.subscribe(1, "log")
    (logger,) = scene.loggers
    assert logger is not None
    sent: list[Any] = []

    def push(number: int, value: object) -> bool:
        logger(10, "sending")
        sent.append(value)
        return True

    scene.client.push = push
    logger(30, "watch out")
    assert len(sent) == 1


def test_a_library_without_a_log(scene: Scene) -> None:
    service = Service(ModuleType("api"), Catalog("api", "0"))
    publisher = Publisher(service)
    with pytest.raises(NotSupported, match="no log"):
        publisher.subscribe(scene.client, 1, "log", None, {})
    assert len(publisher) == 0


def test_who_comes_goes_and_takes_control_is_told(scene: Scene) -> None:
    scene.subscribe(1, "session")
    bob = scene.join("bob")
    scene.publisher.client_changed("came", bob)
    control = scene.service.controls.take(bob.caller, scene.tagger_lease.resource)
    scene.service.controls.give_back(bob.caller, control.id)
    told = [value for value, _ in scene.after(0)]
    assert [(value["what"], value["who"]) for value in told] == [
        ("came", "bob"), ("control taken", "bob"), ("control given back", "bob"),
    ]  # fmt: skip
    scene.publisher.client_changed("went", scene.client)
    assert len(scene.publisher) == 0


def test_what_cannot_be_subscribed_to(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match=r"must be a getter of Counter: getCaptureDuration, getData, isRunning$"):
        scene.updates(value="clear")
    for value in ("getDataObject", "getRow"):
        with pytest.raises(NotSupported, match=value):
            scene.updates(value=value)
    for interval in (0.001, 1e9):
        with pytest.raises(ArgumentError, match="interval_s"):
            scene.updates(interval=interval)
    with pytest.raises(ArgumentKindError, match="interval_s"):
        scene.updates(interval="often")
    with pytest.raises(NotSupported, match="no event 'overflow'"):
        scene.subscribe(1, "overflow", scene.counter_lease)
    with pytest.raises(ArgumentError, match="no event 'rain'"):
        scene.subscribe(1, "rain", scene.counter_lease)
    with pytest.raises(ObjectGone):
        scene.publisher.subscribe(scene.join("bob"), 1, "finished", scene.counter_lease.id, {})
    monkeypatch.setattr(publisher_module, "MAX_SUBSCRIPTIONS", 0)
    with pytest.raises(LimitReached):
        scene.updates()
    assert len(scene.publisher) == 0
