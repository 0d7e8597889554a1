"""The served module, reachable by the names of its catalog and by no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import reduce
from types import ModuleType
from typing import Any

from tagwire.core.catalog import Catalog, ClassSpec, Instrument, Kind, MethodSpec, PropertySpec
from tagwire.errors import NotSupported


class Library:
    """Looks up what the catalog describes.

    Parameters
    ----------
    instruments
        The objects beside the API that the catalog describes too.

    Attributes
    ----------
    catalog
        What the module offers.
    enums, records
        Its enum and record classes by name.
    """

    def __init__(self, api: ModuleType, catalog: Catalog, instruments: Sequence[Instrument] = ()) -> None:
        self.catalog = catalog
        beside: dict[str, Any] = {name: found for one in instruments for name, found in one.types.items()}
        modules = {one.name for one in instruments} - beside.keys()
        self.enums: dict[str, type[Enum]] = {
            spec.name: beside.get(spec.name) or _reach(api, spec.name) for spec in catalog.enums
        }
        self._enum_names = {enum: name for name, enum in self.enums.items()}
        self._classes = {
            spec.name: beside.get(spec.name) or _reach(api, spec.name)
            for spec in catalog.classes
            if spec.name not in modules
        }
        self.records: dict[str, type] = {spec.name: beside[spec.name] for spec in catalog.records}
        self._record_names = {cls: name for name, cls in reversed(self.records.items())}
        self._specs: dict[str, dict[type, ClassSpec]] = {}
        for name, cls in self._classes.items():
            self._specs.setdefault(self.instrument_of(name), {})[cls] = catalog.class_by_name[name]
        self._functions = {spec.name: _reach(api, spec.name) for spec in catalog.functions}
        self._members = {spec.name: _Members(spec) for spec in catalog.classes}

    def callable(self, name: str) -> tuple[MethodSpec, Callable[..., Any]]:
        """The function, constructor or static method (``Class.method``) of that name."""
        if name in self._functions:
            return self.catalog.function_by_name[name], self._functions[name]
        if name in self._classes:
            return _constructor(self.catalog.class_by_name[name]), self._classes[name]
        owner, _, method = name.rpartition(".")
        static = self._members[owner].methods.get(method) if owner in self._members else None
        if static is None or not static.static:
            raise AttributeError(f"module {self.catalog.library!r} has no attribute {name!r}")
        return static, getattr(self._classes[owner], method)

    def method(self, spec: ClassSpec, name: str) -> MethodSpec:
        """The method of that name; `AttributeError` when the class has none."""
        try:
            return self._members[spec.name].methods[name]
        except KeyError:
            raise AttributeError(f"{spec.name!r} object has no attribute {name!r}") from None

    def property(self, spec: ClassSpec, name: str) -> PropertySpec:
        """The property of that name; `AttributeError` when the class has none."""
        try:
            return self._members[spec.name].properties[name]
        except KeyError:
            raise AttributeError(f"{spec.name!r} object has no attribute {name!r}") from None

    def spec_of(self, value: object, source: ClassSpec | None = None) -> ClassSpec | None:
        """Description of the class of `value`, or of the nearest base that the catalog knows.

        Parameters
        ----------
        source
            Class whose object gave the value out. What an instrument beside the API gives out belongs to it; two
            instruments may be of one class.
        """
        scopes = dict.fromkeys([self.instrument_of(source.name) if source else "", "", *self.catalog.instruments])
        return next((s for scope in scopes if (s := self._spec_within(value, scope))), None)

    def instrument_of(self, name: str) -> str:
        """The instrument beside the API to which the (dotted) name of a class belongs, or an empty string."""
        first = name.partition(".")[0]
        return first if first in self.catalog.instruments else ""

    def _spec_within(self, value: object, scope: str) -> ClassSpec | None:
        specs = self._specs.get(scope, {})
        return next((specs[c] for c in type(value).__mro__ if c in specs), None)

    def record_name(self, value: object) -> str:
        """Name of the value's record class in the catalog, or an empty string."""
        return self._record_names.get(type(value), "")

    def enum_name(self, member: Enum) -> str:
        """Name of the member's enum in the catalog, or an empty string."""
        return self._enum_names.get(type(member), "")


class _Members:
    """Methods and properties of a class by name."""

    def __init__(self, spec: ClassSpec) -> None:
        self.methods = {m.name: m for m in spec.methods}
        self.properties = {p.name: p for p in spec.properties}


def _reach(api: ModuleType, dotted: str) -> Any:
    return reduce(getattr, dotted.split("."), api)


def _constructor(spec: ClassSpec) -> MethodSpec:
    if spec.kind is Kind.LOCAL:
        raise NotSupported(f"{spec.name} runs your own code, which stays in your process; it cannot be used remotely")
    if spec.constructor is None:
        reason = "No constructor defined - class is abstract" if spec.kind in _ABSTRACT else "No constructor defined"
        raise AttributeError(f"{spec.name}: {reason}")
    return spec.constructor


_ABSTRACT = (Kind.BASE, Kind.TAGGER)
