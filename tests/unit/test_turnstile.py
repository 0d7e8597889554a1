"""The lock that lets waiters in between two turns of a busy holder."""

from __future__ import annotations

import threading

from tagwire.engine.turnstile import Turnstile

LIMIT = 120.0
"""Time in s after which a test that hangs is given up."""


def test_it_is_reentrant():
    turnstile = Turnstile()
    with turnstile, turnstile:
        pass
    with turnstile:
        pass


def test_one_who_waits_comes_before_the_holder_again():
    turnstile, log = Turnstile(), []

    def wait() -> None:
        with turnstile:
            log.append("waiter")

    waiter = threading.Thread(target=wait)
    with turnstile:
        waiter.start()
        while not turnstile._gate.locked():
            pass
    with turnstile:
        log.append("holder")
    waiter.join(LIMIT)
    assert log == ["waiter", "holder"]


def test_many_get_in_while_one_never_pauses():
    turnstile, done = Turnstile(), threading.Event()

    def never_pause() -> None:
        while not done.is_set():
            with turnstile:
                pass

    inside: list[int] = []

    def enter(number: int) -> None:
        with turnstile:
            inside.append(number)

    busy = threading.Thread(target=never_pause)
    others = [threading.Thread(target=enter, args=(n,)) for n in range(8)]
    for thread in (busy, *others):
        thread.start()
    for thread in others:
        thread.join(LIMIT)
    done.set()
    busy.join(LIMIT)
    assert sorted(inside) == list(range(8))


def test_it_excludes():
    turnstile, total = Turnstile(), [0]

    def add() -> None:
        for _ in range(300):
            with turnstile:
                value = total[0]
                with turnstile:
                    total[0] = value + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert total == [1200]
