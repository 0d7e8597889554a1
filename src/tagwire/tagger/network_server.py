"""One server of a Network Time Tagger."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tagwire.core.enums import AccessMode
from tagwire.engine.device_settings import TimeTaggerSource
from tagwire.errors import RemoteError
from tagwire.network.numbering import Numbering
from tagwire.tagger.forwarding import forwards
from tagwire.tagger.hardware import TimeTaggerHardware

if TYPE_CHECKING:
    from tagwire.network.client import Connection
    from tagwire.network.source import NetworkSource


@forwards()
class TimeTaggerServer(TimeTaggerHardware, TimeTaggerSource):
    """A server that a `TimeTaggerNetwork` is connected to, from its `getServer`: its settings, under its own numbers.

    Every setting and reading is forwarded; the errors are those of the server.
    """

    _connection: Connection
    _address: str
    _source: NetworkSource

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - use TimeTaggerNetwork.getServer()")

    @classmethod
    def _open(cls, connection: Connection, address: str, place: int = 0) -> Self:
        """The server that is number `place` of several, or 0 if it is the only one."""
        server = cls.__new__(cls)
        server._connection, server._address = connection, address
        server._numbering = Numbering(place)
        server._information = connection.ask("info")
        return server

    _information: dict[str, Any]
    _numbering: Numbering

    def getAddress(self) -> str:
        """The address, as it was given to `createTimeTaggerNetwork`."""
        return self._address

    def getAccessMode(self) -> AccessMode:
        """What clients may do at this server."""
        return AccessMode[self._information["access mode"]]

    def getClientChannel(self, server_channel: int) -> int:
        """Number at the client of a channel of this server.

        Where there are several servers, the inputs of the n-th one are ``n * 1000`` above their own numbers, and
        falling edges below: channel 3 of the second server is 2003, channel -3 is -2003. Its virtual channels are
        ``n * 100,000`` above their own numbers: channel 1001 of the second server is 201001. The numbers of a server
        that is alone are the same here and there.

        Parameters
        ----------
        server_channel
            Number at the server.
        """
        return self._numbering.client(server_channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the connection is that of the Time Tagger."""

    def _names(self) -> tuple[str, ...]:
        """Everything by which it may be asked for."""
        where = self._connection.address
        return self._address, str(where), where.host

    def _exposed(self) -> tuple[int, ...]:
        """Channels that it gives at this moment, under its own numbers."""
        self._information = self._connection.ask("info")
        return tuple(self._information["exposed channels"])

    def _offered(self) -> tuple[int, ...]:
        """The same under the client's numbers."""
        return tuple(self.getClientChannel(c) for c in self._exposed())

    def _configuration(self) -> dict[str, Any]:
        return dict(self._connection.ask("info")["configuration"])

    def _fence(self) -> int:
        """Stream time at the client from which on tags are younger than this call."""
        while True:
            renewals = self._connection.renewals
            try:
                told = self._connection.ask("fence")
            except RemoteError:
                if renewals == self._connection.renewals:
                    raise
            else:
                return self._source.client_time(told["epoch"], told["time"])

    def _ask(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._connection.call(method, args, kwargs)

    def _close(self) -> None:
        self._connection.renew()
