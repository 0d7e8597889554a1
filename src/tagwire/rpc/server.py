"""The server: one API module, offered to any number of clients."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self

from tagwire.core.catalog import Catalog, read_catalog, with_instruments
from tagwire.errors import KeysUnusable
from tagwire.rpc.host.auditing import keep_audit
from tagwire.rpc.host.daemon import Daemon, location
from tagwire.rpc.host.files import DataFolder
from tagwire.rpc.host.gate import Gate
from tagwire.rpc.host.listener import Listener
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.sessions import GRACE_S
from tagwire.rpc.instrument_names import read_instruments
from tagwire.rpc.limits import Limits
from tagwire.security import ServerSecurity
from tagwire.security.places import is_loopback

log = logging.getLogger(__name__)

PORT = 23000


class Server:
    """Offers `api` to clients of `tagwire.connect`, of TimeTaggerRPC and of plain Pyro5.

    Parameters
    ----------
    api
        A module with the Time Tagger API.
    host, port
        Where to listen; beyond loopback only with `security`. Port 0 takes a free one.
    data
        The folder whose files remote calls may name; without it they may name none.
    grace
        Seconds that an object of a plain Pyro client outlives its last connection.
    session_grace
        Seconds that the objects of a client of ours outlive a connection that broke.
    catalog
        Description of `api`, when it has been read already.
    security
        Tokens, TLS and audit log (`ServerSecurity.load`); without, everybody at this computer has full control.
    limits
        How much clients may take up.
    also
        Other objects and modules that clients may use, by the name that they get there. They belong to the server,
        which calls their ``close()``, if there is one, at its own end.

    Raises
    ------
    KeysUnusable
        (RuntimeError) `host` can be reached from other computers, and there is no `security`.
    ArgumentError
        (ValueError) A name in `also` would hide something else.
    """

    def __init__(
        self,
        api: ModuleType,
        host: str = "localhost",
        port: int = PORT,
        data: Path | None = None,
        *,
        grace: float = 2.0,
        session_grace: float = GRACE_S,
        catalog: Catalog | None = None,
        security: ServerSecurity | None = None,
        limits: Limits | None = None,
        also: Mapping[str, object] | None = None,
    ) -> None:
        if not (security and security.tokens) and not is_loopback(host):
            raise KeysUnusable(
                f"a server at {host or 'all addresses'} can be reached from other computers, and so needs keys: make "
                "them with `tagwire keys init` and, for each client, `tagwire keys add NAME --role control`"
            )
        limits, catalog = limits or Limits(), catalog or read_catalog(api)
        beside = read_instruments(also or {}, catalog)
        folder = DataFolder(data) if data is not None else None
        described = with_instruments(catalog, beside.described)
        self.service = Service(api, described, folder, limits.objects, beside)
        self._gate = Gate(security, limits)
        self._daemon = Daemon(self.service, grace, self._gate, limits, session_grace)
        if security and security.audit:
            keep_audit(security.audit, self.service, self._daemon.sessions)
        self._listener = Listener(host, port, self._daemon.serve, limits.threads)
        self.host, self.port = host, self._listener.address[1]
        self._threads: list[threading.Thread] = []

    @property
    def uri(self) -> str:
        """Where plain Pyro clients find the library."""
        return f"PYRO:TimeTagger@{location(self.host, self.port)}"

    def start(self) -> Self:
        """Serve in the background."""
        for task in (self._listener.run, self._gate.watch, *self._daemon.tasks):
            thread = threading.Thread(target=task, daemon=True, name="tagwire-server")
            thread.start()
            self._threads.append(thread)
        log.info("%s is served at %s:%d", self.service.catalog.library, self.host, self.port)
        return self

    def serve_forever(self) -> None:
        """Serve until Ctrl-C or until another thread calls `close`."""
        self.start()
        try:
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(0.5)  # a join without timeout would not let Ctrl-C through everywhere
        finally:
            self.close()

    def close(self) -> None:
        """End all connections, then all objects, then all taggers."""
        self._gate.close()
        self._listener.close()
        self._daemon.close()
        self.service.registry.close()
        self.service.instruments.close()
        log.info("the server at %s:%d is closed", self.host, self.port)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
