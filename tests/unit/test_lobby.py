"""Newcomers: however many stand at the door, there is room for one more."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tagwire.security.lobby import Lobby


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(10)]
    yield made
    for here, there in made:
        here.close()
        there.close()


def sent_away(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


def test_the_oldest_of_a_crowded_address_has_to_go(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    lobby = Lobby(6, 3)
    with contextlib.ExitStack() as stack:
        stack.enter_context(lobby.waiting(pairs[0][0], "10.0.0.9"))
        for here, _ in pairs[1:5]:
            stack.enter_context(lobby.waiting(here, "10.0.0.1"))
        assert [sent_away(there) for _, there in pairs[:5]] == [False, True, False, False, False]
        assert len(lobby) == 4
    assert len(lobby) == 0


def test_many_addresses_share_the_places(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    lobby = Lobby(6, 3)
    addresses = ["a", "b", "b", "b", "c", "d", "e"]
    with contextlib.ExitStack() as stack:
        for (here, _), address in zip(pairs, addresses, strict=False):
            stack.enter_context(lobby.waiting(here, address))
        assert [sent_away(there) for _, there in pairs[:7]] == [False, True, False, False, False, False, False]


def test_this_computer_has_all_places(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    lobby = Lobby(6, 3)
    with contextlib.ExitStack() as stack:
        for here, _ in pairs[:6]:
            stack.enter_context(lobby.waiting(here, "127.0.0.1"))
        assert not any(sent_away(there) for _, there in pairs)
        stack.enter_context(lobby.waiting(pairs[6][0], "127.0.0.1"))
        assert [sent_away(there) for _, there in pairs].count(True) == 1


def test_who_leaves_makes_room(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    lobby = Lobby(6, 3)
    for here, _ in pairs:
        with lobby.waiting(here, "10.0.0.1"):
            pass
    assert not any(sent_away(there) for _, there in pairs)
