"""Several servers behind one `TimeTaggerNetwork`: how they are connected, and what only several have."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.arguments import real
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError, StateError
from tagwire.network.many import ManyServers
from tagwire.network.numbering import MOST_SERVERS, STEP
from tagwire.network.source import NetworkSource
from tagwire.tagger.network_server import TimeTaggerServer


def source_of(servers: Sequence[TimeTaggerServer]) -> NetworkSource | ManyServers:
    """The stream of one server, or those of several as one.

    Raises
    ------
    StateError
        (RuntimeError) One of several servers is not synchronized; the message says what to do.
    """
    if len(servers) > 1:
        for server in servers:
            _check_synchronized(server)
    opened: list[NetworkSource] = []
    try:
        for server in servers:
            server._source = NetworkSource(server._connection, server._exposed())
            opened.append(server._source)
    except BaseException:
        for source in opened:
            source.close()
        raise
    return opened[0] if len(opened) == 1 else ManyServers(opened)


def check_addresses(addresses: Sequence[str]) -> None:
    """ArgumentError (ValueError) where there is no address, one twice, or too many."""
    if not 1 <= len(addresses) <= MOST_SERVERS:
        raise ArgumentError(f"address names {len(addresses)} servers, but must name 1 to {MOST_SERVERS}")
    twice = {a for a in addresses if addresses.count(a) > 1}
    if twice:
        raise ArgumentError(f"address names {', '.join(sorted(twice))} more than once")


def first_channel(servers: int, lowest: int) -> int:
    """Lowest number of a virtual channel at a client of so many servers; above the inputs of all of them."""
    return max(lowest, (servers + 1) * STEP + 1)


def _check_synchronized(server: TimeTaggerServer) -> None:
    state = server.getReferenceClockState()
    if not state.enabled or state.synchronization_channel == CHANNEL_UNUSED:
        have = "has a reference clock without one pulse per second" if state.enabled else "has no reference clock"
        what = (
            "call setReferenceClock(clock_channel, synchronization_channel=...) on its Time Tagger, with a clock "
            "signal and one pulse per second (1PPS) that all servers share"
        )
    elif not state.is_locked or not state.is_synchronized:
        have = "is not synchronized" if state.is_locked else "has lost the lock to its reference clock"
        what = (
            f"look for the signals on its channels {state.clock_channel} and {state.synchronization_channel}, and try "
            "again when getReferenceClockState() says is_synchronized"
        )
    else:
        return
    raise StateError(
        f"the server {server.getAddress()} {have}, but the streams of several servers are merged by their times, so "
        f"all need the same time base: {what}"
    )


class ManySettings:
    """What a `TimeTaggerNetwork` of several servers can be told and asked for; ours, not the vendor's."""

    _source: NetworkSource | ManyServers

    def setServerPatience(self, seconds: float) -> None:
        """Choose for how long the tags of the other servers wait for one that lags, stalls or is gone.

        After that the stream goes on without it, in an overflow. What it sends too late is counted as missed events
        on its channels, at the stream time of then; it is back, and the overflow ends, as soon as it has caught up.

        Parameters
        ----------
        seconds
            Real time in s; 1 at first. Negative: for ever, so that nothing is lost on this side, as for replays that
            are as fast as possible. Without meaning where there is only one server.
        """
        patience = real(seconds, "seconds")
        if isinstance(self._source, ManyServers):
            self._source.patience = patience

    def getServerPatience(self) -> float:
        """For how long in s the tags of the other servers wait for one; -1 stands for ever, and for a single server."""
        source = self._source
        return max(source.patience, -1.0) if isinstance(source, ManyServers) else -1.0
