"""Arguments as the vendor's library takes them.

Whole numbers may come as integral floats and NumPy scalars, channel lists as any sequence of them; a boolean is a
boolean and nothing else. What does not fit raises before anything is changed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, TypeVar

import numpy as np

from tagwire.core.tags import TIME_MAX, TIME_MIN
from tagwire.errors import ArgumentError, ArgumentKindError

INT32_MAX = 2**31 - 1

VALUES_MAX = 2**27
"""Largest number of values that a measurement keeps: 1 GiB of 64-bit counters."""

Choice = TypeVar("Choice", bound=IntEnum)


def integer(value: Any, name: str, low: int = TIME_MIN, high: int = TIME_MAX) -> int:
    """`value` as a Python int within ``[low, high]``.

    Raises
    ------
    ArgumentKindError
        (TypeError) Not a whole number.
    ArgumentError
        (ValueError) Outside the range.
    """
    if isinstance(value, str | bytes | bool | np.bool_):
        raise ArgumentKindError(f"{name} must be an integer, not {value!r}")
    try:
        number = int(value) if isinstance(value, float | np.floating) else operator.index(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentKindError(f"{name} must be an integer, not {value!r}") from None
    if number != value:
        raise ArgumentKindError(f"{name} must be a whole number, not {value!r}")
    if not low <= number <= high:
        raise ArgumentError(f"{name} is {number}, but must be within [{low}, {high}]")
    return number


def real(value: Any, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """`value` as a finite float within ``[low, high]``; raises as `integer` does."""
    if isinstance(value, str | bytes | bool | np.bool_):
        raise ArgumentKindError(f"{name} must be a number, not {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentKindError(f"{name} must be a number, not {value!r}") from None
    if not (math.isfinite(number) and low <= number <= high):
        limits = "a finite number" if math.isinf(low) and math.isinf(high) else f"within [{low:g}, {high:g}]"
        raise ArgumentError(f"{name} is {number:g}, but must be {limits}")
    return number


def boolean(value: Any, name: str) -> bool:
    """`value` if it is a bool; numbers are refused, zero and one included."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentKindError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def text(value: Any, name: str) -> str:
    """`value` if it is a string."""
    if not isinstance(value, str):
        raise ArgumentKindError(f"{name} must be a string, not {value!r}")
    return value


def integers(values: Any, name: str) -> list[int]:
    """A list of ints from any sequence of whole numbers, NumPy arrays and ranges included."""
    return [integer(v, f"{name}[{i}]", -(2**31), INT32_MAX) for i, v in enumerate(sequence(values, name, "integers"))]


def sequence(values: Any, name: str, what: str) -> list[Any]:
    """`values` as a list, if they are a sequence of `what` and no string."""
    scalar = isinstance(values, np.ndarray) and values.ndim == 0
    if scalar or isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ArgumentKindError(f"{name} must be a sequence of {what}, not {values!r}")
    return list(values)


def member(value: Any, name: str, kind: type[Choice]) -> Choice:
    """The member of the enum `kind` that `value` is, or whose number it is; raises as `integer` does."""
    number = integer(value, name)
    if number not in kind.__members__.values():
        choices = ", ".join(f"{choice.name} = {choice.value}" for choice in kind.__members__.values())
        raise ArgumentError(f"{name} is {number}, but must be one of {choices}")
    return kind(number)
