"""What the stand-ins of live objects can tell: methods added to the classes that `tagwire.rpc.client.remote` builds."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tagwire.core.catalog import ClassSpec
from tagwire.errors import ArgumentError
from tagwire.rpc import watchable
from tagwire.rpc.client.subscription import Subscription


@dataclass(frozen=True)
class SettingsChange:
    """A call that changed an instrument.

    Attributes
    ----------
    when
        Time of the server, in the local time zone.
    who
        Person and program: ``user@host (pid)``, with the name under which the server knows it, if any.
    method, arguments
        What was called, and with which values; a long value is abridged.
    """

    when: datetime.datetime
    who: str
    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.when:%Y-%m-%d %H:%M:%S} {self.who}: {self.method}({arguments})"


def settings_change(plain: dict[str, Any]) -> SettingsChange:
    """The change that the server describes."""
    return SettingsChange(local_time(plain["when"]), plain["who"], plain["method"], plain["arguments"])


def local_time(seconds: float) -> datetime.datetime:
    """A time in s since 1970, in the local time zone."""
    return datetime.datetime.fromtimestamp(seconds).astimezone()


def on_update(
    self: Any, interval_s: float, callback: Callable[[Any], object] | None = None, *, value: str = ""
) -> Subscription[Any]:
    """New data as they come: nothing is asked for, and nothing is sent while nothing has changed.

    A value replaces the one before it: whoever is slow gets fewer of them, never old ones.

    Parameters
    ----------
    interval_s
        Shortest time between two values, in s, within [0.01, 3600].
    callback
        Called with each value, on a thread for all such functions, as long as this object exists; without it the values
        come in a ``for`` or ``async for`` loop over the result.
    value
        The getter or property whose value is wanted: ``getData`` unless another one is named.

    Raises
    ------
    ArgumentError, ArgumentKindError
        (ValueError, TypeError) The interval is out of range, or there is no such getter; the message says which.
    NotSupported
        (RuntimeError) The getter needs arguments, waits, or gives live objects.
    """
    if not value and not hasattr(self, "getData"):
        raise ArgumentError(f"say which value of the {type(self).__name__} is wanted: value='name of a getter'")
    options = {"interval": interval_s, "value": value or "getData"}
    return Subscription(self._tagwire_link, "update", self, options, latest=True, callback=callback)


def on_finished(self: Any, callback: Callable[[int | None], object] | None = None) -> Subscription[int | None]:
    """The end of every run (of ``startFor``, or by ``stop``); at once if it does not run now.

    What comes is the capture duration in ps. A run that is followed by another within 0.05 s may be missed.

    Parameters
    ----------
    callback
        Called with it, on a thread for all such functions; without it the values come in a loop over the result.
    """
    return Subscription(self._tagwire_link, "finished", self, latest=True, callback=callback)


def on_overflow(self: Any, callback: Callable[[int], object] | None = None) -> Subscription[int]:
    """The number of overflows (see ``getOverflows``) whenever it has grown: tags were lost.

    Parameters
    ----------
    callback
        Called with it, on a thread for all such functions; without it the values come in a loop over the result.
    """
    return Subscription(self._tagwire_link, "overflow", self, latest=True, callback=callback)


def on_settings(self: Any, callback: Callable[[SettingsChange], object] | None = None) -> Subscription[SettingsChange]:
    """Every change of a setting, one's own included: who changed what, and when.

    Parameters
    ----------
    callback
        Called with each `SettingsChange`, on a thread for all such functions; without it they come in a loop over the
        result.
    """
    return Subscription(self._tagwire_link, "settings", self, read=settings_change, callback=callback)


def event_methods(spec: ClassSpec) -> dict[str, Callable[..., Any]]:
    """The methods of this kind that objects of the class have, unless the library has one of that name."""
    offered: dict[str, tuple[Callable[[ClassSpec], bool], Callable[..., Any]]] = {
        "on_update": (watchable.can_update, on_update),
        "on_finished": (watchable.can_finish, on_finished),
        "on_overflow": (watchable.can_overflow, on_overflow),
        "on_settings": (watchable.has_settings, on_settings),
    }
    known = {m.name for m in spec.methods} | {p.name for p in spec.properties}
    return {name: method for name, (has, method) in offered.items() if name not in known and has(spec)}
