"""Arguments and results of forwarded calls as JSON can carry them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from tagwire.core.faults import from_fault, to_fault
from tagwire.engine.clock_state import ReferenceClockState, SoftwareClockState
from tagwire.errors import ArgumentKindError, ProtocolError

_STATES: dict[str, type[ReferenceClockState | SoftwareClockState]] = {
    "ReferenceClockState": ReferenceClockState,
    "SoftwareClockState": SoftwareClockState,
}

LONGEST = 2**20
"""Bytes of a request, at most."""


def packed(value: Any) -> bytes:
    """JSON of a value; numbers of NumPy, enums and clock states included."""
    return json.dumps(value, default=_plain).encode()


def unpacked(data: bytes | memoryview) -> Any:
    """The value of some JSON, with clock states in their place.

    Raises
    ------
    ProtocolError
        (RuntimeError) It is none, or too long.
    """
    if len(data) > LONGEST:
        raise ProtocolError(f"a message of {len(data)} bytes is too long: at most {LONGEST} are taken")
    try:
        return json.loads(bytes(data), object_hook=_restored)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"this is not JSON: {error}") from error


def answer(value: Any) -> bytes:
    """What a server says when a request was carried out."""
    return packed({"value": value})


def refusal(error: Exception) -> bytes:
    """What a server says when a request failed."""
    return packed({"error": to_fault(error)})


def result(data: bytes | memoryview) -> Any:
    """The value of an answer; raises the error that the server told instead."""
    told = json.loads(bytes(data), object_hook=_restored)
    if "error" in told:
        raise from_fault(told["error"])
    value = told["value"]
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """For what JSON does not know."""
    name = type(value).__name__
    if name in _STATES:
        return {"$state": name} | {field: getattr(value, field) for field in vars(_STATES[name]())}
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, Mapping | str | bytes):
        return list(value)
    raise ArgumentKindError(f"{value!r} cannot be sent to the server: only numbers, texts and lists of them can")


def _restored(found: dict[str, Any]) -> Any:
    kind = _STATES.get(found.get("$state", "")) if isinstance(found.get("$state", ""), str) else None
    if kind is None:
        return found
    state = kind()
    for name, value in found.items():
        if hasattr(state, name):
            setattr(state, name, value)
    return state
