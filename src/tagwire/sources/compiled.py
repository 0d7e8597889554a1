"""How a kernel of the simulation is compiled; sources lie below the engine and so cannot use its decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile `function` with numba: no Python objects, no GIL, cached between runs."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))
