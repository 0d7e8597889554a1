"""Sockets that gRPC holds and gives no handle of: which port it can have, and how to cut a connection.

A write to a client that has stopped to read never returns, and a server that shuts down waits for it. Only the end of
the connection ends it.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import unquote

_TRIES = 20
"""Ports that are tried until one is free everywhere."""

_MOST = 4096
"""Highest file descriptor that is looked at where the system does not list those in use."""


def free_port(host: str, port: int) -> int:
    """A port that is free at every address of this computer that a name stands for.

    ``localhost`` is two addresses, and gRPC is content with one. Whoever has the port at the other one would then get
    some of the clients.

    Parameters
    ----------
    host, port
        Where to listen; port 0 for any free one.

    Raises
    ------
    OSError
        There is none, or nothing has that name.
    """
    places = _places(host)
    if len(places) < 2:
        return port
    for left in reversed(range(1 if port else _TRIES)):
        try:
            return _bound_everywhere(places, port)
        except OSError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _places(host: str) -> list[tuple[int, str]]:
    """Families and addresses that a name stands for."""
    if host.lower() == "localhost":  # for gRPC always both, whatever the system says
        return [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((int(family), str(where[0])) for family, *_, where in found))


def _bound_everywhere(places: list[tuple[int, str]], port: int) -> int:
    """The port, after it was had for a moment at all places that there are."""
    with ExitStack() as held:
        for family, host in places:
            try:
                sock = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
                if os.name != "nt":  # where it would mean to take the port away from others
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((host, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise
                continue  # a computer without IPv6 has such names, too
            port = sock.getsockname()[1]
    return port


def listeners(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at every address of this computer that a name stands for, all at the same port.

    Raises
    ------
    OSError
        The port is taken at one of them, or nothing has that name.
    """
    port = free_port(host, port)
    made: list[socket.socket] = []
    for family, place in _places(host):
        try:
            both = place == "::" and socket.has_dualstack_ipv6()
            made.append(socket.create_server((place, port), family=family, dualstack_ipv6=both))
        except OSError:
            if not made:
                raise
            continue  # a computer without IPv6 has such names, too
        port = made[0].getsockname()[1]
    return made


def cut(peer: str) -> bool:
    """End the TCP connection to a peer.

    Parameters
    ----------
    peer
        Its ``host:port``.

    Returns
    -------
    bool
        Whether one was found. On Windows, where sockets are no file descriptors, none is.
    """
    host, _, port = peer.rpartition(":")
    host = host.strip("[]")
    return port.isdigit() and any(_cut(descriptor, host, port) for descriptor in _descriptors())


def readable(peer: str) -> str:
    """``host:port`` of a peer as gRPC writes it: ``ipv4:192.0.2.7:50123``, ``ipv6:%5B::1%5D:50123``."""
    return unquote(peer.partition(":")[2])


def _cut(descriptor: int, host: str, port: str) -> bool:
    try:
        copy = socket.socket(fileno=os.dup(descriptor))
    except OSError:  # no socket
        return False
    with copy:
        try:
            found, number = copy.getpeername()[:2]
            if str(number) != port or str(found).removeprefix("::ffff:") != host:
                return False
            copy.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):  # not connected, or of another family
            return False
    return True


def _descriptors() -> Iterator[int]:
    if os.name == "nt":
        return
    try:
        yield from [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        yield from range(_MOST)
