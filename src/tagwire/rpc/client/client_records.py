"""Classes of plain values at the client, like those of which the server's methods give values."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from typing import Any

from tagwire.core.catalog import RecordSpec


def build_record(spec: RecordSpec, module: str) -> Any:
    """A class with the fields of `spec`: a named tuple, or a frozen dataclass."""
    name = spec.name.rpartition(".")[2]
    made = _named_tuple(name, spec.fields) if spec.base == "tuple" else _dataclass(name, spec.fields)
    made.__module__, made.__qualname__ = module, spec.name
    made.__doc__ = spec.doc or made.__doc__
    return made


def _named_tuple(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


def _dataclass(name: str, fields: tuple[str, ...]) -> Any:
    typed: list[tuple[str, Any]] = [(field, Any) for field in fields]
    return dataclasses.make_dataclass(name, typed, frozen=True)
