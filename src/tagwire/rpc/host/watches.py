"""Looks at live objects of the library, so that a client need not ask again and again.

No library says by itself when a measurement has new data, is finished, or when tags were lost; somebody has to look.
Here the server does, as often as wanted and with nothing but the public methods of the API, and says only what is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import numpy as np

from tagwire.rpc.wire import Codec

LOOK_S = 0.05
"""How often is looked whether a measurement has finished, and whether tags were lost."""


class Nothing(Enum):
    """That there is nothing to tell."""

    NEW = 0


class Watch(Protocol):
    """Something to look at.

    Attributes
    ----------
    interval
        Seconds from one look to the next.
    """

    interval: float

    def look(self) -> Any:
        """What to tell, or `Nothing.NEW`."""

    def told(self) -> None:
        """What the last look found has reached the client; until then the next look finds it again."""


class Updates:
    """New values of one getter (or property) of an object, whenever they differ from the ones before.

    Parameters
    ----------
    get
        Gives the value.
    interval
        Seconds between two looks.
    """

    def __init__(self, get: Callable[[], Any], interval: float) -> None:
        self.interval = interval
        self._get = get
        self._known = self._found = b""

    def look(self) -> Any:
        """The value, if it is new."""
        value = self._get()
        self._found = _digest(_plain(value))
        return value if self._found != self._known else Nothing.NEW

    def told(self) -> None:
        """The value is known now."""
        self._known = self._found


class Finish:
    """The end of a measurement's run, once for every run; at once for one that is not running."""

    interval = LOOK_S

    def __init__(self, obj: Any) -> None:
        self._obj = obj
        self._told = False

    def look(self) -> Any:
        """How long it has captured, in ps (`None` if it cannot say), when it has stopped."""
        if self._obj.isRunning():
            self._told = False
        elif not self._told:
            return self._obj.getCaptureDuration() if hasattr(self._obj, "getCaptureDuration") else None
        return Nothing.NEW

    def told(self) -> None:
        """The end of this run is known."""
        self._told = True


class Overflows:
    """The number of overflows of a tagger, whenever it has grown."""

    interval = LOOK_S

    def __init__(self, obj: Any) -> None:
        self._obj = obj
        self._known = self._found = int(obj.getOverflows())

    def look(self) -> Any:
        """The number, if it has grown; one that somebody has cleared starts again."""
        self._found = int(self._obj.getOverflows())
        if self._found > self._known:
            return self._found
        self._known = self._found
        return Nothing.NEW

    def told(self) -> None:
        """The number is known now."""
        self._known = self._found


def _plain(value: Any) -> Any:
    """`value` with the numbers of enum members in their place."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value) if type(value) in (list, tuple) else value
    return value


def _digest(value: Any) -> bytes:
    """Short bytes that differ for different values: the values themselves may be large."""
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data.cast("B") if value.size else b"")
    else:
        digest.update(Codec().pack(value))
    return digest.digest()
