"""The streams of several servers as one source, for a Time Tagger that is connected to all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from tagwire.network.merging import PATIENCE_S, MergedSource
from tagwire.sources.base import Source


class ServerSource(Source, Protocol):
    """The stream of one server; see `tagwire.network.source.NetworkSource`."""

    channels: tuple[int, ...]

    @property
    def connected(self) -> bool: ...
    @property
    def carried(self) -> frozenset[int]: ...
    def wait(self, timeout: float) -> bool: ...
    def request(self, channels: Collection[int]) -> None: ...
    def carried_since(self, channels: Collection[int]) -> int | None: ...
    def look_after(self) -> None: ...


class ManyServers(MergedSource):
    """Streams of several servers, which can be told what to carry; under the client's channel numbers.

    Parameters
    ----------
    servers
        Their streams, in the order of the servers.
    patience
        Longest time in s that a tag waits for the tags of another server; negative: for ever.
    clock
        Gives real time in s.
    """

    def __init__(
        self,
        servers: Sequence[ServerSource],
        patience: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(servers, patience, clock)
        self._servers = tuple(zip(servers, self.numberings, strict=True))

    @property
    def channels(self) -> tuple[int, ...]:
        """Every channel that the servers offer."""
        return tuple(numbering.client(c) for server, numbering in self._servers for c in server.channels)

    @channels.setter
    def channels(self, channels: Collection[int]) -> None:
        for server, numbering in self._servers:
            server.channels = tuple(n for n in map(numbering.server, channels) if n is not None)

    @property
    def connected(self) -> bool:
        """Whether the streams of all servers come in."""
        return all(server.connected for server, _ in self._servers)

    @property
    def carried(self) -> frozenset[int]:
        """Channels that the streams carry, or were asked to."""
        return frozenset(numbering.client(c) for server, numbering in self._servers for c in server.carried)

    def request(self, channels: Collection[int]) -> None:
        """Let the streams carry just these channels from about now on; see `NetworkSource.request`."""
        for server, numbering in self._servers:
            server.request(numbering.servers(channels))

    def carried_since(self, channels: Collection[int]) -> int | None:
        """Stream time in ps from which on the streams carry all these channels; `None` while they do not."""
        since = [self.position]
        for server, numbering in self._servers:
            mine = numbering.servers(channels)
            begun = server.carried_since(mine) if mine else self.position
            if begun is None:
                return None
            since.append(begun)
        return max(since)

    def look_after(self) -> None:
        """For a thread of whoever owns this, about once a second: break off streams that show no sign of life."""
        for server, _ in self._servers:
            server.look_after()
