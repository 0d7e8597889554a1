"""A catalog as plain data (dicts, lists, text, numbers), to be sent over a wire, and back.

Fields at their default are left out, and methods, which most classes inherit, stand once in a common list to which
the classes point by position.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from tagwire.core.catalog.specs import (
    Catalog,
    ClassSpec,
    EnumSpec,
    HiddenSpec,
    Kind,
    MethodSpec,
    ParamSpec,
    PropertySpec,
    RecordSpec,
    ResultSpec,
)
from tagwire.errors import ProtocolError

_NESTED: dict[tuple[type, str], type] = {
    (Catalog, "functions"): MethodSpec,
    (Catalog, "enums"): EnumSpec,
    (Catalog, "hidden"): HiddenSpec,
    (Catalog, "records"): RecordSpec,
    (ClassSpec, "constructor"): MethodSpec,
    (ClassSpec, "kind"): Kind,
    (ClassSpec, "properties"): PropertySpec,
    (MethodSpec, "params"): ParamSpec,
    (MethodSpec, "result"): ResultSpec,
}


def to_plain(catalog: Catalog) -> dict[str, Any]:
    """The catalog as dicts, lists, text, numbers, booleans and None."""
    places: dict[MethodSpec, int] = {}
    plain: dict[str, Any] = _pack(catalog)
    plain["classes"] = [_pack_class(c, places) for c in catalog.classes]
    plain["methods"] = [_pack(m) for m in places]
    return plain


def from_plain(plain: dict[str, Any]) -> Catalog:
    """The catalog that `to_plain` wrote; keys that this version does not know are ignored.

    Raises
    ------
    ProtocolError
        `plain` is not a catalog, or one with things that this version does not know.
    """
    try:
        methods = [_unpack(MethodSpec, m) for m in plain["methods"]]
        classes = tuple(_unpack_class(c, methods) for c in plain["classes"])
        catalog: Catalog = _unpack(Catalog, plain, classes=classes)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"this is not a catalog of an API module: {type(error).__name__}: {error}") from error
    return catalog


def _pack_class(spec: ClassSpec, places: dict[MethodSpec, int]) -> dict[str, Any]:
    return _pack(spec) | {"methods": [places.setdefault(m, len(places)) for m in spec.methods]}


def _unpack_class(plain: dict[str, Any], methods: list[Any]) -> Any:
    return _unpack(ClassSpec, plain, methods=tuple(methods[place] for place in plain["methods"]))


def _pack(spec: Any) -> dict[str, Any]:
    """The fields of a spec that differ from their default; `classes` and `methods` are packed elsewhere."""
    packed = {}
    for f in fields(spec):
        value = getattr(spec, f.name)
        default = f.default_factory() if f.default_factory is not MISSING else f.default
        # True == 1 and 0 == 0.0, but they are different defaults of a parameter.
        same = value == default and type(value) is type(default)
        if not same and f.name not in ("classes", "methods"):
            packed[f.name] = _pack_value(value)
    return packed


def _pack_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_pack_value(v) for v in value]
    if isinstance(value, Kind):
        return value.value
    return _pack(value) if hasattr(value, "__dataclass_fields__") else value


def _unpack(cls: type, plain: dict[str, Any], **given: Any) -> Any:
    known = {f.name for f in fields(cls)} - given.keys() - {"classes", "methods"}
    values = {name: _unpack_value(_NESTED.get((cls, name)), plain[name]) for name in plain.keys() & known}
    return cls(**values, **given)


def _unpack_value(cls: type | None, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpack_value(cls, v) for v in value)
    if cls is Kind:
        return Kind(value)
    return value if cls is None or value is None else _unpack(cls, value)
