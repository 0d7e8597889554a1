"""The client side of the Network Time Tagger: a Time Tagger elsewhere, measured on here."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tagwire.config import stream_address
from tagwire.core.address import Address
from tagwire.core.arguments import integer, text
from tagwire.core.enums import ChannelEdge
from tagwire.discovery import servers as known_servers
from tagwire.engine.chain import Member
from tagwire.engine.device import DeviceChain
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.hub import Hub
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError, TagwireError
from tagwire.network.many import ManyServers
from tagwire.network.pump import NetworkPump
from tagwire.network.source import NetworkSource
from tagwire.tagger.clock_watch import ClockWatch
from tagwire.tagger.forwarding import forwards
from tagwire.tagger.hardware import TimeTaggerHardware
from tagwire.tagger.network_many import ManySettings, check_addresses, fence_time, first_channel, source_of
from tagwire.tagger.network_server import TimeTaggerServer

if TYPE_CHECKING:
    from tagwire.network.client import Connection

FIRST_CLIENT_CHANNEL = 10_001
"""Lowest number of a virtual channel that is made at a client; those of the servers are below or far above."""

CARRIED_S = 10.0
"""Longest time in s that a new measurement waits for its channels to be streamed."""

SCAN_S = 2.0
"""Seconds that a server gets to answer in a scan."""

_LOCAL = ("getConfiguration", "getChannelList")

_Tagger = TypeVar("_Tagger", bound="TimeTaggerNetwork")


@forwards(*_LOCAL)
class TimeTaggerNetwork(TimeTaggerBase, TimeTaggerHardware, ManySettings):
    """A Time Tagger at another computer, made by `createTimeTaggerNetwork`.

    Its tags come over the network, and every measurement and virtual channel runs here, like on one that is plugged in.
    Settings and readings of the instrument are forwarded to the server, where they hold for everybody; a server in a
    Listen mode refuses what would change something (NotAllowed, RuntimeError).

    Notes
    -----
    Only channels that somebody here listens to are streamed. A measurement on a channel that was not waits until it is:
    about one block of the stream.

    Tags that do not get through (a slow network or computer) show as an overflow with their number as missed events on
    each channel, like those that the instrument itself could not handle. When the connection breaks it is taken up
    again, with the same accounts. After a restart of the server stream time goes on where it was, behind an overflow
    that tells an error.
    """

    _source: NetworkSource | ManyServers
    _servers: tuple[TimeTaggerServer, ...]
    _pump: NetworkPump
    _fences: dict[int, int]

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - use createTimeTaggerNetwork()")

    @classmethod
    def _open(cls, source: NetworkSource | ManyServers, servers: Iterable[TimeTaggerServer]) -> Self:
        tagger = cls.__new__(cls)
        tagger._source = source
        tagger._servers = tuple(servers)
        tagger._fences = {}
        tagger._hub = Hub(source, DeviceChain())
        tagger._hub._next_channel = first_channel(len(tagger._servers), FIRST_CLIENT_CHANNEL)
        tagger._pump = NetworkPump(tagger._hub, source)
        weakref.finalize(tagger, _abandon, tagger._pump, source).atexit = False
        tagger._pump.start()
        return tagger

    # --- the connection ----------------------------------------------------------------------------------------

    def isConnected(self) -> bool:
        """Whether the stream comes in from all servers."""
        return self._source.connected

    def getServer(self, ip_address: str) -> TimeTaggerServer:
        """One of the servers.

        Parameters
        ----------
        ip_address
            Its address, as it was given to `createTimeTaggerNetwork`.

        Raises
        ------
        ArgumentError
            (ValueError) There is none with that address.
        """
        wanted = text(ip_address, "ip_address")
        for server in self._servers:
            if wanted in server._names():
                return server
        there = ", ".join(server.getAddress() for server in self._servers)
        raise ArgumentError(f"ip_address is {wanted!r}, but this Time Tagger is connected to {there}")

    def getServers(self) -> list[TimeTaggerServer]:
        """All servers, in the order in which their addresses were given."""
        return list(self._servers)

    def getChannelList(self, type: ChannelEdge = ChannelEdge.All) -> tuple[int, ...]:
        """Physical channels of all servers.

        Parameters
        ----------
        type
            Limits the list to an edge or a resolution.

        Returns
        -------
        tuple of int
            Channel numbers. A server in a Listen mode may not give all of them; `getTimeTaggerServerInfo` tells which.
        """
        return tuple(s.getClientChannel(c) for s in self._servers for c in s.getChannelList(type))

    def getConfiguration(self) -> dict[str, Any]:
        """Settings of the server, and measurements and virtual channels of this client, as values for JSON."""
        return self._servers[0]._configuration() | super().getConfiguration()

    # --- delays and overflows at the client --------------------------------------------------------------------

    def setDelayClient(self, channel: int, time: int) -> None:
        """Delay a channel here, for this object alone.

        Parameters
        ----------
        channel
            Channel of the server.
        time
            Delay in ps, positive for later, within ±10**18. A negative delay holds the whole stream back by as much.
        """
        number, delay = self._physical(channel), integer(time, "time", -DELAY_MAX, DELAY_MAX)
        self._change(lambda chain: chain.software_delay.set(number, delay))

    def getDelayClient(self, channel: int) -> int:
        """Delay of a channel here, in ps."""
        return self._chain().software_delay.get(self._physical(channel))

    def getOverflowsClient(self) -> int:
        """Number of overflow ranges in the stream here since the connection or the last clear.

        Those of the instrument and those that arose on the way count alike; `getOverflows` asks the server.
        """
        return self._hub.overflows

    def getOverflowsAndClearClient(self) -> int:
        """The number of overflow ranges here, which begins at zero again."""
        counted: list[int] = []
        self._hub.command(lambda now: counted.append(self._forget_overflows()))
        return counted[0]

    def clearOverflowsClient(self) -> None:
        """Count overflow ranges here from zero again."""
        self._hub.command(lambda now: self._forget_overflows())

    # --- fences ------------------------------------------------------------------------------------------------

    def getFence(self, alloc_fence: bool = True) -> int:
        """A mark in the stream that stands for "now" at the server: what comes behind it was produced after this call.

        Parameters
        ----------
        alloc_fence
            Make a new fence; False gives the latest one.

        Returns
        -------
        int
            The fence, for `waitForFence`.
        """
        number = super().getFence(alloc_fence)
        if alloc_fence:
            self._fences[number] = self._fence_time()
        return number

    def waitForFence(self, fence: int, timeout: int = -1) -> bool:
        """Wait until every tag older than the fence has been processed here; Ctrl-C interrupts.

        Parameters
        ----------
        fence
            From `getFence`.
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            False when the time was up before.
        """
        number = integer(fence, "fence", 0, self._hub.fence(new=False))
        limit = integer(timeout, "timeout")
        deadline = time.monotonic() + limit / 1000 if limit >= 0 else None
        while not self._reached(self._fences.get(number, 0)):
            self._hub.check()
            left = WAIT_SLICE if deadline is None else min(WAIT_SLICE, deadline - time.monotonic())
            if left <= 0:
                return False
            self._hub.passed(self._hub.fence(), left)
        for passed in [n for n in self._fences if n <= number]:
            self._fences.pop(passed, None)
        return True

    def _fence_time(self) -> int:
        """Stream time from which on the tags of all servers that are there are younger than this call."""
        return fence_time(self._servers, self._source)

    def _reached(self, time: int) -> bool:
        """Whether all tags before a time have been handed on; asked between two blocks."""
        at: list[int] = []
        self._hub.command(lambda now: at.append(self._hub.position))
        return at[0] >= time

    # --- inside ------------------------------------------------------------------------------------------------

    def _adopt(self, iterator: Member) -> None:
        """Take in a new measurement, once its channels are streamed: it shall not take their absence for silence."""
        self._pump.ask()
        self._await_channels(frozenset(iterator._inputs) & frozenset(self._source.channels))
        super()._adopt(iterator)

    def _await_channels(self, channels: frozenset[int]) -> None:
        """Wait until the stream here has come to where it carries all of `channels`."""
        if threading.current_thread() is self._pump.thread or self._hub.exclusive.mine:
            return  # a measurement made by another one while it holds the stream up: that cannot be waited for
        deadline = time.monotonic() + CARRIED_S
        while time.monotonic() < deadline and not self._freed:
            since = self._source.carried_since(channels)
            if since is not None and self._reached(since):
                return
            self._hub.passed(self._hub.fence(), WAIT_SLICE / 10)

    def _known(self, number: int, name: str) -> int:
        """A channel that can be listened to; asks the server again about one that is new."""
        if number not in self._source.channels and number not in self._hub.virtual_channels():
            self._refresh_channels()
        return super()._known(number, name)

    def _refresh_channels(self) -> tuple[int, ...]:
        """Ask the servers which channels they give."""
        self._source.channels = tuple(c for server in self._servers for c in server._offered())
        return self._source.channels

    def _watch_clocks(self, channels: list[int]) -> ClockWatch:
        watch = ClockWatch(self, [self._known(c, "the channel of the pulses") for c in channels])
        watch.start()
        return watch

    def _ask(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._servers[0]._ask(method, args, kwargs)

    def _free(self) -> None:
        self._pump.halt()
        self._source.close()
        self._pump.stop()
        self._hub.end_captures()
        for server in self._servers:
            server._close()
        super()._free()


def _abandon(pump: NetworkPump, source: NetworkSource | ManyServers) -> None:
    """End the threads of a tagger that was dropped, without waiting: whoever collects it may hold what they need."""
    pump.halt()
    threading.Thread(target=source.close, name="tagwire-stream-end", daemon=True).start()


def createTimeTaggerNetwork(address: str | Sequence[str] = "localhost:41101") -> TimeTaggerNetwork:
    """Measure here on the tags of a Time Tagger elsewhere, on which `startServer` was called, or of several.

    Parameters
    ----------
    address
        ``host:port`` of the server, or only the host (the port then is 41101), or its name in ``tagwire.toml``. A list
        of them connects to several servers, whose streams become one in order of time: channel 3 of the second server
        is 2003 here (see `TimeTaggerServer.getClientChannel`), and a server that lags does not hold up the others for
        long (see `TimeTaggerNetwork.setServerPatience`).

    Raises
    ------
    ArgumentError
        (ValueError) This is no address, or one is named twice.
    ServerUnreachable
        (RuntimeError) Nobody answers there within 10 s.
    StateError
        (RuntimeError) One of several servers has no time base in common with the others: each needs
        `setReferenceClock` with a ``synchronization_channel``.
    AccessRefused, ServerNotTrusted
        (RuntimeError) The server wants a token (``tagwire login``), or is not the one that it was.
    """
    texts = [text(address, "address")] if isinstance(address, str) else [text(a, "address") for a in address]
    addresses = [stream_address(name) for name in texts]
    check_addresses(addresses)
    places = [0] if len(texts) == 1 else range(1, len(texts) + 1)
    servers: list[TimeTaggerServer] = []
    try:
        for place, name, where in zip(places, texts, addresses, strict=True):
            servers.append(TimeTaggerServer._open(_connect(where), name, place))
        return TimeTaggerNetwork._open(source_of(servers), servers)
    except BaseException:
        for server in servers:
            server._close()
        raise


def getTimeTaggerServerInfo(address: str = "localhost:41101") -> dict[str, Any]:
    """Settings of a server's Time Tagger, and its channels.

    Parameters
    ----------
    address
        ``host:port`` of the server, or only the host (the port then is 41101), or its name in ``tagwire.toml``.

    Returns
    -------
    dict
        ``configuration``, ``access mode``, and the lists ``exposed channels``, ``hardware channels`` and
        ``virtual channels``.

    Raises
    ------
    ArgumentError
        (ValueError) This is no address.
    ServerUnreachable
        (RuntimeError) Nobody answers there.
    """
    connection = _connect(stream_address(text(address, "address")))
    try:
        return dict(connection.ask("info"))
    finally:
        connection.renew()


def scanTimeTaggerServers() -> tuple[str, ...]:
    """Addresses, as ``host:port``, of the stream servers that answer, among the computers that this user knows.

    Nothing is sent to the whole network: only this computer, those of the configuration and those that were used before
    (`tagwire.servers`) are asked, on the usual port.
    """
    known = [stream_address(server.name) for server in known_servers()]
    return tuple(str(a) for a in dict.fromkeys([stream_address("localhost"), *known]) if _answers(a))


def _answers(address: Address) -> bool:
    try:
        connection = _connect(address)
        connection.ask("info", timeout=SCAN_S)
        connection.renew()
    except TagwireError:
        return False
    return True


def _connect(address: Address) -> Connection:
    from tagwire.network.client import Connection

    return Connection(address)
