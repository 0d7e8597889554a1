"""Any other Python object or module, described as the API is: what a server offers beside it.

The class of the object takes the name under which the object is served (``stage``). Classes and enums of the same
package that its annotations mention come along as ``stage.Axis``: their objects go to clients as live objects. A name
that begins with an underscore is never offered, nor what a module imported from elsewhere.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import ModuleType
from typing import Any

import numpy as np

from tagwire.core.catalog.calls import read_call
from tagwire.core.catalog.classes import is_property, read_method, read_property
from tagwire.core.catalog.docstrings import read_docstring
from tagwire.core.catalog.enums import is_describable, read_enum
from tagwire.core.catalog.meaning import read_file_role
from tagwire.core.catalog.mentioned import attributes, is_public, mentioned, public_names
from tagwire.core.catalog.names import Names
from tagwire.core.catalog.records import is_record, read_record
from tagwire.core.catalog.specs import (
    Catalog,
    ClassSpec,
    EnumSpec,
    Kind,
    MethodSpec,
    Plain,
    PropertySpec,
    RecordSpec,
    ResultSpec,
)

_MISSING = object()
_OWN = "close"
"""A method of the served object itself that is the server's to call, at its end."""


@dataclass(frozen=True, eq=False)
class Instrument:
    """An object or module that is served beside the API.

    Attributes
    ----------
    name
        What clients call it.
    obj
        The object or module itself.
    classes, enums
        Descriptions of its own class, which has its name, and of those that belong to it.
    records
        Descriptions of the classes of plain values.
    types
        Classes, enums and records by their name in the catalog; a module has no class.
    """

    name: str
    obj: object
    classes: tuple[ClassSpec, ...]
    enums: tuple[EnumSpec, ...]
    records: tuple[RecordSpec, ...]
    types: dict[str, type]

    @property
    def spec(self) -> ClassSpec:
        """Description of the object."""
        return next(spec for spec in self.classes if spec.name == self.name)


def read_instrument(name: str, obj: object) -> Instrument:
    """Describe `obj`, to be served as `name`; nothing of it is called, and its properties are not read."""
    names, examples = _related(name, obj)
    reader = _Reader(name, names)
    inner = [
        reader.read(dotted, examples.get(cls, cls), _constructor(dotted, cls, obj, names))
        for dotted, cls in _inner(name, names)
    ]
    classes = (reader.read(name, obj, None), *inner)
    enums = tuple(read_enum(dotted, enum) for dotted, enum in sorted(names.enums.items()))
    records = tuple(read_record(dotted, cls) for dotted, cls in sorted(names.records.items()))
    return Instrument(name, obj, classes, enums, records, {**names.classes, **names.enums, **names.records})


def with_instruments(catalog: Catalog, instruments: Sequence[Instrument]) -> Catalog:
    """`catalog` with the classes, enums and records of `instruments`."""
    return replace(
        catalog,
        classes=catalog.classes + tuple(spec for one in instruments for spec in one.classes),
        enums=catalog.enums + tuple(spec for one in instruments for spec in one.enums),
        records=catalog.records + tuple(spec for one in instruments for spec in one.records),
        instruments=catalog.instruments + tuple(one.name for one in instruments),
    )


def _inner(name: str, names: Names) -> list[tuple[str, type]]:
    return sorted((dotted, cls) for dotted, cls in names.classes.items() if dotted != name)


def _related(name: str, obj: object) -> tuple[Names, dict[type, object]]:
    """Classes and enums of the object's own package that it mentions, directly or through each other.

    And an object of each class, where one is at hand: it shows the attributes that the constructor sets.
    """
    examples: dict[type, object] = {}
    names = Names(pythonic=True)
    module = obj.__name__ if isinstance(obj, ModuleType) else type(obj).__module__
    package = module.partition(".")[0]
    if not isinstance(obj, ModuleType):
        names.classes[name] = type(obj)
    sources: list[object] = [obj]
    for source in sources:
        held = attributes(source).values() if not isinstance(source, type) else ()
        examples.update((type(value), value) for value in held if type(value) not in examples)
        for cls in dict.fromkeys(mentioned(source)):
            if cls.__module__.partition(".")[0] == package and _add(names, name, cls):
                sources.append(examples.get(cls, cls))
    return names, examples


def _add(names: Names, name: str, cls: type) -> bool:
    """Give a class a public name; False when it has one, gets none, or has nothing more to look into."""
    dotted = f"{name}.{cls.__name__}"
    known = names.of_class(cls) or names.of_enum(cls) or names.of_record(cls)
    if not is_public(cls.__name__) or known or dotted in {**names.classes, **names.records}:
        return False
    if is_record(cls):
        names.records[dotted] = cls
        return True
    if not issubclass(cls, Enum):
        names.classes[dotted] = cls
        return True
    if is_describable(cls):
        names.enums.setdefault(dotted, cls)
    return False


def _constructor(dotted: str, cls: type, obj: object, names: Names) -> MethodSpec | None:
    """Clients make objects of the classes that a module publishes; objects of others come from methods only."""
    published = isinstance(obj, ModuleType) and cls.__name__ in public_names(obj)
    if not published or inspect.isabstract(cls):
        return None
    function = inspect.getattr_static(cls, "__init__")
    params = _call(function, dotted, names).params if inspect.isfunction(function) else ()
    return MethodSpec(dotted, params, ResultSpec(f"object:{dotted}"))


def _call(function: Any, name: str, names: Names) -> MethodSpec:
    return _careful(read_call(function, name, names))


def _careful(spec: MethodSpec) -> MethodSpec:
    """What may be a file counts as one, typed or not; units of the API, and how its waits work, are not assumed."""
    params = tuple(
        replace(
            p,
            unit=p.unit if p.doc else "",
            file=p.file or ("" if p.type != "any" else read_file_role(p.name, "str", p.doc)),
        )
        for p in spec.params
    )
    return replace(spec, params=params, waits=False)


class _Reader:
    """Reads the members of objects, classes and modules that belong to one instrument."""

    def __init__(self, instrument: str, names: Names) -> None:
        self._instrument = instrument
        self._names = names

    def read(self, name: str, source: object, constructor: MethodSpec | None) -> ClassSpec:
        """Description of an object, a module, or a class as `name`."""
        methods: list[MethodSpec] = []
        properties: list[PropertySpec] = []
        constants: list[tuple[str, Plain]] = []
        for member in public_names(source):
            if name == self._instrument and member == _OWN:
                continue
            spec = self._any_member(source, member)
            if isinstance(spec, MethodSpec):
                methods.append(replace(_careful(spec), static=False, owner=name))
            elif isinstance(spec, PropertySpec):
                properties.append(spec)
            elif isinstance(spec, tuple):
                constants.append(spec)
        doc = read_docstring(_own_doc(source))[0].text
        return ClassSpec(
            name,
            Kind.INSTRUMENT,
            (),
            doc,
            constructor,
            tuple(methods),
            tuple(properties),
            tuple(constants),
        )

    def _any_member(self, source: object, name: str) -> MethodSpec | PropertySpec | tuple[str, Plain] | None:
        return self._module_member(source, name) if isinstance(source, ModuleType) else self._member(source, name)

    def _member(self, source: object, name: str) -> MethodSpec | PropertySpec | tuple[str, Plain] | None:
        cls = source if isinstance(source, type) else type(source)
        value = inspect.getattr_static(cls, name, _MISSING)
        held = {} if isinstance(source, type) else attributes(source)
        if isinstance(value, functools.partialmethod):
            return None
        if isinstance(value, staticmethod | classmethod) or (callable(value) and inspect.isroutine(value)):
            return None if _is_async(value) else read_method(cls, name, self._names)
        if value is _MISSING or (value is None and name in held) or not _is_descriptor(value):
            return self._attribute(cls, name, held.get(name, value))
        if isinstance(value, type):
            return None
        spec = read_property(cls, name, value if is_property(value) else property(lambda self: None), self._names)
        return spec if is_property(value) else replace(spec, writable=hasattr(value, "__set__"))

    def _attribute(self, cls: type, name: str, value: object) -> PropertySpec | tuple[str, Plain] | None:
        """A value that objects hold themselves: a constant by its name in capitals, else it may change."""
        if name.isupper() and isinstance(value, int | float | str) and not isinstance(value, Enum):
            return name, value
        known = read_property(cls, name, None, self._names)
        kind = known.type if known.type != "any" else self._kind(value)
        return PropertySpec(name, kind, known.writable and "object:" not in kind) if kind else None

    def _module_member(self, module: ModuleType, name: str) -> MethodSpec | PropertySpec | tuple[str, Plain] | None:
        value = getattr(module, name)
        if isinstance(value, type | ModuleType) or not is_public(name) or _is_async(value):
            return None
        if inspect.isroutine(value):
            return read_call(value, name, self._names)
        if name.isupper() and isinstance(value, int | float | str) and not isinstance(value, Enum):
            return name, value
        kind = self._kind(value)
        return PropertySpec(name, kind, False) if kind else None

    def _kind(self, value: object) -> str:
        """Type of a value in the catalog's notation; empty for one that cannot go to a client."""
        if isinstance(value, Enum):
            enum = self._names.of_enum(type(value))
            return f"enum:{enum}" if enum else ""
        if record := self._names.of_record(type(value)):
            return f"record:{record}"
        for kind, families in _VALUES.items():
            if isinstance(value, families):
                return kind
        public = next((p for base in type(value).__mro__ if (p := self._names.of_class(base))), "")
        return f"object:{public}" if public else ""


_VALUES: dict[str, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "float": (float, np.floating),
    "str": (str,),
    "array": (np.ndarray,),
    "dict": (dict,),
    "any": (list, tuple, type(None), bytes, complex),
}


def _is_async(value: Any) -> bool:
    function = getattr(value, "__func__", value)
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _is_descriptor(value: object) -> bool:
    return is_property(value) or hasattr(type(value), "__get__")


def _own_doc(source: object) -> str | None:
    if isinstance(source, types.ModuleType):
        return source.__doc__
    cls = source if isinstance(source, type) else type(source)
    return vars(cls).get("__doc__")
