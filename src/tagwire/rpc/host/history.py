"""Who changed which setting of an instrument, and when."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tagwire.rpc.host.objects import Caller, Resource

KEPT = 256
"""Changes kept for each instrument; older ones are forgotten."""


@dataclass(frozen=True)
class Change:
    """One call that changed an instrument.

    Attributes
    ----------
    when
        In s since 1970.
    who
        Who made the call.
    method, arguments
        What was called, and with which values (see `tagwire.rpc.host.shown`).
    """

    when: float
    who: str
    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """The same as a dictionary, to be sent."""
        return {"when": self.when, "who": self.who, "method": self.method, "arguments": dict(self.arguments)}


def instrument_of(resource: Resource) -> Resource:
    """The instrument that `resource` belongs to: the one that everything it was made with leads to."""
    while resource.parents:
        resource = resource.parents[0].resource
    return resource


class History:
    """The latest changes of every instrument; they are forgotten with it.

    Parameters
    ----------
    clock
        Time in s since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._changes: dict[Resource, deque[Change]] = {}
        self._listeners: tuple[Callable[[Resource, Change], object], ...] = ()

    def listen(self, listener: Callable[[Resource, Change], object]) -> None:
        """Call `listener` with the instrument and the change, whenever one is made."""
        self._listeners = (*self._listeners, listener)

    def record(self, resource: Resource, caller: Caller, method: str, arguments: Mapping[str, Any]) -> None:
        """`caller` has changed `resource`, or the instrument that it belongs to."""
        instrument = instrument_of(resource)
        change = Change(self._clock(), caller.label, method, arguments)
        with self._lock:
            self._changes = {known: kept for known, kept in self._changes.items() if known.leases}
            self._changes.setdefault(instrument, deque(maxlen=KEPT)).append(change)
        for listener in self._listeners:
            listener(instrument, change)

    def of(self, resource: Resource) -> list[Change]:
        """Changes of the instrument that `resource` belongs to, oldest first."""
        with self._lock:
            return list(self._changes.get(instrument_of(resource), ()))
