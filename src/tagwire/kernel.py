"""How a kernel is compiled: one decorator, so that every kernel releases the GIL and is cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile `function` with numba: no Python objects, no GIL, cached between runs."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))
