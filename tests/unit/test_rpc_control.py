"""Control of an instrument, and the history of its settings."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.catalog import ClassSpec, Kind
from tagwire.errors import ArgumentError, ArgumentKindError, NotAllowed
from tagwire.rpc.host.control import Controls
from tagwire.rpc.host.history import KEPT, History
from tagwire.rpc.host.objects import Caller, Lease, Registry

TAGGER = ClassSpec("TimeTagger", Kind.TAGGER)


class Scene:
    def __init__(self) -> None:
        self.now = 100.0
        self.controls = Controls(clock=lambda: self.now)
        self.registry = Registry()
        self.alice = Caller("client 1", "session a", who="alice@desk (1)")
        self.bob = Caller("client 2", "session b", who="bob@lab (2)")
        self.one, self.other = self.tagger("one"), self.tagger("other")

    def tagger(self, name: str, *parents: Lease) -> Lease:
        return self.registry.add([name], TAGGER, self.alice, parents)

    def may_change(self, caller: Caller, lease: Lease | None) -> bool:
        try:
            self.controls.check(caller, lease.resource if lease else None)
        except NotAllowed:
            return False
        return True


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_whoever_has_control_is_the_only_one_to_write(scene: Scene) -> None:
    assert scene.may_change(scene.bob, scene.one)
    taken = scene.controls.take(scene.alice, scene.one.resource)
    assert scene.may_change(scene.alice, scene.one)
    assert not scene.may_change(scene.bob, scene.one)
    assert scene.may_change(scene.bob, scene.other)
    assert scene.controls.give_back(scene.alice, taken.id)
    assert scene.may_change(scene.bob, scene.one)
    assert not scene.controls.give_back(scene.alice, taken.id)


def test_control_of_everything(scene: Scene) -> None:
    scene.controls.take(scene.alice, None)
    assert not scene.may_change(scene.bob, scene.one)
    assert not scene.may_change(scene.bob, scene.other)
    assert not scene.may_change(scene.bob, None)
    with pytest.raises(NotAllowed, match="alice@desk"):
        scene.controls.take(scene.bob, scene.one.resource)


def test_the_error_says_who_and_until_when(scene: Scene) -> None:
    scene.controls.take(scene.alice, scene.one.resource, lease_s=30)
    said = r"alice@desk \(1\) has control of this TimeTagger until it gives it back, or 30 s after its connection ends"
    with pytest.raises(NotAllowed, match=said):
        scene.controls.check(scene.bob, scene.one.resource)
    scene.controls.disconnected(scene.alice)
    with pytest.raises(NotAllowed, match=r"until \d\d:\d\d:\d\d unless it comes back"):
        scene.controls.check(scene.bob, scene.one.resource)


def test_control_outlives_a_lost_connection_by_its_lease(scene: Scene) -> None:
    scene.controls.take(scene.alice, scene.one.resource, lease_s=30)
    scene.now += 1e6
    assert not scene.may_change(scene.bob, scene.one)
    scene.controls.disconnected(scene.alice)
    scene.now += 29
    assert not scene.may_change(scene.bob, scene.one)
    scene.controls.connected(scene.alice)
    scene.now += 1e6
    assert not scene.may_change(scene.bob, scene.one)
    scene.controls.disconnected(scene.alice)
    assert scene.controls.end_due() == scene.now + 30
    scene.now += 30
    assert scene.may_change(scene.bob, scene.one)


def test_leaving_in_good_order_gives_it_back(scene: Scene) -> None:
    scene.controls.take(scene.alice, None)
    scene.controls.left(scene.alice)
    assert scene.may_change(scene.bob, scene.one)


def test_taking_over(scene: Scene) -> None:
    told: list[tuple[str, str]] = []
    scene.controls.listen(lambda what, control: told.append((what, control.holder.who[:3])))
    scene.controls.take(scene.alice, scene.one.resource)
    with pytest.raises(NotAllowed, match="take it over with force=True"):
        scene.controls.take(scene.bob, scene.one.resource)
    scene.controls.take(scene.bob, scene.one.resource, force=True)
    with pytest.raises(NotAllowed, match=r"bob@lab \(2\) took it over from you"):
        scene.controls.check(scene.alice, scene.one.resource)
    assert told == [("taken", "ali"), ("taken over", "ali"), ("taken", "bob")]


def test_it_is_given_back_as_often_as_it_was_taken(scene: Scene) -> None:
    outer = scene.controls.take(scene.alice, scene.one.resource)
    inner = scene.controls.take(scene.alice, scene.one.resource)
    assert inner is outer
    scene.controls.give_back(scene.alice, inner.id)
    assert not scene.may_change(scene.bob, scene.one)
    scene.controls.give_back(scene.alice, outer.id)
    assert scene.may_change(scene.bob, scene.one)


def test_another_client_of_the_session_may_write_and_take_it_on(scene: Scene) -> None:
    friend = Caller("client 3", "session a", who="alice@notebook (3)")
    scene.controls.take(scene.alice, scene.one.resource)
    assert scene.may_change(friend, scene.one)
    scene.controls.take(friend, scene.one.resource)
    scene.controls.left(scene.alice)
    assert not scene.may_change(scene.bob, scene.one)
    assert [control["who"] for control in scene.controls.present()] == ["alice@notebook (3)"]
    scene.controls.session_ended(friend)
    assert scene.controls.present() == []


def test_control_ends_with_the_instrument(scene: Scene) -> None:
    scene.controls.take(scene.alice, scene.one.resource)
    scene.registry.release(scene.one, free=True)
    assert scene.controls.present() == []


def test_what_stands_for_an_instrument_is_under_its_control(scene: Scene) -> None:
    stand_in = scene.tagger("stands for it", scene.tagger("group", scene.one))
    scene.controls.take(scene.bob, stand_in.resource)
    assert not scene.may_change(scene.alice, scene.one)
    assert not scene.may_change(scene.alice, stand_in)


def test_everybody_can_see_it(scene: Scene) -> None:
    scene.controls.take(scene.alice, scene.one.resource, lease_s=5)
    (seen,) = scene.controls.present()
    assert (seen["who"], seen["of"], seen["lease_s"]) == ("alice@desk (1)", "this TimeTagger", 5.0)
    assert seen["until"] is None
    scene.controls.disconnected(scene.alice)
    (seen,) = scene.controls.present()
    assert seen["until"] >= seen["since"] + 5


def test_what_cannot_be_taken(scene: Scene) -> None:
    with pytest.raises(NotAllowed, match="needs the role 'control'"):
        scene.controls.take(Caller("guest", "session c", role="observe"), None)
    with pytest.raises(ArgumentError, match="lease_s"):
        scene.controls.take(scene.alice, None, lease_s=-1)
    with pytest.raises(ArgumentKindError, match="force"):
        scene.controls.take(scene.alice, None, force="yes")  # type: ignore[arg-type]
    assert scene.controls.present() == []


def test_history_says_who_did_what_when(scene: Scene) -> None:
    history = History(clock=lambda: scene.now)
    heard: list[str] = []
    history.listen(lambda resource, change: heard.append(change.method))
    stand_in = scene.tagger("stands for it", scene.one)
    history.record(scene.one.resource, scene.alice, "setTriggerLevel", {"channel": 1, "voltage": 0.5})
    scene.now += 1
    history.record(stand_in.resource, scene.bob, "setInputDelay", {"channel": 1, "delay": 5})
    assert [change.to_plain() for change in history.of(scene.one.resource)] == [
        {
            "when": 100.0,
            "who": "alice@desk (1)",
            "method": "setTriggerLevel",
            "arguments": {"channel": 1, "voltage": 0.5},
        },
        {"when": 101.0, "who": "bob@lab (2)", "method": "setInputDelay", "arguments": {"channel": 1, "delay": 5}},
    ]
    assert history.of(scene.other.resource) == []
    assert heard == ["setTriggerLevel", "setInputDelay"]


def test_history_is_bounded_and_ends_with_the_instrument(scene: Scene) -> None:
    history = History()
    for i in range(KEPT + 3):
        history.record(scene.one.resource, scene.alice, "set", {"i": np.int64(i)})
    changes = history.of(scene.one.resource)
    assert len(changes) == KEPT
    assert changes[0].arguments == {"i": 3}
    scene.registry.release(scene.one, free=True)
    history.record(scene.other.resource, scene.alice, "set", {})
    assert history.of(scene.one.resource) == []
