"""Hardware taggers are opened once and shared: a client that opens one that is already open gets the same one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, cast

from tagwire.core.catalog import ClassSpec, MethodSpec
from tagwire.errors import NoDevice
from tagwire.rpc.host.objects import Caller, Lease, Registry, Resource

SERIAL = "serial"
"""The parameter by which a device is chosen."""

_CLOSING_S = 30.0
"""How long to wait for a tagger that is just being freed."""


class _HasSerial(Protocol):
    def getSerial(self) -> str: ...  # noqa: N802


@dataclass(frozen=True)
class _Opened:
    resource: Resource
    serial: str
    options: dict[str, Any]

    def difference(self, asked: dict[str, Any]) -> str:
        """Why it is not what was asked for."""
        names = [name for name in sorted({*self.options, *asked}) if self.options.get(name) != asked.get(name)]
        has = ", ".join(f"{name}={_text(self.options.get(name), asked.get(name))}" for name in names)
        wanted = ", ".join(f"{name}={_text(asked.get(name), self.options.get(name))}" for name in names)
        users = ", ".join(sorted({lease.caller.label for lease in tuple(self.resource.leases)}))
        return (
            f"Time Tagger {self.serial} is open with {has} (for {users}), and you ask for {wanted}: "
            "ask for the same, or have it freed there first"
        )


def _text(value: object, other: object) -> str:
    """`value` to read; a number by its name when `other`, a value of the same option, is a member of an enum."""
    if isinstance(other, Enum) and not isinstance(value, Enum):
        value = next((member for member in type(other) if member.value == value), value)
    return value.name if isinstance(value, Enum) else repr(value)


def is_shareable(factory: MethodSpec, result: ClassSpec) -> bool:
    """Whether `factory` opens a device that exists once: chosen by a serial number, which the tagger can tell."""
    by_serial = any(p.name == SERIAL for p in factory.params)
    return by_serial and any(m.name == "getSerial" for m in result.methods)


class SharedTaggers:
    """The hardware taggers that are open now."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._opened: list[_Opened] = []

    def open(self, arguments: dict[str, Any], create: Callable[[], Lease], caller: Caller) -> Lease:
        """A lease on the tagger that `arguments` (serial number and options, by name) ask for.

        An empty serial number means any tagger: another client's, when one is open with the same options; a second
        one, when the same client asks again and there is one.
        """
        options = {name: value for name, value in arguments.items() if name != SERIAL}
        serial = arguments.get(SERIAL, "")
        if not isinstance(serial, str):
            return create()  # the library says what it thinks of it
        with self._lock:
            self._await_closing()
            lease = self._shared(serial, options, caller)
            if lease is None:
                self._await_closing()  # one that was to be shared may just have been freed
                lease = self._create(options, create, caller, any_serial=not serial)
            return lease

    def _await_closing(self) -> None:
        for opened in self._opened:
            if not opened.resource.leases:
                opened.resource.closed.wait(_CLOSING_S)
        self._opened = [opened for opened in self._opened if opened.resource.leases]

    def _shared(self, serial: str, options: dict[str, Any], caller: Caller) -> Lease | None:
        for opened in self._opened:
            if serial == opened.serial and options != opened.options:
                raise NoDevice(opened.difference(options))
            own = any(lease.caller is caller for lease in tuple(opened.resource.leases))
            wanted = serial == opened.serial or (not serial and not own)
            if wanted and options == opened.options:
                return self._registry.share(opened.resource, caller)
        return None

    def _create(self, options: dict[str, Any], create: Callable[[], Lease], caller: Caller, any_serial: bool) -> Lease:
        try:
            lease = create()
        except RuntimeError as error:
            lease_again = self._again(options, caller) if any_serial else None
            if lease_again is not None:
                return lease_again
            if any_serial and self._opened:
                raise NoDevice(self._opened[0].difference(options)) from error
            error.add_note(self._note())
            raise
        tagger = cast(_HasSerial, lease.resource.obj)
        self._opened.append(_Opened(lease.resource, tagger.getSerial(), options))
        return lease

    def _again(self, options: dict[str, Any], caller: Caller) -> Lease | None:
        for opened in self._opened:
            if options == opened.options:
                return self._registry.share(opened.resource, caller)
        return None

    def _note(self) -> str:
        if not self._opened:
            return "No Time Tagger is open at the server."
        taken = ", ".join(f"{opened.serial} with {opened.options}" for opened in self._opened)
        return f"Open at the server: {taken}."
