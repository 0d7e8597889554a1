"""Leases on live objects: who keeps what alive, and in which order things end."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.catalog import ClassSpec, Kind
from tagwire.errors import ObjectGone
from tagwire.rpc.host.objects import Caller, Lease, Registry
from tagwire.rpc.host.sharing import SharedTaggers

TAGGER, MEASUREMENT = ClassSpec("Tagger", Kind.TAGGER), ClassSpec("Counter", Kind.MEASUREMENT)


class Scene:
    def __init__(self) -> None:
        self.registry = Registry()
        self.ended: list[str] = []
        self.alice, self.bob = Caller("alice", "a"), Caller("bob", "b")

    def add(self, name: str, caller: Caller, *parents: Lease) -> Lease:
        spec = MEASUREMENT if parents else TAGGER
        return self.registry.add([name], spec, caller, parents, lambda: self.ended.append(name))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_child_keeps_its_parent(scene: Scene) -> None:
    tagger = scene.add("tagger", scene.alice)
    counter = scene.add("counter", scene.alice, tagger)
    scene.registry.release(tagger)
    assert scene.ended == []
    with pytest.raises(ObjectGone):
        scene.registry.find(tagger.id, scene.alice)
    scene.registry.release(counter)
    assert scene.ended == ["counter", "tagger"]
    assert len(scene.registry) == 0


def test_what_is_made_after_the_end_is_closed_at_once(scene: Scene) -> None:
    scene.add("tagger", scene.alice)
    scene.registry.close()
    with pytest.raises(ObjectGone, match="closing"):
        scene.add("late", scene.alice)
    assert scene.ended == ["tagger", "late"]
    assert len(scene.registry) == 0


def test_freeing_does_not_wait_for_children(scene: Scene) -> None:
    tagger = scene.add("tagger", scene.alice)
    counter = scene.add("counter", scene.alice, tagger)
    scene.registry.release(tagger, free=True)
    assert scene.ended == ["tagger"]
    scene.registry.release(counter)
    scene.registry.release(counter)
    assert scene.ended == ["tagger", "counter"]


def test_the_last_lease_ends_a_shared_object(scene: Scene) -> None:
    mine = scene.add("tagger", scene.alice)
    theirs = scene.registry.share(mine.resource, scene.bob)
    assert theirs is not None
    scene.registry.release(mine, free=True)
    assert scene.ended == []
    scene.registry.release(theirs, free=True)
    assert scene.ended == ["tagger"]
    assert scene.registry.share(mine.resource, scene.alice) is None


def test_the_same_object_is_known_again(scene: Scene) -> None:
    thing = ["thing"]
    first = scene.registry.add(thing, TAGGER, scene.alice)
    second = scene.registry.add(thing, TAGGER, scene.alice)
    assert first.resource is second.resource
    assert first.id != second.id


def test_a_client_that_goes_takes_only_its_own(scene: Scene) -> None:
    tagger = scene.add("tagger", scene.alice)
    scene.add("counter", scene.alice, tagger)
    other = scene.registry.share(tagger.resource, scene.bob)
    assert other is not None
    scene.add("their counter", scene.bob, other)
    scene.registry.release_all(scene.alice)
    assert scene.ended == ["counter"]
    scene.registry.release_all(scene.bob)
    assert scene.ended == ["counter", "their counter", "tagger"]


def test_leases_of_another_domain_are_not_found(scene: Scene) -> None:
    tagger = scene.add("tagger", scene.alice)
    assert scene.registry.find(tagger.id, scene.alice) is tagger
    with pytest.raises(ObjectGone):
        scene.registry.find(tagger.id, scene.bob)


def test_an_error_while_closing_ends_it_all_the_same(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    lease = scene.registry.add([1], TAGGER, scene.alice, (), lambda: 1 / 0)
    scene.registry.release(lease)
    assert lease.resource.closed.is_set()
    assert "closing a Tagger failed" in caplog.text


def test_close_ends_everything_newest_first(scene: Scene) -> None:
    tagger = scene.add("tagger", scene.alice)
    scene.add("counter", scene.bob, tagger)
    scene.registry.close()
    assert scene.ended == ["counter", "tagger"]


def test_what_is_no_serial_number_is_for_the_library_to_judge(scene: Scene) -> None:
    def create() -> Lease:
        raise TypeError("the library's own")

    for serial in (np.array([1, 2]), ["T1"], None, 5):
        with pytest.raises(TypeError, match="the library's own"):
            SharedTaggers(scene.registry).open({"serial": serial}, create, scene.alice)
