"""Cuts a connection of this process that gRPC holds and gives no handle of.

A write to a client that has stopped to read never returns, and a server that shuts down waits for it. Only the end of
the connection ends it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from urllib.parse import unquote

_MOST = 4096
"""Highest file descriptor that is looked at where the system does not list those in use."""


def cut(peer: str) -> bool:
    """End the TCP connection to a peer.

    Parameters
    ----------
    peer
        As gRPC writes it: ``ipv4:192.0.2.7:50123``, ``ipv6:[::1]:50123``.

    Returns
    -------
    bool
        Whether one was found. On Windows, where sockets are no file descriptors, none is.
    """
    host, _, port = readable(peer).rpartition(":")
    host = host.strip("[]")
    return port.isdigit() and any(_cut(descriptor, host, port) for descriptor in _descriptors())


def readable(peer: str) -> str:
    """``host:port`` of a peer."""
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
