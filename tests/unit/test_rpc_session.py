"""Sessions: what stays when a client goes, who may come back to it, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tagwire.core.catalog import ClassSpec, Kind
from tagwire.errors import ArgumentError, LimitReached, ObjectGone
from tagwire.rpc.host.objects import Caller, Registry
from tagwire.rpc.host.pyro import Refused
from tagwire.rpc.host.session import Client, nowhere
from tagwire.rpc.host.sessions import Sessions
from tagwire.rpc.limits import Limits
from tagwire.security import EVERYBODY

TAGGER, COUNTER, DATA = ClassSpec("T", Kind.TAGGER), ClassSpec("C", Kind.MEASUREMENT), ClassSpec("D", Kind.DATA)


@dataclass(frozen=True)
class Somebody:
    name: str
    role: str = "control"


class Controls:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def __getattr__(self, what: str) -> Any:
        return lambda caller: self.told.append((what, caller.who or caller.name))


class Scene:
    """Sessions on a clock that the test moves, with a registry and nothing else behind them."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.registry, self.controls = Registry(limit=5), Controls()
        self.sessions = Sessions(self, clock=lambda: self.now, **options)  # type: ignore[arg-type]
        self.ended: list[str] = []

    def join(self, number: int, name: str = "", who: str = "", principal: Any = EVERYBODY) -> Client:
        hello = {"client": f"{number:016x}", "session": name, "who": who}
        return self.sessions.join(hello, principal, nowhere)

    def make(self, client: Client, spec: ClassSpec = COUNTER, name: str = "it") -> str:
        return self.registry.add([name], spec, client.caller, (), lambda: self.ended.append(name)).id

    def pass_time(self, seconds: float) -> list[str]:
        self.now += seconds
        self.sessions.end_due()
        return self.ended


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_goodbye_ends_the_session_at_once(scene: Scene) -> None:
    client = scene.join(1)
    scene.make(client)
    scene.sessions.leave(client, clean=True)
    assert scene.ended == ["it"]
    assert scene.sessions.end_due() == float("inf")


def test_a_lost_client_keeps_its_objects_for_the_grace_time(scene: Scene) -> None:
    client = scene.join(1)
    scene.make(client)
    scene.sessions.leave(client, clean=False)
    assert scene.pass_time(59) == []
    assert scene.sessions.end_due() == 60.0
    assert scene.pass_time(1) == ["it"]


def test_who_comes_back_in_time_finds_everything(scene: Scene) -> None:
    client = scene.join(1)
    counter = scene.make(client)
    scene.sessions.leave(client, clean=False)
    scene.pass_time(59)
    again = scene.join(1)
    assert again is client
    assert again.greeting()["resumed"]
    scene.pass_time(1000)
    assert scene.registry.find(counter, again.caller).resource.obj == ["it"]
    assert scene.ended == []


def test_who_comes_back_with_another_role_is_refused(scene: Scene) -> None:
    client = scene.join(1, principal=Somebody("ann"))
    scene.sessions.leave(client, clean=False)
    with pytest.raises(Refused, match="another token"):
        scene.join(1, principal=Somebody("ann", "observe"))
    assert scene.join(1, principal=Somebody("ann")) is client


def test_a_new_connection_before_the_old_one_is_known_to_be_broken(scene: Scene) -> None:
    client = scene.join(1)
    scene.make(client)
    scene.join(1)
    scene.sessions.leave(client, clean=False)
    assert scene.pass_time(1000) == []
    scene.sessions.leave(client, clean=True)
    assert scene.ended == ["it"]


def test_without_grace_a_lost_client_takes_everything_along() -> None:
    scene = Scene(grace=0.0)
    client = scene.join(1)
    scene.make(client)
    scene.sessions.leave(client, clean=False)
    assert scene.ended == ["it"]


@pytest.mark.parametrize("clean", [True, False])
def test_a_session_with_a_name_stays_until_it_is_told_to_end(scene: Scene, clean: bool) -> None:
    first = scene.join(1, "overnight")
    assert not first.greeting()["resumed"]
    counter = scene.make(first)
    scene.sessions.leave(first, clean)
    assert scene.pass_time(1e6) == []
    second = scene.join(2, "overnight")
    assert second.greeting()["resumed"]
    assert [lease.id for lease in scene.sessions.held(second, [Kind.MEASUREMENT])] == [counter]
    scene.sessions.end(second)
    assert scene.ended == ["it"]
    third = scene.join(3, "overnight")
    assert third.session is not second.session
    scene.sessions.leave(second, clean=True)
    assert len(scene.registry) == 0


def test_a_name_belongs_to_the_principal_that_gave_it(scene: Scene) -> None:
    alice = scene.join(1, "overnight", principal=Somebody("alice"))
    counter = scene.make(alice)
    bob = scene.join(2, "overnight", principal=Somebody("bob"))
    assert bob.session is not alice.session
    with pytest.raises(ObjectGone):
        scene.registry.find(counter, bob.caller)
    with pytest.raises(Refused, match="another token"):
        scene.join(1, "overnight", principal=Somebody("bob"))


def test_several_clients_in_one_session_share_its_objects(scene: Scene) -> None:
    first, second = scene.join(1, "lab"), scene.join(2, "lab")
    counter = scene.make(first)
    assert scene.registry.find(counter, second.caller).id == counter
    scene.sessions.leave(first, clean=True)
    assert scene.pass_time(1e6) == []
    assert [client.caller.name for client in scene.sessions.clients()] == ["client 2"]


def test_what_runs_outlives_its_stand_in_only_in_a_kept_session(scene: Scene) -> None:
    plain, kept = scene.join(1), scene.join(2, "lab")
    scene.sessions.drop(plain, scene.make(plain, name="plain"))
    assert scene.ended == ["plain"]
    scene.sessions.drop(kept, scene.make(kept, name="kept"))
    scene.sessions.drop(kept, scene.make(kept, DATA, name="snapshot"))
    scene.sessions.drop(kept, "no such object")
    assert scene.ended == ["plain", "snapshot"]


def test_a_session_can_be_kept_later(scene: Scene) -> None:
    client = scene.join(1)
    scene.make(client)
    assert scene.sessions.keep(client, "later") == "later"
    scene.sessions.leave(client, clean=True)
    assert scene.ended == []
    assert scene.join(2, "later").session is client.session


def test_a_kept_session_without_a_name_gets_its_id(scene: Scene) -> None:
    client = scene.join(1)
    name = scene.sessions.keep(client, "")
    assert name == client.session.id
    scene.sessions.leave(client, clean=True)
    assert scene.join(2, name).session is client.session


def test_a_name_is_given_once(scene: Scene) -> None:
    first, second = scene.join(1, "lab"), scene.join(2)
    with pytest.raises(ArgumentError, match="another session 'lab'"):
        scene.sessions.keep(second, "lab")
    assert scene.sessions.keep(first, "lab") == "lab"


def test_too_many_sessions_are_refused_once_none_waits_in_vain() -> None:
    scene = Scene(limits=Limits(sessions=2))
    lost, kept = scene.join(1), scene.join(2, "kept")
    scene.make(lost)
    scene.sessions.leave(lost, clean=False)
    scene.sessions.leave(kept, clean=True)
    scene.join(3)
    assert scene.pass_time(0) == ["it"]
    with pytest.raises(LimitReached, match="2 sessions"):
        scene.join(4)
    scene.join(6, "kept")


def test_one_token_takes_no_more_than_its_share_of_sessions() -> None:
    scene, alice = Scene(limits=Limits(sessions=4, sessions_per_token=2)), Somebody("alice")
    others = scene.join(1, principal=Somebody("bob"))
    scene.make(others, name="bob's")
    scene.sessions.leave(others, clean=False)
    lost = scene.join(2, principal=alice)
    scene.make(lost, name="alice's")
    scene.sessions.leave(lost, clean=False)
    for number in (3, 4):
        scene.join(number, principal=alice)
    assert scene.pass_time(0) == ["alice's"]
    with pytest.raises(LimitReached, match="2 sessions of alice, the most for one token"):
        scene.join(5, principal=alice)
    scene.join(6, principal=Somebody("carol"))


def test_names_are_limited_for_each_principal() -> None:
    scene = Scene(limits=Limits(sessions_per_client=1))
    scene.join(1, "one")
    with pytest.raises(LimitReached, match=r'connect\(host, session="one"\).session.end'):
        scene.join(2, "two")
    plain = scene.join(3)
    with pytest.raises(LimitReached):
        scene.sessions.keep(plain, "two")
    scene.join(4, "one")
    scene.join(5, "one", principal=Somebody("alice"))


def test_objects_of_a_session_are_limited_and_counted_together(scene: Scene) -> None:
    first, second, other = scene.join(1, "lab"), scene.join(2, "lab"), scene.join(3)
    ids = [scene.make(first, name=str(i)) for i in range(5)]
    with pytest.raises(LimitReached, match="holds 5 objects"):
        scene.make(second, name="too many")
    assert scene.ended == ["too many"]
    scene.make(other)
    scene.registry.release(scene.registry.find(ids[0], second.caller))
    scene.make(second)


def test_what_is_said_in_the_greeting_is_checked(scene: Scene) -> None:
    for hello, error, said in [
        ({}, Refused, "secret"), ({"client": "short"}, Refused, "secret"),
        ({"client": "c" * 16, "session": 3}, Refused, "session"),
        ({"client": "c" * 16, "session": "a\nb"}, ArgumentError, "printable"),
        ({"client": "c" * 16, "who": "x" * 101}, ArgumentError, "100"),
    ]:  # fmt: skip
        with pytest.raises(error, match=said):
            scene.sessions.join(hello, EVERYBODY, nowhere)
    assert scene.sessions.clients() == []


def test_who_comes_and_goes_is_told(scene: Scene) -> None:
    told: list[tuple[str, str]] = []
    scene.sessions.listen(lambda what, client: told.append((what, client.caller.who)))
    alice, bob = scene.join(1, who="alice"), scene.join(2, who="bob")
    scene.sessions.leave(alice, clean=False)
    scene.join(1, who="alice")
    scene.sessions.leave(alice, clean=False)
    scene.sessions.leave(bob, clean=True)
    scene.pass_time(60)
    assert told == [
        ("came", "alice"), ("came", "bob"), ("was lost", "alice"), ("came back", "alice"), ("was lost", "alice"),
        ("went", "bob"), ("went", "alice"),
    ]  # fmt: skip
    assert ("disconnected", "alice") in scene.controls.told
    assert ("left", "bob") in scene.controls.told


def test_a_caller_says_who_it_is() -> None:
    assert Caller("client 1").label == "client 1"
    assert Caller("client 1", who="ann@lab (7)").label == "ann@lab (7)"
    assert Caller("client 1", who="ann@lab (7)", principal="guest").label == "guest ann@lab (7)"
    assert Caller("client 1", who="ann@lab (7)", principal="ann").label == "ann@lab (7)"
    assert Caller("client 1", who="bob@lab (7) ann", principal="ann").label == "ann bob@lab (7) ann"
