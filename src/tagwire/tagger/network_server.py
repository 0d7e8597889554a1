"""One server of a Network Time Tagger."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tagwire.core.arguments import integer
from tagwire.core.enums import AccessMode
from tagwire.engine.device_settings import TimeTaggerSource
from tagwire.errors import RemoteError
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
    def _open(cls, connection: Connection, address: str) -> Self:
        server = cls.__new__(cls)
        server._connection, server._address = connection, address
        server._information = connection.ask("info")
        return server

    _information: dict[str, Any]

    def getAddress(self) -> str:
        """The address, as it was given to `createTimeTaggerNetwork`."""
        return self._address

    def getAccessMode(self) -> AccessMode:
        """What clients may do at this server."""
        return AccessMode[self._information["access mode"]]

    def getClientChannel(self, server_channel: int) -> int:
        """Number at the client of a channel of this server.

        Parameters
        ----------
        server_channel
            Number at the server.
        """
        return integer(server_channel, "server_channel", -(2**31), 2**31 - 1)

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

    def _offered(self) -> tuple[int, ...]:
        """Channels that it gives at this moment, under the client's numbers."""
        self._information = self._connection.ask("info")
        return tuple(self.getClientChannel(c) for c in self._information["exposed channels"])

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
