"""What a stream server needs of the Time Tagger that it serves, and how one of our engine gives it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError
from tagwire.network.feed import Feed
from tagwire.network.ring import Ring


class Outlet(Protocol):
    """Some channels of a Time Tagger on their way into a ring."""

    ring: Ring

    def close(self) -> None:
        """Leave the stream; what is in the ring can still be read."""
        ...


class Station(Protocol):
    """A Time Tagger, as its stream server sees it."""

    def hardware(self) -> tuple[int, ...]:
        """Physical channels."""
        ...

    def virtual(self) -> tuple[int, ...]:
        """Virtual channels that exist now."""
        ...

    def configuration(self) -> dict[str, Any]:
        """Settings, as values that JSON can hold."""
        ...

    def outlet(self, channels: Sequence[int], capacity: int, synchronous: bool) -> Outlet:
        """The tags of some channels from now on."""
        ...

    def fence(self) -> int | None:
        """Stream time from which on every tag is younger than this call; `None` while no tags flow."""
        ...

    def call(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a method of the Time Tagger."""
        ...


class EngineStation:
    """A Time Tagger of our engine.

    Parameters
    ----------
    tagger
        It lives at least as long as this.
    methods
        Names of the methods that clients may ask for.
    """

    def __init__(self, tagger: TimeTaggerBase, methods: Collection[str]) -> None:
        self._tagger = tagger
        self._methods = frozenset(methods)

    def hardware(self) -> tuple[int, ...]:
        """Physical channels, rising edges first."""
        return tuple(sorted(self._tagger._hub.source.channels, key=lambda c: (c < 0, abs(c))))

    def virtual(self) -> tuple[int, ...]:
        """Virtual channels that exist now."""
        return self._tagger._hub.virtual_channels()

    def configuration(self) -> dict[str, Any]:
        """As the Time Tagger itself gives it."""
        return self._tagger.getConfiguration()

    def outlet(self, channels: Sequence[int], capacity: int, synchronous: bool) -> Outlet:
        """A feed at the end of the chain."""
        return Feed(self._tagger, channels, capacity, synchronous)

    def fence(self) -> int | None:
        """As the Time Tagger itself tells."""
        return self._tagger._fence_time()

    def call(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a method, if it is one that clients may ask for."""
        if method not in self._methods:
            raise ArgumentError(f"{method!r} is not a method of the Time Tagger that clients may call")
        return getattr(self._tagger, method)(*args, **kwargs)
