"""A Time Tagger serves its stream to other computers: `startServer` and what belongs to it."""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tagwire.core.address import STREAM_PORT, Address
from tagwire.core.arguments import integer, integers, text
from tagwire.core.enums import AccessMode
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError, KeysUnusable, StateError
from tagwire.network.ring import MEMORY
from tagwire.security import ServerSecurity
from tagwire.security.places import is_loopback
from tagwire.tagger.forwarding import FORWARDED

if TYPE_CHECKING:
    from tagwire.network.server import StreamServer
    from tagwire.network.steering import Wish

logger = logging.getLogger(__name__)

_running: weakref.WeakSet[StreamServer] = weakref.WeakSet()


@dataclass(frozen=True)
class Terms:
    """What a process that other programs control demands of every stream that it serves.

    Attributes
    ----------
    security
        Whose tokens are asked for, on this computer too: no program opens a way in for those who have none.
    steer
        Makes the calls by which clients of the stream of a Time Tagger, its first argument, change it.
    """

    security: ServerSecurity | None = None
    steer: Callable[[TimeTaggerBase, Wish, Callable[[], Any]], Any] | None = None


_terms = [Terms()]


def demand(terms: Terms) -> None:
    """Let every stream that this process serves from now on be served on these terms; ``Terms()`` takes them back."""
    _terms[:] = [terms]


class Serving(TimeTaggerBase):
    """The server side of the Network Time Tagger."""

    _server: StreamServer | None = None
    _server_host: str = "localhost"

    def startServer(self, access_mode: AccessMode, channels: Sequence[int] = (), port: int = STREAM_PORT) -> None:
        """Serve the stream, so that `createTimeTaggerNetwork` on other computers can measure on it.

        Parameters
        ----------
        access_mode
            What clients may do. Listen: read; Control: change settings, too. In their Synchronous forms the stream
            waits until every client has received a block before the next one is sent: nothing is lost, and the
            slowest client sets the pace.
        channels
            In the Listen modes, the only channels that clients get; empty for all.
        port
            Where to listen, up to 65535; 0 for any free one, which ``getConfiguration()["server"]["address"]`` tells.

        Raises
        ------
        StateError
            (RuntimeError) A server runs already, or the address cannot be had, or it can be reached from other
            computers and there are no keys (``tagwire keys init``).
        ArgumentError
            (ValueError) A channel or mode that does not exist.

        Notes
        -----
        It listens on this computer only, unless `setServerAddress` says otherwise. Virtual channels that exist when a
        client asks for them are streamed like others. A Time Tagger with a running server is not dropped before
        `stopServer` or `freeTimeTagger`.
        """
        mode = _mode(access_mode)
        only = [self._known(c, f"channels[{i}]") for i, c in enumerate(integers(channels, "channels"))]
        number = integer(port, "port", 0, 65_535)
        if self.isServerRunning():
            raise StateError("the server is running already; stopServer() ends it")
        self._server = serve_stream(self, mode, only, Address(self._server_host, number))

    def stopServer(self) -> None:
        """End the server, if one runs; clients see their stream broken off, and come again when it is restarted."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def isServerRunning(self) -> bool:
        """Whether the stream is being served."""
        return self._server is not None

    def getConfiguration(self) -> dict[str, Any]:
        """As of every Time Tagger; ``server`` is where and how `startServer` serves the stream now, or None."""
        server = self._server
        told = server and {"access mode": server.access.mode.name, "address": str(server.address)}
        return super().getConfiguration() | {"server": told}

    def setServerAddress(self, ip_address: str) -> None:
        """Choose where the next server listens.

        Parameters
        ----------
        ip_address
            IP address or name of this computer; ``localhost`` at first. ``0.0.0.0`` is everywhere. All but the loopback
            needs keys (``tagwire keys``): clients then show tokens and TLS encrypts.
        """
        host = text(ip_address, "ip_address")
        if not host or host.strip() != host:
            raise ArgumentError(f"ip_address is {ip_address!r}, but must be an IP address or name of this computer")
        self._server_host = host

    def getServerAddress(self) -> str:
        """Where the next server listens."""
        return self._server_host

    def getConnectedClients(self) -> tuple[str, ...]:
        """Addresses, as ``host:port``, of the clients that read the stream."""
        server = self._server
        return () if server is None else tuple(server.clients())


def serve_stream(
    tagger: TimeTaggerBase,
    mode: AccessMode,
    only: Collection[int],
    address: Address,
    security: ServerSecurity | None = None,
    memory: int = MEMORY,
) -> StreamServer:
    """Serve the stream of any Time Tagger of ours.

    Parameters
    ----------
    tagger
        It lives at least as long as the server.
    mode, only
        As for `Serving.startServer`.
    address
        Where to listen.
    security
        Keys and tokens; `None` for those that `demand` has set, else for those of this user, beyond this computer.
    memory
        Bytes that slow clients can take, all together.
    """
    from tagwire.network.access import Access
    from tagwire.network.server import StreamServer
    from tagwire.network.station import EngineStation
    from tagwire.network.steering import freely

    (terms,) = _terms
    security = security or terms.security
    if security is None and not is_loopback(address.host):
        security = _keys(address)
    steer = partial(terms.steer, tagger) if terms.steer else freely
    server = StreamServer(EngineStation(tagger, FORWARDED), Access(mode, only), address, security, memory, steer)
    _running.add(server)
    logger.info("the tag stream is served at %s, %s", server.address, mode.name)
    return server


def _mode(value: AccessMode) -> AccessMode:
    number, modes = integer(value, "access_mode"), AccessMode.__members__
    if number not in modes.values():
        choices = ", ".join(f"{mode.name} = {mode.value}" for mode in modes.values())
        raise ArgumentError(f"access_mode is {number}, but must be one of {choices}")
    return AccessMode(number)


def _keys(address: Address) -> ServerSecurity:
    try:
        return ServerSecurity.load()
    except KeysUnusable as error:
        raise StateError(
            f"{address.host} can be reached from other computers, and that needs keys: {error}; "
            "setServerAddress('localhost') serves this computer alone"
        ) from error


def _stop_all() -> None:
    """End what still runs while there is an interpreter to end it in."""
    for server in list(_running):
        server.close()


atexit.register(_stop_all)  # imported behind the pumps' own end, so it comes before it, as a pump may wait for a client
