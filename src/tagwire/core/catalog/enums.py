"""From an enum to its `EnumSpec`."""

from __future__ import annotations

import inspect
from enum import Enum, Flag

from tagwire.core.catalog.specs import EnumSpec


def read_enum(name: str, enum: type[Enum]) -> EnumSpec:
    """All members: plain iteration would skip those of a flag that are zero or composite."""
    members = tuple((n, _plain(m.value)) for n, m in enum.__members__.items())
    own = vars(enum).get("__doc__") or ""
    return EnumSpec(name, _base(enum), members, inspect.cleandoc(own))


def is_describable(enum: type[Enum]) -> bool:
    """Whether the values of all members are numbers or texts, so that a client can have the same enum."""
    return all(isinstance(m.value, int | float | str) for m in enum.__members__.values())


def _plain(value: int | float | str) -> int | float | str:
    return int(value) if isinstance(value, int) else value


def _base(enum: type[Enum]) -> str:
    if issubclass(enum, Flag):
        return "IntFlag"
    if issubclass(enum, str):
        return "StrEnum"
    return "IntEnum" if all(isinstance(m.value, int) for m in enum.__members__.values()) else "Enum"
