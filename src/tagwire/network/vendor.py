"""A Time Tagger of any library with the API, as its stream server sees it: the vendor's hardware, first of all.

Nothing but the public API is used. Tags come through a `CustomMeasurement` of the library: it gets every block with the
exact span of time that it accounts for, which a polled `TimeTagStream` does not tell.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import NO_MISSED, NO_TYPES, TagBlock
from tagwire.engine.selection import select
from tagwire.errors import ArgumentError
from tagwire.network.ring import Ring

FIRST_BLOCK_S = 2.0
"""Seconds that the first block of a stream may take; where none comes by then, stream time stands still."""

SYNC_MS = 5000


class _Measurement(Protocol):
    def stop(self) -> None: ...


class ApiStation:
    """A Time Tagger of a library with the Time Tagger API.

    Parameters
    ----------
    library
        Its module.
    tagger
        The Time Tagger.
    methods
        Names of the methods that clients may ask for.
    """

    def __init__(self, library: ModuleType, tagger: Any, methods: Collection[str]) -> None:
        self._library, self._tagger = library, tagger
        self._methods = frozenset(methods)

    def hardware(self) -> tuple[int, ...]:
        """Physical channels."""
        return tuple(int(c) for c in self._tagger.getChannelList())

    def virtual(self) -> tuple[int, ...]:
        """Virtual channels that exist now, as far as the library's configuration tells."""
        made = self.configuration().get("measurements", [])
        found = [m.get("virtual channels", []) for m in made if isinstance(m, dict)]
        return tuple(int(c) for channels in found if isinstance(channels, list) for c in channels)

    def configuration(self) -> dict[str, Any]:
        """As the Time Tagger itself gives it."""
        told = self._tagger.getConfiguration()
        return dict(json.loads(told) if isinstance(told, str) else told)

    def outlet(self, channels: Sequence[int], capacity: int, synchronous: bool) -> ApiOutlet:
        """A custom measurement that puts the tags into a ring."""
        return ApiOutlet(self._library, self._tagger, channels, capacity, synchronous)

    def fence(self) -> int | None:
        """Wait until the library has handed on all older tags: then they are in the rings, up to their ends."""
        self._tagger.sync(SYNC_MS)
        return None

    def call(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a method, if it is one that clients may ask for."""
        if method not in self._methods:
            raise ArgumentError(f"{method!r} is not a method of the Time Tagger that clients may call")
        return getattr(self._tagger, method)(*args, **kwargs)


class ApiOutlet:
    """Some channels of a Time Tagger of any library, on their way into a ring.

    Attributes
    ----------
    ring
        Where clients read.
    """

    def __init__(
        self, library: ModuleType, tagger: Any, channels: Sequence[int], capacity: int, synchronous: bool
    ) -> None:
        self.ring = Ring(tuple(channels), capacity, synchronous)
        self._index = ChannelIndex(self.ring.channels)
        self._begun = threading.Event()
        self._measurement: _Measurement = _measurement(library, tagger, channels, self._take)
        if not self._begun.wait(FIRST_BLOCK_S):
            self.ring.begin_at(int(library.TimeTagStream(tagger, 1, list(channels) or [1]).getData().tGetData))

    def close(self) -> None:
        """Leave the stream."""
        self.ring.close()  # first of all, for the stream may be waiting for a client
        self._measurement.stop()

    def _take(self, records: NDArray[np.void], begin: int, end: int) -> None:
        if not self._begun.is_set():
            self.ring.begin_at(begin)
            self._begun.set()
        try:
            self.ring.append(select(_block(records, begin, end), self._index))
        except Exception as error:  # the library would only log it, and clients wait for ever
            self.ring.close(f"the stream broke off: {error!r}")
            raise


def _measurement(library: ModuleType, tagger: Any, channels: Sequence[int], take: Any) -> _Measurement:
    base: Any = library.CustomMeasurement

    class Outlet(base):  # type: ignore[misc]
        """Hands every block on."""

        def __init__(self) -> None:
            super().__init__(tagger)
            for channel in channels:
                self.register_channel(channel)
            self.finalize_init()

        def process(self, incoming_tags: NDArray[np.void], begin_time: int, end_time: int) -> None:
            take(incoming_tags, int(begin_time), int(end_time))

        def on_start(self) -> None: ...

        def on_stop(self) -> None: ...

    made: _Measurement = Outlet()
    return made


def _block(records: NDArray[np.void], begin: int, end: int) -> TagBlock:
    """A block in columns of its own, for the library takes its memory back."""
    time, channel = records["time"].copy(), records["channel"].copy()
    if not records["type"].any():
        return TagBlock(begin, end, time, channel, NO_TYPES, NO_MISSED)
    return TagBlock(begin, end, time, channel, records["type"].copy(), records["missed_events"].copy())
