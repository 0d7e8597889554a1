"""Methods of a Time Tagger that a client forwards to the server."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tagwire.engine.clock_settings import ReferenceClockSettings, SoftwareClockSettings
from tagwire.engine.device_settings import TimeTaggerSource
from tagwire.tagger.hardware import TimeTaggerHardware

_C = TypeVar("_C")

_SETTINGS = (TimeTaggerSource, ReferenceClockSettings, SoftwareClockSettings, *TimeTaggerHardware.__mro__[:-1])


def _public(classes: tuple[type, ...]) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for cls in classes:
        for name, value in vars(cls).items():
            if not name.startswith("_") and inspect.isfunction(value):
                found.setdefault(name, value)
    return found


METHODS = _public(_SETTINGS)
"""The methods themselves, by name."""

FORWARDED = frozenset(METHODS)
"""Names of all settings and readings of an instrument."""


class HasRemote(Protocol):
    """An object that stands for a Time Tagger elsewhere."""

    def _ask(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...


def forwards(*but: str) -> Callable[[type[_C]], type[_C]]:
    """Class decorator: each setting of an instrument is a call to the server, but those named and the class's own."""

    def decorate(cls: type[_C]) -> type[_C]:
        for name, method in METHODS.items():
            if name not in but and name not in vars(cls) and hasattr(cls, name):
                setattr(cls, name, _forwarder(name, method))
        return cls

    return decorate


def _forwarder(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(self: HasRemote, *args: Any, **kwargs: Any) -> Any:
        signature.bind(self, *args, **kwargs)  # a wrong number of arguments is an error of the caller
        return self._ask(name, args, kwargs)

    return call
