"""A client of a stream server serves the stream again, for more clients than one computer's network can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tagwire.core.address import Address
from tagwire.core.enums import AccessMode
from tagwire.network.access import Access
from tagwire.network.ring import MEMORY
from tagwire.network.station import EngineStation
from tagwire.security import ServerSecurity
from tagwire.tagger.forwarding import FORWARDED
from tagwire.tagger.network import TimeTaggerNetwork, createTimeTaggerNetwork

if TYPE_CHECKING:
    from tagwire.network.server import StreamServer


class RelayStation(EngineStation):
    """A Time Tagger elsewhere, as the relay's server sees it.

    Parameters
    ----------
    tagger
        It lives at least as long as this.
    """

    def __init__(self, tagger: TimeTaggerNetwork) -> None:
        super().__init__(tagger, FORWARDED)
        self._network = tagger

    def hardware(self) -> tuple[int, ...]:
        """Physical channels that the server gives."""
        offered = self._network._refresh_channels()
        return tuple(c for c in self._network.getChannelList() if c in offered)

    def virtual(self) -> tuple[int, ...]:
        """Virtual channels that the server gives."""
        physical = self._network.getChannelList()
        return tuple(c for c in self._network._refresh_channels() if c not in physical)


class Relay:
    """Serves the stream of another server until it is closed.

    Parameters
    ----------
    origin
        ``host:port`` of the other server, or several.
    mode, only
        Rights of the relay's clients, as for `startServer`; those that the origin gives to the relay limit them.
    address
        Where to listen.
    security
        Keys and tokens of the relay.
    memory
        Bytes that slow clients can take, all together.

    Notes
    -----
    Events that the relay itself has missed pass through as such and count as sent: for each client of the relay,
    received and reported as missed is what the instrument has sent.
    """

    def __init__(
        self,
        origin: str | Sequence[str],
        mode: AccessMode,
        only: Sequence[int],
        address: Address,
        security: ServerSecurity | None = None,
        memory: int = MEMORY,
    ) -> None:
        from tagwire.network.server import StreamServer

        self.tagger = createTimeTaggerNetwork(origin)
        # One slow client of the relay must not hold up the others, so nobody is waited for but in Synchronous modes.
        self.tagger._hub.patient = False
        try:
            self.server: StreamServer = StreamServer(
                RelayStation(self.tagger), Access(mode, only), address, security, memory
            )
        except Exception:
            self.tagger._free()
            raise

    def close(self) -> None:
        """End the server, then the connection."""
        self.server.close()
        self.tagger._free()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
