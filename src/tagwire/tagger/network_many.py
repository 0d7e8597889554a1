"""Several servers behind one `TimeTaggerNetwork`: how they are connected, and what only several have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from tagwire.core.address import Address
from tagwire.core.arguments import integer, real
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError, RemoteError, StateError
from tagwire.network.many import ManyServers
from tagwire.network.numbering import MOST_SERVERS, STEP
from tagwire.network.source import NetworkSource
from tagwire.tagger.clock_watch import ClockWatch
from tagwire.tagger.network_server import TimeTaggerServer

PS_PER_S = 10**12

APART_MAX = 60 * PS_PER_S
"""Stream time in ps by which servers can be apart while they are being connected."""


def source_of(servers: Sequence[TimeTaggerServer]) -> NetworkSource | ManyServers:
    """The stream of one server, or those of several as one.

    Raises
    ------
    StateError
        (RuntimeError) One of several servers is not synchronized; the message says what to do.
    """
    several = len(servers) > 1
    for server in servers if several else ():
        _check_synchronized(server)
    opened: list[NetworkSource] = []
    try:
        for server in servers:
            ready = partial(_check_synchronized, server) if several else None
            server._source = NetworkSource(server._connection, server._exposed(), ready)
            opened.append(server._source)
        _check_times(servers, [source.position for source in opened])
    except BaseException:
        for source in opened:
            source.close()
        raise
    return ManyServers(opened) if several else opened[0]


def check_addresses(addresses: Sequence[Address]) -> None:
    """ArgumentError (ValueError) where there is no address, one twice, or too many."""
    if not 1 <= len(addresses) <= MOST_SERVERS:
        raise ArgumentError(f"address names {len(addresses)} servers, but must name 1 to {MOST_SERVERS}")
    twice = {str(a) for a in addresses if addresses.count(a) > 1}
    if twice:
        raise ArgumentError(f"address names {', '.join(sorted(twice))} more than once")


def first_channel(servers: int, lowest: int) -> int:
    """Lowest number of a virtual channel at a client of so many servers; above the inputs of all of them."""
    return max(lowest, (servers + 1) * STEP + 1)


def fence_time(servers: Sequence[TimeTaggerServer], source: NetworkSource | ManyServers) -> int:
    """Stream time from which on the tags of all servers are younger than this call.

    One of several servers that the stream goes on without, or that does not answer, is left out.

    Raises
    ------
    RemoteError
        (RuntimeError) None of them answers.
    """
    if not isinstance(source, ManyServers):
        return servers[0]._fence()
    times: list[int] = []
    errors: list[RemoteError] = []
    for place, server in enumerate(servers):
        if source.standing(place).absent:
            continue
        try:
            times.append(server._fence())
        except RemoteError as error:
            errors.append(error)
    if not times and errors:
        raise errors[0]
    return max(times, default=source.position)


def _check_synchronized(server: TimeTaggerServer) -> None:
    state = server._connection.ask("call", {"method": "getReferenceClockState", "args": [], "kwargs": {}})
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


def _check_times(servers: Sequence[TimeTaggerServer], times: Sequence[int]) -> None:
    """Raise StateError where the servers' times are too far apart to be those of one time base."""
    first, last = (times.index(choose(times)) for choose in (min, max))
    if times[last] - times[first] > APART_MAX:
        raise StateError(
            f"stream time is {times[first] / PS_PER_S:g} s at {servers[first].getAddress()} and "
            f"{times[last] / PS_PER_S:g} s at {servers[last].getAddress()}, but must be nearly the same to be merged: "
            "check the time of both computers, or give a synchronization_offset to setReferenceClock; a Time Tagger "
            "whose clock was synchronized to an earlier time, by half a second or more, is ahead by 10**6 s; open it "
            "anew then"
        )


class ManySettings:
    """What a `TimeTaggerNetwork` of several servers can be told and asked for; ours, not the vendor's."""

    _source: NetworkSource | ManyServers
    _servers: tuple[TimeTaggerServer, ...]
    _watch: ClockWatch | None = None

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

    def getServerStandings(self) -> dict[str, dict[str, float]]:
        """How the servers stand to each other in the merged stream.

        Returns
        -------
        dict
            For each server, under its address: whether the stream goes on without it at this moment (``absent``, 1 or
            0), how far it is behind the one that is ahead of all (``lag``, in ps of stream time), and the number of its
            events that came too late since the connection (``missed``). A single server is never absent.
        """
        source = self._source
        if not isinstance(source, ManyServers):
            return {server.getAddress(): {"absent": 0, "lag": 0, "missed": 0} for server in self._servers}
        return {
            server.getAddress(): {"absent": int(now.absent), "lag": now.lag, "missed": sum(now.missed.values())}
            for server, now in ((s, source.standing(n)) for n, s in enumerate(self._servers))
        }

    def getClockOffsets(self, timeout: int = 10_000) -> dict[str, dict[str, float]]:
        """How the clocks of the servers stand to that of the first one, by the pulses per second they all stamp.

        The first call begins to watch the pulses, and waits for the first three. Later ones do not wait, and have the
        latest 1,000 pulses to go by. Well synchronized servers differ by no more than the jitter of their inputs.

        Parameters
        ----------
        timeout
            Longest wait in ms.

        Returns
        -------
        dict
            For each server but the first, under its address: ``offset`` (what its clock shows more, in ps, at the
            stream time ``time`` of the last pulse) and ``drift`` (its growth per time; 1e-12 is 1 ps each second), with
            their standard errors ``offset_error`` and ``drift_error``; ``rms`` in ps of what a straight line leaves
            over; the numbers of pulses ``used`` and ``rejected``. A server without three pulses in common with the
            first one is left out.

        Raises
        ------
        StateError
            (RuntimeError) There is only one server.
        ArgumentError
            (ValueError) A server does not give the channel of its pulses to clients.
        """
        limit = integer(timeout, "timeout", 0) / 1000
        if len(self._servers) < 2:
            raise StateError("there is one server only; offsets between clocks need several")
        if self._watch is None:
            channels = [s.getClientChannel(s.getReferenceClockState().synchronization_channel) for s in self._servers]
            self._watch = self._watch_clocks(channels)
        found = zip(self._servers[1:], self._watch.offsets(limit), strict=True)
        return {server.getAddress(): asdict(offset) for server, offset in found if offset is not None}

    def _watch_clocks(self, channels: list[int]) -> ClockWatch:
        raise NotImplementedError(type(self).__name__)
