"""Lists of numbers as arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tagwire.core.arguments import real
from tagwire.errors import ArgumentError, ArgumentKindError


def reals(values: Any, name: str, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """A list of floats within ``[low, high]`` from any sequence of numbers, at least one.

    Raises
    ------
    ArgumentKindError
        (TypeError) Not a sequence, or a member is no number.
    ArgumentError
        (ValueError) It is empty, or a member is outside the range.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ArgumentKindError(f"{name} must be a sequence of numbers, not {values!r}")
    numbers = [real(v, f"{name}[{i}]", low, high) for i, v in enumerate(values)]
    if not numbers:
        raise ArgumentError(f"{name} is empty, but must have at least one number")
    return numbers
