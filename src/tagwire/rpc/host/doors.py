"""What plain Pyro clients see: an entry object, and one object for every live object of the library.

Two doors differ in how arrays look: ``TimeTagger`` gives nested lists, which any client reads; ``TimeTaggerRPC`` gives
the NPY dictionaries that the client of that name expects. Enum members are integers at both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Protocol

import numpy as np

from tagwire.core.catalog import EnumSpec, Kind, RecordSpec
from tagwire.errors import ConnectionBroken, NotSupported
from tagwire.rpc.host.npy import to_npy
from tagwire.rpc.host.objects import Caller, Lease
from tagwire.rpc.host.service import Service
from tagwire.rpc.waiting import is_sliced, wait
from tagwire.rpc.wire import Handle, Record

ArrayForm = Callable[[np.ndarray[Any, Any]], object]

DOORS: dict[str, ArrayForm] = {"TimeTagger": np.ndarray.tolist, "TimeTaggerRPC": to_npy}
"""Entry objects for plain Pyro clients, and how each of them gives arrays."""


class Exposed(Protocol):
    """An object with a Pyro id: nothing but what it names can be reached."""

    methods: frozenset[str]
    attributes: frozenset[str]

    def invoke(self, method: str, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> object:
        """Call one of `methods`; the result is ready for Pyro's serializers."""

    def get(self, name: str, caller: Caller) -> object:
        """Value of one of `attributes`, ready for Pyro's serializers."""

    def set(self, name: str, value: object, caller: Caller) -> None:
        """Set one of `attributes`."""


Present = Callable[[Lease, "Door"], object]
"""Gives a live object a Pyro id and returns what the client reads as its proxy."""

Space = Callable[[Caller], object]
"""Gives a caller the proxy of a namespace."""


class Door:
    """How values go out to one kind of plain Pyro client."""

    def __init__(self, service: Service, arrays: ArrayForm, present: Present) -> None:
        self.service = service
        self._arrays = arrays
        self._present = present

    def plain(self, value: Any) -> object:
        """`value` for Pyro's serializers."""
        if isinstance(value, Lease):
            return self._present(value, self)
        if isinstance(value, np.ndarray):
            return self._arrays(value)
        if isinstance(value, Record):
            return _record(self.service.catalog.record_by_name[value.name], [self.plain(v) for v in value.values])
        if isinstance(value, list | tuple):
            items = [self.plain(item) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        return _scalar(value)


def _record(spec: RecordSpec, values: list[object]) -> object:
    return dict(zip(spec.fields, values, strict=True)) if spec.base == "dataclass" else tuple(values)


def _scalar(value: Any) -> object:
    if isinstance(value, np.generic):
        return value.item()
    return value.value if isinstance(value, Enum) else value


class Entry:
    """The module, or one of its namespaces, as an object: functions and constructors are methods, constants attributes.

    Parameters
    ----------
    namespace
        Name of the namespace (``Experimental``), or empty for the module.
    spaces
        Gives the proxies of the namespaces inside, by name.
    """

    def __init__(self, door: Door, namespace: str = "", spaces: dict[str, Space] | None = None) -> None:
        self._door = door
        self._prefix = f"{namespace}." if namespace else ""
        catalog = door.service.catalog
        makers = [c.name for c in catalog.classes if c.constructor is not None and c.kind is not Kind.LOCAL]
        constants = dict(catalog.constants)
        self._values = {name: constants[self._prefix + name] for name in self._inside(constants)}
        self._spaces = spaces or {}
        self._enums = enum_definitions(catalog.enums)
        callables = self._inside([f.name for f in catalog.functions] + makers)
        self.methods = frozenset([*callables, *([] if namespace else ["enum_definitions"])])
        self.attributes = frozenset([*self._values, *self._spaces])

    def invoke(self, method: str, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> object:
        if method == "enum_definitions":
            return self._enums
        return self._door.plain(self._door.service.call(self._prefix + method, args, kwargs, caller))

    def get(self, name: str, caller: Caller) -> object:
        return self._spaces[name](caller) if name in self._spaces else self._values[name]

    def set(self, name: str, value: object, caller: Caller) -> None:
        raise AttributeError(f"constant {name!r} cannot be set")

    def _inside(self, names: Iterable[str]) -> list[str]:
        inside = [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]
        return [name for name in inside if "." not in name]


class Instance:
    """One live object."""

    def __init__(self, door: Door, lease: Lease) -> None:
        spec = lease.resource.spec
        self._door = door
        self._handle = Handle(lease.id, spec.name)
        self._waiting = {m.name: m for m in spec.methods if is_sliced(m)}
        self.methods = frozenset(m.name for m in spec.methods)
        self.attributes = frozenset(p.name for p in spec.properties)

    def invoke(self, method: str, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> object:
        def once(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
            if caller.gone():
                raise ConnectionBroken("the client went away while it waited")
            return self._door.service.invoke(self._handle, name, args, kwargs, caller)

        if method in self._waiting:
            return wait(self._waiting[method], self.methods, args, kwargs, once)
        return self._door.plain(self._door.service.invoke(self._handle, method, args, kwargs, caller))

    def get(self, name: str, caller: Caller) -> object:
        return self._door.plain(self._door.service.get(self._handle, name, caller))

    def set(self, name: str, value: object, caller: Caller) -> None:
        self._door.service.set(self._handle, name, value, caller)


class About:
    """Pyro's object about the server itself; says nothing of what else is there."""

    methods = frozenset({"ping", "get_metadata"})
    attributes: frozenset[str] = frozenset()

    def __init__(self, metadata: Callable[[str], object]) -> None:
        self._metadata = metadata

    def invoke(self, method: str, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> object:
        return self._metadata(str(args[0])) if method == "get_metadata" else None

    def get(self, name: str, caller: Caller) -> object:
        raise AttributeError(name)

    def set(self, name: str, value: object, caller: Caller) -> None:
        raise NotSupported(name)


def enum_definitions(enums: Sequence[EnumSpec]) -> dict[str, tuple[str, tuple[tuple[str, int | float | str], ...]]]:
    """Enums as TimeTaggerRPC's client builds them: ``{name: (base, ((member, value), ...))}``."""
    return {enum.name: (enum.base, enum.members) for enum in enums if "." not in enum.name}
