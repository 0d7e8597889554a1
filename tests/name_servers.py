"""Pyro name servers for tests."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import Pyro5.api
from Pyro5.nameserver import NameServerDaemon

from tagwire.core.address import Address


@contextlib.contextmanager
def name_server_on_loopback() -> Iterator[Address]:
    """A name server that neither sends broadcasts nor answers them: its daemon alone."""
    daemon = NameServerDaemon("127.0.0.1", 0)
    thread = threading.Thread(target=daemon.requestLoop, daemon=True)
    thread.start()
    address = Address(*daemon.sock.getsockname()[:2])
    try:
        with Pyro5.api.Proxy(f"PYRO:Pyro.NameServer@{address}") as names:
            names.ping()  # its loop must have begun, or it would not hear that it is to end
        yield address
    finally:
        daemon.shutdown()
        thread.join(120)
        daemon.close()
