"""Classes of values that are nothing but their fields: named tuples, and dataclasses without methods of their own."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from tagwire.core.catalog.specs import RecordSpec


def is_record(cls: type) -> bool:
    """Whether the values of `cls` are told by their fields."""
    if issubclass(cls, tuple):
        return hasattr(cls, "_fields")
    return dataclasses.is_dataclass(cls) and not any(
        callable(value) or isinstance(value, property | staticmethod | classmethod)
        for base in cls.__mro__[:-1]
        for name, value in vars(base).items()
        if not name.startswith("_")
    )


def read_record(name: str, cls: type) -> RecordSpec:
    """Description of the record class `cls`."""
    doc = inspect.cleandoc(vars(cls).get("__doc__") or "")
    return RecordSpec(name, "tuple" if issubclass(cls, tuple) else "dataclass", field_names(cls), doc)


def field_names(cls: type) -> tuple[str, ...]:
    """The fields that its constructor takes, in order."""
    if issubclass(cls, tuple):
        return tuple(cls._fields)  # type: ignore[attr-defined]
    known: Any = cls
    return tuple(field.name for field in dataclasses.fields(known) if field.init)


def field_values(value: object) -> tuple[object, ...]:
    """The values of the fields, in order."""
    return tuple(getattr(value, name) for name in field_names(type(value)))
