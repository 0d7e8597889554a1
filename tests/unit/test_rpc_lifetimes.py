"""When objects of plain Pyro clients end, told by a clock that the test moves."""

from __future__ import annotations

from tagwire.rpc.host.lifetimes import Lifetimes


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.ended: list[str] = []
        self.lives = Lifetimes(self.ended.append, grace=2.0, clock=lambda: self.now)

    def after(self, seconds: float) -> list[str]:
        self.now += seconds
        self.lives.end_due()
        return self.ended


def test_never_called_it_lives_with_its_maker() -> None:
    clock = Clock()
    clock.lives.born("a", "maker")
    assert clock.after(1000) == []
    clock.lives.disconnected("entry", "maker")
    assert clock.after(1.9) == []
    assert clock.after(0.2) == ["a"]


def test_once_called_it_ends_with_its_last_connection() -> None:
    clock = Clock()
    clock.lives.born("a", "maker")
    clock.lives.connected("a")
    clock.lives.connected("a")
    clock.lives.disconnected("a", "one")
    assert clock.after(1000) == []
    clock.lives.disconnected("a", "two")
    assert clock.after(1.9) == []
    assert clock.after(0.2) == ["a"]


def test_its_maker_may_go_while_somebody_is_connected() -> None:
    clock = Clock()
    clock.lives.born("a", "maker")
    clock.lives.connected("a")
    clock.lives.disconnected("entry", "maker")
    assert clock.after(1000) == []
    clock.lives.disconnected("a", "one")
    assert clock.after(2) == ["a"]


def test_who_comes_back_in_time_finds_it() -> None:
    clock = Clock()
    clock.lives.born("a", "maker")
    clock.lives.connected("a")
    clock.lives.disconnected("a", "one")
    assert clock.after(1.9) == []
    clock.lives.connected("a")
    assert clock.after(1000) == []
    clock.lives.disconnected("a", "two")
    assert clock.after(2) == ["a"]


def test_what_was_freed_does_not_end_again() -> None:
    clock = Clock()
    clock.lives.born("a", "maker")
    clock.lives.gone("a")
    clock.lives.gone("a")
    clock.lives.connected("a")
    clock.lives.disconnected("a", "maker")
    assert clock.after(1000) == []


def test_the_next_end_is_told() -> None:
    clock = Clock()
    assert clock.lives.end_due() == float("inf")
    clock.lives.born("a", "maker")
    clock.lives.disconnected("entry", "maker")
    assert clock.lives.end_due() == 2.0


def test_it_says_when_something_is_due_earlier() -> None:
    told: list[float] = []
    lives = Lifetimes(lambda object_id: None, grace=2.0, clock=lambda: 5.0, changed=lambda: told.append(1))
    lives.born("a", "maker")
    assert told == []
    lives.disconnected("entry", "maker")
    assert told == [1]
    assert lives.end_due() == 7.0
