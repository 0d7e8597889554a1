"""From a class to its `ClassSpec`."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tagwire.core.catalog.annotations import UNKNOWN, TypeInfo, read_annotation
from tagwire.core.catalog.calls import read_call
from tagwire.core.catalog.docstrings import read_docstring
from tagwire.core.catalog.facts import SAME_AS
from tagwire.core.catalog.hidden import hidden_by
from tagwire.core.catalog.kinds import classify, has_subclasses
from tagwire.core.catalog.names import Names
from tagwire.core.catalog.specs import ClassSpec, MethodSpec, Plain, PropertySpec, ResultSpec


def read_class(name: str, cls: type, names: Names) -> ClassSpec:
    """Describe the public class `name`; members that are hidden are noted in ``names.hidden``."""
    constructor = _constructor(cls, name, names)
    methods: list[MethodSpec] = []
    properties: list[PropertySpec] = []
    constants: list[tuple[str, Plain]] = []
    for member in _members(name, cls, names):
        value = inspect.getattr_static(cls, member, None)
        if is_property(value):
            properties.append(read_property(cls, member, value, names))
        elif callable(value) or isinstance(value, staticmethod | classmethod):
            methods.append(read_method(cls, member, names))
        elif isinstance(value, int | float | str):
            constants.append((member, value))
    return ClassSpec(
        name,
        classify(cls, constructor, names),
        tuple(public for base in cls.__mro__[1:] if (public := names.of_class(base))),
        read_docstring(vars(cls).get("__doc__"))[0].text,
        constructor,
        tuple(methods),
        tuple(properties),
        tuple(constants),
        hasattr(cls, "__enter__") and hasattr(cls, "__exit__"),
    )


def _members(name: str, cls: type, names: Names) -> Iterator[str]:
    """Public members of a class, inherited and merely annotated ones included, that are not hidden."""
    annotated = {n for base in cls.__mro__ for n in inspect.get_annotations(base)}
    for member in sorted(set(dir(cls)) | annotated):
        if member.startswith("_"):
            continue
        if row := hidden_by(f"{_owner(cls, member, names) or name}.{member}"):
            names.hidden.add(row)
        else:
            yield member


def _owner(cls: type, member: str, names: Names) -> str:
    """Public name of the remotest public class that has the very same member."""
    value = inspect.getattr_static(cls, member, None)
    having = [b for b in cls.__mro__ if names.of_class(b) and inspect.getattr_static(b, member, None) is value]
    return names.of_class(having[-1]) if having else ""


def is_property(value: object) -> bool:
    """Properties, slots and plain annotated attributes (which have no value on the class)."""
    return value is None or isinstance(
        value, property | functools.cached_property | types.MemberDescriptorType | types.GetSetDescriptorType
    )


def read_property(cls: type, name: str, value: Any, names: Names) -> PropertySpec:
    getter = getattr(value, "fget", None) or getattr(value, "func", None)
    doc = inspect.cleandoc(getattr(value, "__doc__", None) or "")
    frozen = isinstance(value, functools.cached_property) or getattr(
        getattr(cls, "__dataclass_params__", None), "frozen", False
    )
    writable = value.fset is not None if isinstance(value, property) else not frozen
    return PropertySpec(name, _property_type(cls, name, getter, names).type, writable, "" if doc == name else doc)


def _property_type(cls: type, name: str, getter: Any, names: Names) -> TypeInfo:
    for base in cls.__mro__:
        if name in (own := inspect.get_annotations(base)):
            scope = vars(inspect.getmodule(base) or types.ModuleType(""))
            return read_annotation(own[name], names, scope)
    returned = getattr(getter, "__annotations__", {}).get("return")
    return UNKNOWN if returned is None else read_annotation(returned, names, getter.__globals__)


def read_method(cls: type, name: str, names: Names) -> MethodSpec:
    """Describe a method; an override that only passes its arguments on is described by what it overrides."""
    definitions = [_defined(base, name, names) for base in cls.__mro__ if name in vars(base)]
    spec = next((d for d in definitions if not any(p.variadic for p in d.params)), definitions[0])
    source = SAME_AS.get(f"{names.of_class(cls)}.{name}", "").rpartition(".")[0]
    if source in names.classes:
        spec = replace(spec, params=read_method(names.classes[source], name, names).params)
    return replace(spec, owner=_owner(cls, name, names))


def _defined(cls: type, name: str, names: Names) -> MethodSpec:
    """A method as the class that defines it describes it."""
    if (cls, name) not in names.methods:
        function, static = _unwrapped(vars(cls)[name])
        spec = read_call(function, name, names, spare=_hidden_twin(cls, name))
        names.methods[cls, name] = replace(spec, static=static)
    return names.methods[cls, name]


def _unwrapped(member: Any) -> tuple[Callable[..., Any], bool]:
    """The plain function, and whether it is called on the class."""
    if isinstance(member, staticmethod | classmethod):
        return member.__func__, True
    return member, False


def _hidden_twin(cls: type, name: str) -> Callable[..., Any] | None:
    """The wrapper's private function behind a Python method that can be interrupted (``__waitUntilFinished``)."""
    twin = vars(cls).get(f"_{cls.__name__}__{name}")
    return twin if inspect.isfunction(twin) else None


def _constructor(cls: type, name: str, names: Names) -> MethodSpec | None:
    """The constructor, or None when users cannot call it.

    That is so for the wrapper's abstract classes, for Python's, for bases that bring no constructor of their own, and
    where an argument is needed that no user has: a class of our own inner parts, or an array.
    """
    function = inspect.getattr_static(cls, "__init__")
    if inspect.isabstract(cls) or _refuses(function):
        return None
    if not inspect.isfunction(function):
        if has_subclasses(cls, names):
            return None
        return MethodSpec(name, result=ResultSpec(f"object:{name}"))
    spec = read_call(function, name, names, docstring=vars(cls).get("__doc__"))
    spec = spec if function.__doc__ else replace(spec, doc="")
    needs_inner = any(p.required and p.type in ("any", "array") for p in spec.params)
    return None if needs_inner else replace(spec, result=ResultSpec(f"object:{name}"))


def _refuses(function: Any) -> bool:
    constants = getattr(getattr(function, "__code__", None), "co_consts", ())
    refused = any(isinstance(c, str) and c.startswith("No constructor defined") for c in constants)
    return refused or getattr(function, "__annotations__", {}).get("return") in (typing.NoReturn, "NoReturn", "Never")
