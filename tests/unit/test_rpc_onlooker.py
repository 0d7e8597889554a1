"""Calls are made one after another, and one that hangs is left behind."""

from __future__ import annotations

import threading
import weakref

import pytest

from steady import PATIENCE_S, wait_for
from tagwire.rpc.host.onlooker import Onlooker


def onlookers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tagwire-onlooker"]


def test_calls_follow_one_another_on_one_thread() -> None:
    onlooker, threads, order = Onlooker(PATIENCE_S), set(), []
    for number in range(50):
        onlooker.make(lambda number=number: (order.append(number), threads.add(threading.current_thread())))
    onlooker.close()
    assert order == list(range(50))
    (thread,) = threads
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_what_hangs_is_left_behind_in_bounded_number() -> None:
    onlooker, go_on, before = Onlooker(0.01, most=2), threading.Event(), set(onlookers())
    done = threading.Semaphore(0)
    for _ in range(2):
        onlooker.make(lambda: (go_on.wait(PATIENCE_S), done.release()))
    onlooker.make(done.release)  # there is no room left, so it is made here
    assert done.acquire(blocking=False)
    assert not done.acquire(blocking=False)
    go_on.set()
    for _ in range(2):
        assert done.acquire(timeout=PATIENCE_S)
    wait_for(lambda: set(onlookers()) <= before)
    onlooker.make(done.release)  # and now there is
    assert done.acquire(timeout=PATIENCE_S)
    onlooker.close()


def test_an_error_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    onlooker, done = Onlooker(PATIENCE_S), threading.Event()
    onlooker.make(lambda: 1 / 0)
    onlooker.make(done.set)
    onlooker.close()
    assert done.is_set()
    assert "ZeroDivisionError" in caplog.text


def test_what_was_looked_at_is_not_kept() -> None:
    class Thing:
        def look(self) -> None:
            pass

    onlooker, thing = Onlooker(PATIENCE_S), Thing()
    gone = weakref.ref(thing)
    onlooker.make(thing.look)
    del thing
    wait_for(lambda: gone() is None)  # the thread says that it is done a moment before it lets go
    onlooker.close()
