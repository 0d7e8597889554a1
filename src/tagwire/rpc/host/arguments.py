"""Arguments that a remote client sent, made ready for the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tagwire.core.catalog import MethodSpec, ParamSpec
from tagwire.errors import ArgumentKindError, NotSupported
from tagwire.rpc.host.files import DataFolder, guard
from tagwire.rpc.host.objects import Lease
from tagwire.rpc.wire import Handle, Member, Record

_NOT_PLAIN = (Handle, Member, Record, list, tuple, dict)


@dataclass
class Arguments:
    """What a call gets: live objects instead of handles, enum members, checked file names.

    Attributes
    ----------
    leases
        The live objects among the arguments, at any depth.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    leases: list[Lease] = field(default_factory=list)

    def by_name(self, spec: MethodSpec) -> dict[str, Any]:
        """All arguments under the names of `spec`, known defaults filled in."""
        values = {p.name: p.default for p in spec.params if p.default_known}
        values.update(zip((p.name for p in spec.params), self.args, strict=False))
        return values | self.kwargs


@dataclass(frozen=True)
class Preparation:
    """Turns what arrived into `Arguments`.

    Attributes
    ----------
    find
        Lease of a handle; raises `ObjectGone`.
    enums, records
        The library's enum and record classes by their name in the catalog.
    files
        The folder that may be named, if any.
    """

    find: Callable[[Handle], Lease]
    enums: dict[str, type[Enum]]
    files: DataFolder | None
    records: Mapping[str, type] = field(default_factory=dict)

    def prepare(self, spec: MethodSpec, args: Sequence[Any], kwargs: dict[str, Any]) -> Arguments:
        """`FileRefused`, `ObjectGone` or `NotSupported` when the call must not be made."""
        if not (spec.params or args or kwargs):
            return Arguments([], {})
        if any(p.type == "callback" for p in spec.params):
            raise NotSupported(f"{spec.name} takes a function, which can be called only where it is: in your process")
        ready = Arguments([], {})
        _refuse_unknown(spec, args, kwargs)
        ready.args = [self._ready(_positional(spec, i), value, ready.leases) for i, value in enumerate(args)]
        ready.kwargs = {name: self._ready(_named(spec, name), value, ready.leases) for name, value in kwargs.items()}
        return ready

    def value(self, value: object, kind: str) -> Any:
        """A single value of type `kind` (in the catalog's notation), for a property."""
        return self._ready(ParamSpec("value", kind), value, [])

    def _ready(self, param: ParamSpec | None, value: object, leases: list[Lease]) -> Any:
        value = self._live(value, leases)
        if param is None:
            return value
        if param.file and (param.type != "any" or _may_name(value)):
            return guard(value, self.files)
        if type(value) in (int, str) and "enum:" in param.type:
            return self._member(param.type, value)
        return value

    def _live(self, value: object, leases: list[Lease]) -> object:
        if isinstance(value, Handle):
            lease = self.find(value)
            leases.append(lease)
            return lease.resource.obj
        if isinstance(value, Member):
            return self.enums[value.enum](value.value) if value.enum in self.enums else value.value
        if isinstance(value, Record):
            values = [self._live(item, leases) for item in value.values]
            return self.records[value.name](*values) if value.name in self.records else tuple(values)
        if isinstance(value, dict):
            return {key: self._live(item, leases) for key, item in value.items()}
        if isinstance(value, list | tuple) and any(isinstance(item, _NOT_PLAIN) for item in value):
            return type(value)([self._live(item, leases) for item in value])
        return value

    def _member(self, kinds: str, value: object) -> object:
        for kind in kinds.split("|"):
            enum = self.enums.get(kind.removeprefix("enum:"))
            if enum is not None and value in {member.value for member in enum.__members__.values()}:
                return enum(value)
        return value  # the library says what it thinks of it


def _may_name(value: object) -> bool:
    """Whether a value of unknown kind may name a file: there is text in it."""
    if isinstance(value, list | tuple):
        return any(_may_name(item) for item in value)
    return isinstance(value, str | bytes | dict)


def _refuse_unknown(spec: MethodSpec, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """A call that names files gets no argument that the description does not know: it might be a file too."""
    if not any(p.file for p in spec.params):
        return
    known = [p.name for p in spec.params]
    if len(args) > len(known):
        raise ArgumentKindError(f"{spec.name}() takes at most {len(known)} arguments, but {len(args)} were given")
    unknown = [name for name in kwargs if name not in known]
    if unknown:
        raise ArgumentKindError(f"{spec.name}() got an unexpected keyword argument {unknown[0]!r}")


def _positional(spec: MethodSpec, index: int) -> ParamSpec | None:
    if index < len(spec.params):
        return spec.params[index]
    return spec.params[-1] if spec.params and spec.params[-1].variadic else None


def _named(spec: MethodSpec, name: str) -> ParamSpec | None:
    return next((p for p in spec.params if p.name == name and not p.variadic), None)
