"""The watch over long calls: it sees each of them, whenever they begin, and sleeps when there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from tagwire.rpc.host import watch
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.host.watch import Watch
from tagwire.rpc.limits import Limits
from tagwire.rpc.message import Message

REQUEST = Message(4, 0, 1, 0, b"", ())


class Busy:
    """A connection that does `REQUEST` until it is relieved."""

    def __init__(self) -> None:
        self.busy: Message | None = REQUEST
        self.relieved: SimpleQueue[Message] = SimpleQueue()

    def relieve(self, seen: Message) -> bool:
        self.busy = None
        self.relieved.put(seen)
        return True


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setattr(watch, "_IDLE_ROUNDS", 1)  # so that it falls asleep all the time
    monkeypatch.setattr(watch, "LONG_S", 0.0005)
    made = Watch()
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.close()
    thread.join(120)
    assert not thread.is_alive()


def test_whenever_a_long_call_begins_it_is_seen(running: Watch) -> None:
    for _ in range(500):
        busy = Busy()
        running.begin(busy)
        assert busy.relieved.get(timeout=120) is REQUEST
        running.end(busy)


def test_a_new_request_is_not_taken_for_the_old_one(running: Watch) -> None:
    class Changing(Busy):
        @property
        def busy(self) -> Message | None:  # type: ignore[override]
            return Message(4, 0, 1, 0, b"", ())

        @busy.setter
        def busy(self, value: Message | None) -> None:
            pass

    changing, other = Changing(), Busy()
    running.begin(changing)
    running.begin(other)
    other.relieved.get(timeout=120)
    assert changing.relieved.empty()


def test_nobody_takes_the_threads_of_others() -> None:
    watch = Watch(Limits(calls=2, long_calls_per_token=3, long_calls=4))
    anna, anna_too = (Caller("client", session, principal="anna") for session in ("1", "2"))
    bob = Caller("client", "3", principal="bob")
    assert [watch.take(anna) for _ in range(3)] == [True, True, False]  # the share of a session
    assert [watch.take(anna_too) for _ in range(2)] == [True, False]  # of a token
    assert [watch.take(bob) for _ in range(2)] == [True, False]  # and all that there are
    watch.give_back(anna)
    assert watch.take(bob)
    for caller in (anna, anna_too, bob, bob):
        watch.give_back(caller)
    nobody = [Caller("client", str(n)) for n in range(4)]  # without tokens each session is somebody
    assert all(watch.take(caller) for caller in nobody)
