"""What the role of a caller, and another's control, let it do."""

from __future__ import annotations

from typing import Any

import pytest
import tiny_instrument

from tagwire.core.catalog import Catalog
from tagwire.errors import NotAllowed
from tagwire.rpc.host.objects import Caller, Lease
from tagwire.rpc.host.service import Service
from tagwire.rpc.wire import Handle

ALICE = Caller("client 1", "session a", who="alice")
BOB = Caller("client 2", "session b", who="bob")
GUEST = Caller("client 3", "session c", who="guest", role="observe")


@pytest.fixture
def service(tiny_catalog: Catalog) -> Service:
    return Service(tiny_instrument, tiny_catalog)


def make(service: Service, caller: Caller, name: str, *args: Any) -> Handle:
    lease = service.call(name, args, {}, caller)
    assert isinstance(lease, Lease)
    return Handle(lease.id)


def test_observers_read_and_measure_but_change_nothing(service: Service) -> None:
    tagger = make(service, GUEST, "createTimeTagger")
    counter = make(service, GUEST, "Counter", tagger, [1])
    assert service.invoke(counter, "getData", (), {}, GUEST).shape == (1, 1)
    assert service.invoke(tagger, "getInputDelay", (1,), {}, GUEST) == 0
    assert service.invoke(tagger, "sync", (0,), {}, GUEST)
    with pytest.raises(NotAllowed, match=r"setInputDelay changes what others use too.*role 'control'"):
        service.invoke(tagger, "setInputDelay", (1, 5), {}, GUEST)
    with pytest.raises(NotAllowed, match="merge writes a file"):
        service.call("merge", ("out", ["in"]), {}, GUEST)
    with pytest.raises(NotAllowed, match="createTimeTaggerVirtual makes a Time Tagger of your own"):
        service.call("createTimeTaggerVirtual", (), {}, GUEST)
    assert service.invoke(tagger, "getInputDelay", (1,), {}, GUEST) == 0
    service.call("freeTimeTagger", (tagger,), {}, GUEST)


def test_observers_choose_no_options_for_everybody(service: Service) -> None:
    high = tiny_instrument.Resolution.HighRes
    with pytest.raises(NotAllowed, match="no such Time Tagger is open, and to open one with resolution"):
        make(service, GUEST, "createTimeTagger", "", high)
    make(service, GUEST, "createTimeTagger", "T1")
    make(service, ALICE, "createTimeTagger", "T2", high)
    make(service, GUEST, "createTimeTagger", "T2", high)  # as it is open already


def test_what_stands_for_a_tagger_is_no_way_round(service: Service) -> None:
    tagger = make(service, GUEST, "createTimeTagger")
    group = make(service, GUEST, "SynchronizedMeasurements", tagger)
    stand_in = Handle(service.invoke(group, "getTagger", (), {}, GUEST).id)
    with pytest.raises(NotAllowed):
        service.invoke(stand_in, "setInputDelay", (1, 5), {}, GUEST)
    service.controls.take(ALICE, None)
    bobs = make(service, BOB, "createTimeTagger")
    group = make(service, BOB, "SynchronizedMeasurements", bobs)
    stand_in = Handle(service.invoke(group, "getTagger", (), {}, BOB).id)
    with pytest.raises(NotAllowed, match="alice has control"):
        service.invoke(stand_in, "setInputDelay", (1, 5), {}, BOB)


def test_changes_are_recorded_once_they_are_made(service: Service) -> None:
    tagger, bobs = make(service, ALICE, "createTimeTagger"), make(service, BOB, "createTimeTagger")
    service.invoke(tagger, "setInputDelay", (1,), {"delay": 5}, ALICE)
    with pytest.raises(ValueError, match="channel"):
        service.invoke(bobs, "setInputDelay", (9, 5), {}, BOB)
    service.invoke(bobs, "setInputDelay", (2, 7), {}, BOB)
    service.invoke(bobs, "getInputDelay", (2,), {}, BOB)
    changes = service.history.of(service.registry.find(tagger.id, ALICE).resource)
    assert [(c.who, c.method, dict(c.arguments)) for c in changes] == [
        ("alice", "setInputDelay", {"channel": 1, "delay": 5}),
        ("bob", "setInputDelay", {"channel": 2, "delay": 7}),
    ]


def test_what_was_made_says_how(service: Service) -> None:
    tagger = make(service, ALICE, "createTimeTagger")
    counter = make(service, ALICE, "Counter", tagger, [1, 2], 100)
    made = service.registry.find(counter.id, ALICE).resource
    assert made.parameters == {"tagger": "<TimeTagger>", "channels": [1, 2], "binwidth": 100}
