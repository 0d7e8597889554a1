"""Whatever Python object it is, it can be described: what is odd about it is left out."""

from __future__ import annotations

import collections
import decimal
import functools
import io
import json
import math
import types
from enum import Enum
from typing import Any

import numpy as np
import pytest

from tagwire.core.catalog import Kind, from_plain, read_instrument, to_plain, with_instruments
from tagwire.core.catalog.specs import Catalog


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = 1


class Answering:
    """Says yes to every name."""

    def __getattr__(self, name: str) -> Any:
        return 5


class Descriptor:
    def __get__(self, obj: object, owner: object = None) -> int:
        return 3


class Odd:
    given = Descriptor()
    annotated: int
    unknown: Nowhere = 3  # type: ignore[name-defined]  # noqa: F821

    class Inner:
        pass

    def many(self, *args: int, option: float = 1.0, **others: int) -> None:
        pass

    some = functools.partialmethod(many, 1)

    async def later(self) -> None:
        pass


class Colour(Enum):
    RED = (1, 0, 0)


class Lamp:
    colour: Colour = Colour.RED

    def set_colour(self, colour: Colour, folder: str = "", path=None, profile: str = "") -> None:  # type: ignore[no-untyped-def]
        pass

    def wait(self, timeout: float = -1) -> bool:
        return True


OBJECTS = [
    *(json, math, np.linalg),
    *(np.random.default_rng(), decimal.Context(), collections.OrderedDict(a=1), io.BytesIO()),
    *(Slotted(), Answering(), Odd(), types.SimpleNamespace(a=1, f=print), Lamp()),
]


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: getattr(obj, "__name__", type(obj).__name__))
def test_every_object_can_be_described(obj: object) -> None:
    instrument = read_instrument("thing", obj)
    catalog = with_instruments(Catalog("library", "1"), [instrument])
    assert from_plain(to_plain(catalog)) == catalog
    assert catalog.class_by_name["thing"].kind is Kind.INSTRUMENT
    names = [m.name for m in instrument.spec.methods] + [p.name for p in instrument.spec.properties]
    assert not [name for name in names if name.startswith("_")]


def test_what_is_odd_is_left_out() -> None:
    spec = read_instrument("odd", Odd()).spec
    assert [m.name for m in spec.methods] == ["many"]
    assert [p.name for p in spec.properties] == ["annotated", "given", "unknown"]
    spec = read_instrument("slotted", Slotted()).spec
    assert [p.name for p in spec.properties] == ["a", "b"]
    spec = read_instrument("name", types.SimpleNamespace(a=1, f=print)).spec
    assert [(p.name, p.type) for p in spec.properties] == [("a", "int")]


def test_nothing_is_assumed_from_the_api() -> None:
    instrument = read_instrument("lamp", Lamp())
    assert instrument.enums == ()  # its values cannot be sent
    methods = {m.name: m for m in instrument.spec.methods}
    assert not methods["wait"].waits  # its timeout may be in seconds
    assert methods["wait"].params[0].unit == ""
    roles = {p.name: p.file for p in methods["set_colour"].params}
    assert roles == {"colour": "", "folder": "read", "path": "read", "profile": ""}
