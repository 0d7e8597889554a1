"""Arguments of a call as small plain values, to be kept and shown: in the history of settings, in a session's list.

Numbers, short text and short lists of them stay what they are; of anything else a short text remains.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from tagwire.core.catalog import MethodSpec
from tagwire.rpc.host.library import Library

MOST_TEXT = 80
"""Most characters of a text."""

MOST_ITEMS = 16
"""Most items of a list, and most arguments."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = MOST_TEXT


def shown_arguments(spec: MethodSpec, args: list[Any], kwargs: Mapping[str, Any], library: Library) -> dict[str, Any]:
    """The arguments that were given, by the names of `spec`, each as a small plain value."""
    named = dict(zip((p.name for p in spec.params), args, strict=False)) | dict(kwargs)
    return {name[:MOST_TEXT]: shown(named[name], library) for name in list(named)[:MOST_ITEMS]}


def shown(value: Any, library: Library) -> object:
    """`value` as a small plain value; a live object by the name of its class."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else _short.repr(value)
    if type(value) is str:
        return value if len(value) <= MOST_TEXT else value[: MOST_TEXT - 3] + "..."
    if isinstance(value, Enum):
        return value.name or str(value.value)
    if isinstance(value, list | tuple | range) and len(value) <= MOST_ITEMS and all(_is_number(v) for v in value):
        return [shown(item, library) for item in value]
    spec = library.spec_of(value)
    return f"<{spec.name}>" if spec else _text(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<array of {value.dtype}, shape {value.shape}>"
    return _short.repr(value)[:MOST_TEXT]
