"""One connection at the server: long calls give way, in bounded number, and the end comes once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from tagwire.rpc import message
from tagwire.rpc.host.conversation import Conversation
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.host.watch import Watch
from tagwire.rpc.limits import Limits
from tagwire.rpc.message import Assembler, Message


class Scene:
    """A conversation; data ``b"hold"`` waits until `go_on`, ``b"wait"`` says so before, anything else is echoed.

    ``b"until"`` says so, and waits until `go_on_first`.
    """

    def __init__(self, limits: Limits, watched: bool = True) -> None:
        self.here, there = socket.socketpair()
        self.here.settimeout(120)
        self.assembler = Assembler()
        self.watch = Watch(limits)
        self.ended: SimpleQueue[None] = SimpleQueue()
        self.held, self.go_on, self.go_on_first = threading.Semaphore(0), threading.Event(), threading.Event()
        self.conversation = Conversation(there, self._answer, self.watch, limits, lambda: Caller("client", "here"))
        self.threads: list[threading.Thread] = []
        self.start(self.conversation.serve, lambda: self.ended.put(None))
        if watched:
            self.start(self.watch.run)
        self._there = there

    def start(self, work: Callable[..., object], *args: Any) -> None:
        self.threads.append(threading.Thread(target=work, args=args))
        self.threads[-1].start()

    def _answer(self, request: Message, waits: Callable[[], object]) -> tuple[bool, bytes, list[Any]]:
        if request.data in (b"wait", b"until"):
            waits()
        if request.data in (b"hold", b"wait", b"until"):
            self.held.release()
            (self.go_on_first if request.data == b"until" else self.go_on).wait(120)
        return False, bytes(request.data), []

    def ask(self, seq: int, data: bytes) -> None:
        self.here.sendall(b"".join(message.buffers(message.INVOKE, seq, data)))

    def answers(self, count: int) -> list[int]:
        """Numbers of the next answers, in the order of their coming."""
        got: list[int] = []
        while len(got) < count:
            arrived = self.assembler.feed(self.here.recv_into)
            assert arrived is not None
            got += [one.seq for one in arrived]
        return got

    def close(self) -> None:
        self.go_on.set()
        self.go_on_first.set()
        with contextlib.suppress(OSError):
            self.here.shutdown(socket.SHUT_RDWR)
        self.here.close()
        self.watch.close()
        for thread in self.threads:
            thread.join(120)
            assert not thread.is_alive()
        self._there.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene(Limits(calls=4))
    yield made
    made.close()


@pytest.mark.parametrize("kind", [b"hold", b"wait"])
def test_short_calls_overtake_long_ones(scene: Scene, kind: bytes) -> None:
    for seq in (1, 2, 3):
        scene.ask(seq, kind)
        assert scene.held.acquire(timeout=120)
    for seq in range(10, 30):
        scene.ask(seq, b"short")
    assert scene.answers(20) == list(range(10, 30))
    scene.go_on.set()
    assert sorted(scene.answers(3)) == [1, 2, 3]
    scene.ask(5, b"short")
    assert scene.answers(1) == [5]


def test_a_long_call_gives_way_though_another_one_ended_meanwhile() -> None:
    scene = Scene(Limits(calls=4), watched=False)
    try:
        for seq, data in enumerate((b"until", b"hold")):
            scene.ask(seq, data)
            assert scene.held.acquire(timeout=120)
        scene.go_on_first.set()
        assert scene.answers(1) == [0]
        scene.ask(2, b"short")
        scene.start(scene.watch.run)
        assert scene.answers(1) == [2]
        scene.go_on.set()
        assert scene.answers(1) == [1]
    finally:
        scene.close()


def test_nothing_overtakes_a_request_without_answer(scene: Scene) -> None:
    scene.here.sendall(b"".join(message.buffers(message.INVOKE, 1, b"hold", flags=message.ONEWAY)))
    scene.ask(2, b"hold")
    assert scene.held.acquire(timeout=120)
    assert not scene.held.acquire(timeout=0.1)
    scene.go_on.set()
    assert scene.answers(1) == [2]


def test_more_long_calls_than_allowed_wait(scene: Scene) -> None:
    for seq in range(6):
        scene.ask(seq, b"hold")
    for _ in range(4):
        assert scene.held.acquire(timeout=120)
    assert not scene.held.acquire(timeout=0.1)
    scene.go_on.set()
    assert sorted(scene.answers(6)) == list(range(6))


def test_the_threads_of_a_server_are_bounded(scene: Scene) -> None:
    late, *others = [Caller("another", f"session {n}") for n in range(Limits().long_calls)]
    for other in others:
        assert scene.watch.take(other)
    scene.ask(1, b"hold")
    scene.ask(2, b"hold")
    for _ in range(2):
        assert scene.held.acquire(timeout=120)
    assert not scene.watch.take(late)
    scene.go_on.set()
    assert sorted(scene.answers(2)) == [1, 2]
    assert scene.watch.take(late)


def test_without_new_threads_calls_follow_one_another(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", none)
        scene.ask(1, b"wait")
        scene.ask(2, b"short")
        assert scene.held.acquire(timeout=120)
        scene.go_on.set()
        assert scene.answers(2) == [1, 2]


def test_the_end_is_told_at_once_and_once(scene: Scene) -> None:
    scene.ask(1, b"wait")
    assert scene.held.acquire(timeout=120)
    scene.here.shutdown(socket.SHUT_RDWR)
    scene.ended.get(timeout=120)  # although a call is under way
    scene.go_on.set()
    scene.threads[0].join(120)
    assert scene.ended.empty()


def test_a_ping_and_a_request_without_answer(scene: Scene) -> None:
    scene.here.sendall(b"".join(message.buffers(message.INVOKE, 1, b"x", flags=message.ONEWAY)))
    scene.here.sendall(b"".join(message.buffers(message.PING, 2, b"ping")))
    assert scene.answers(1) == [2]


def test_another_kind_of_message_ends_it(scene: Scene) -> None:
    scene.here.sendall(b"".join(message.buffers(message.CONNECT, 1, b"x")))
    scene.ended.get(timeout=120)
