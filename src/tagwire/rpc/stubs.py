"""Type stubs written from a catalog: classes and enums of the API, and the module stand-in that offers them.

`api_stub` is the text of ``api.pyi``, `module_stub` that of ``module.pyi``; ``tools/make_stubs.py`` writes both.
Classes that run the user's own code in the process of the library only are left out: a type checker then tells at once
that a remote module does not have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tagwire.core.catalog import Catalog, ClassSpec, EnumSpec, Kind, MethodSpec, ParamSpec, PropertySpec, ResultSpec
from tagwire.rpc.client.local import runs_on_tags
from tagwire.rpc.client.object_events import event_methods
from tagwire.rpc.client.remote_logger import SET_LOGGER

_ACCEPTED = {
    "int": "IntLike",
    "float": "FloatLike",
    "int[]": "IntsLike",
    "float[]": "FloatsLike",
    "int[][]": "Sequence[IntsLike]",
    "str[]": "Sequence[str]",
    "bool": "bool",
    "str": "str",
    "dict": "Mapping[str, Any]",
    "callback": "Callable[..., Any]",
    "none": "None",
}

_RETURNED = {"int": "int", "float": "float", "bool": "bool", "str": "str", "dict": "dict[str, Any]", "none": "None"}

_API_HEAD = '''"""Classes and enums of the Time Tagger API as a remote client sees them.

Written by tools/make_stubs.py; do not edit. There is no such module at run time. In a script:

    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        from tagwire.rpc import api

    def coincidence_rate(tagger: "api.TimeTagger") -> float: ...

A class of your own is derived from the one of the connection, which a type checker cannot see through; show it the
class here instead:

    if TYPE_CHECKING:
        from tagwire.rpc.api import CustomMeasurement
    else:
        CustomMeasurement = TT.CustomMeasurement

    class Events(CustomMeasurement): ...
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagwire.rpc.client.object_events import SettingsChange
from tagwire.rpc.client.subscription import Subscription

# Integers may come as integral floats (1e12) and NumPy numbers, lists as any sequence or array.
IntLike: TypeAlias = float | np.integer[Any]
FloatLike: TypeAlias = float | np.floating[Any] | np.integer[Any]
IntsLike: TypeAlias = Sequence[float] | Sequence[np.integer[Any]] | NDArray[np.integer[Any]]
FloatsLike: TypeAlias = Sequence[float] | NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
'''

_EVENTS = {
    "on_update": "def on_update(self, interval_s: FloatLike, callback: Callable[[Any], object] | None = ..., *, "
    "value: str = ...) -> Subscription[Any]: ...",
    "on_finished": "def on_finished(self, callback: Callable[[int | None], object] | None = ...) "
    "-> Subscription[int | None]: ...",
    "on_overflow": "def on_overflow(self, callback: Callable[[int], object] | None = ...) -> Subscription[int]: ...",
    "on_settings": "def on_settings(self, callback: Callable[[SettingsChange], object] | None = ...) "
    "-> Subscription[SettingsChange]: ...",
}
"""The methods that `tagwire.rpc.client.object_events` adds to classes."""

_OF_YOURS = {
    "N_MAX_EVENTS": "N_MAX_EVENTS: int",
    "INCOMING_TAGS_DTYPE": "INCOMING_TAGS_DTYPE: ClassVar[np.dtype[np.void]]",
    "mutex": "mutex: AbstractContextManager[Any]",
    **{
        name: f"def {name}(self, incoming_tags: NDArray[np.void], begin_time: int, end_time: int) -> Any: ..."
        for name in ("process", "next_impl", "next_impl_cs")
    },
    **{
        name: f"def {name}(self) -> Any: ..."
        for name in ("finalize_init", "clear_impl", "on_start", "on_stop", "pre_stop")
    },
}
"""What a measurement of the user's own has besides the methods that the catalog lists."""

_MODULE_HEAD = '''"""The module stand-in that `tagwire.connect` returns, with the API's names.

Written by tools/make_stubs.py; do not edit.
"""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from tagwire.rpc import api
from tagwire.rpc.client.client_control import ControlLease
from tagwire.rpc.client.session_view import SessionView

def connect(
    host: str = "localhost",
    port: int = 23000,
    *,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
    session: str | None = None,
) -> RemoteModule: ...

# At run time this is a ModuleType too. A type checker must not know: it takes every unknown name of a module for Any,
# and would not find a misspelled one.
'''


def merged(first: Catalog, second: Catalog) -> Catalog:
    """`first` with the names that only `second` has: classes, functions, enums, constants, and members of classes."""
    extra = {c.name: c for c in second.classes}
    classes = [_merged_class(c, extra[c.name], first) if c.name in extra else c for c in first.classes]
    classes += [c for c in second.classes if c.name not in first.class_by_name]
    return replace(
        first,
        classes=tuple(sorted(classes, key=lambda c: c.name)),
        functions=first.functions + tuple(f for f in second.functions if f.name not in first.function_by_name),
        enums=first.enums + tuple(e for e in second.enums if e.name not in first.enum_by_name),
        constants=tuple(sorted((dict(second.constants) | dict(first.constants)).items())),
    )


def _merged_class(first: ClassSpec, second: ClassSpec, catalog: Catalog) -> ClassSpec:
    """Members that a class has only in the second catalog become its own; those that subclasses share stay above."""
    known = {m.name for m in first.methods} | {p.name for p in first.properties}
    methods = tuple(m for m in second.methods if m.name not in known)
    owned = tuple(m if m.owner in (second.name, *first.bases) else replace(m, owner=second.name) for m in methods)
    properties = tuple(p for p in second.properties if p.name not in known)
    return replace(first, methods=first.methods + owned, properties=first.properties + properties)


def api_stub(catalog: Catalog) -> str:
    """Text of ``api.pyi``: every enum and every class that works remotely."""
    parts = [_API_HEAD]
    parts += [_enum(e) for e in catalog.enums]
    classes = _bases_first([c for c in catalog.classes if _is_there(c)])
    parts += [_class(c, catalog) for c in classes if "." not in c.name]
    for namespace in catalog.namespaces:
        inner = [_class(c, catalog) for c in classes if c.name.startswith(namespace + ".")]
        parts.append(f"class {namespace}:\n" + "\n".join(_indented(text) for text in inner))
    return "\n".join(parts)


def module_stub(catalog: Catalog) -> str:
    """Text of ``module.pyi``: the class of the module stand-in."""
    lines = ["def close(self) -> None: ...", "@property\ndef session(self) -> SessionView: ..."]
    lines += [
        "def control(self, tagger: Any = None, *, lease_s: float = 60.0, force: bool = False) -> ControlLease: ..."
    ]
    lines += ["def __enter__(self) -> Self: ..."]
    lines += [
        "def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, "
        "trace: TracebackType | None) -> None: ..."
    ]
    lines += [f"{name}: {type(value).__name__}" for name, value in catalog.constants]
    classes = [c.name for c in catalog.classes if _is_there(c) and "." not in c.name]
    names = sorted([*classes, *catalog.namespaces, *(e.name for e in catalog.enums)])
    lines += [f"{name}: type[api.{name}]" for name in names]
    lines += [_function(f, prefix="api.") for f in catalog.functions if _works_remotely(f)]
    if SET_LOGGER in catalog.function_by_name:
        lines.append(f"def {SET_LOGGER}(self, callback: Callable[[int, str], object] | None) -> None: ...")
    return _MODULE_HEAD + "class RemoteModule:\n" + _indented("\n".join(lines)) + "\n"


def _is_there(spec: ClassSpec) -> bool:
    return spec.kind is not Kind.LOCAL or runs_on_tags(spec)


def _works_remotely(spec: MethodSpec) -> bool:
    return all(p.type != "callback" for p in spec.params)


def _bases_first(classes: list[ClassSpec]) -> list[ClassSpec]:
    """By name, but bases before what is derived from them, as nested classes need it."""
    return sorted(classes, key=lambda c: (len(c.bases), c.name))


def _enum(spec: EnumSpec) -> str:
    members = "\n".join(f"{name} = {value}" for name, value in spec.members)
    return f"class {spec.name}({spec.base}):\n{_indented(members)}\n"


def _class(spec: ClassSpec, catalog: Catalog) -> str:
    body = "\n".join(_members(spec, catalog)) or "..."
    bases = ", ".join(b.rpartition(".")[2] for b in _direct_bases(spec, catalog))
    head = f"class {spec.name.rpartition('.')[2]}({bases}):" if bases else f"class {spec.name.rpartition('.')[2]}:"
    return f"{head}\n{_indented(body)}\n"


def _direct_bases(spec: ClassSpec, catalog: Catalog) -> list[str]:
    """The bases that are not bases of another base."""
    indirect = {b for base in spec.bases if base in catalog.class_by_name for b in catalog.class_by_name[base].bases}
    return [b for b in spec.bases if b not in indirect]


def _members(spec: ClassSpec, catalog: Catalog) -> Iterator[str]:
    parents = [catalog.class_by_name[b] for b in spec.bases if b in catalog.class_by_name]
    inherited = {p.name for parent in parents for p in parent.properties}
    yield from (f"{name}: ClassVar[{type(value).__name__}]" for name, value in spec.constants)
    yield from (_property(p) for p in spec.properties if p.name not in inherited)
    if spec.constructor:
        yield _function(replace(spec.constructor, name="__init__", result=ResultSpec()))
    own = [m for m in spec.methods if m.owner == spec.name and _works_remotely(m)]
    if any(m.name == "register_channel" for m in own):
        yield from _OF_YOURS.values()
    yield from (_function(m) for m in own if not (runs_on_tags(spec) and m.name in _OF_YOURS))
    told = {name for parent in parents for name in event_methods(parent)}
    yield from (_EVENTS[name] for name in event_methods(spec) if name not in told)
    if spec.context and not any(parent.context for parent in parents):
        yield "def __enter__(self) -> Self: ..."
        yield "def __exit__(self, kind: object, error: object, trace: object) -> None: ..."


def _property(spec: PropertySpec) -> str:
    type_ = _returned(ResultSpec(spec.type), "")
    return f"{spec.name}: {type_}" if spec.writable else f"@property\ndef {spec.name}(self) -> {type_}: ..."


def _function(spec: MethodSpec, prefix: str = "") -> str:
    params = ["" if spec.static else "self", *(_parameter(p, prefix) for p in spec.params)]
    decorator = "@staticmethod\n" if spec.static else ""
    return f"{decorator}def {spec.name}({', '.join(p for p in params if p)}) -> {_returned(spec.result, prefix)}: ..."


def _parameter(spec: ParamSpec, prefix: str) -> str:
    if spec.variadic:
        return f"*{spec.name}: Any"
    types = [_accepted(part, prefix) for part in spec.type.split("|")]
    if not spec.required and spec.default_known and spec.default is None:
        types.append("None")
    return f"{spec.name}: {_joined(types)}" + ("" if spec.required else " = ...")


def _joined(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))


def _accepted(part: str, prefix: str) -> str:
    """Annotation of what a parameter of one type takes."""
    name = part.partition(":")[2].rstrip("[]")
    if part.startswith("enum:"):
        return f"{prefix}{name} | int"
    if part.startswith("object:"):
        return "Sequence[" * part.count("[]") + prefix + name + "]" * part.count("[]")
    return re.sub(r"\b(?=\w+Like\b)", prefix, _ACCEPTED.get(part, "Any"))


def _returned(spec: ResultSpec, prefix: str) -> str:
    """Annotation of a result."""
    if spec.type == "array":
        return f"NDArray[np.{spec.dtype if spec.dtype != 'bool' else 'bool_'}]" if spec.dtype else "NDArray[Any]"
    return _joined(_returned_part(part, prefix) for part in spec.type.split("|"))


def _returned_part(part: str, prefix: str) -> str:
    bare = part.replace("[]", "")
    inner = prefix + bare.partition(":")[2] if ":" in bare else _RETURNED.get(bare, "Any")
    for _ in range(part.count("[]")):
        inner = f"tuple[{inner}, ...]"
    return inner


def _indented(text: str) -> str:
    return "\n".join("    " + line if line else "" for line in text.splitlines())
