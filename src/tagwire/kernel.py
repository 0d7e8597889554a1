"""How a kernel is compiled: one decorator, so that every kernel releases the GIL and is cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import config as numba_config
from numba.core.compiler_lock import global_compiler_lock

config: Any = numba_config

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile `function` with numba: no Python objects, no GIL, cached between runs."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def inner_kernel(function: Function) -> Function:
    """A `kernel` that becomes part of those that call it, for a call with many arrays costs as much as some tags."""
    return cast(Function, numba.njit(nogil=True, cache=True, forceinline=True)(function))


def lane_kernel(function: Function) -> Function:
    """A `kernel` that does the same to several numbers side by side, and whose compiler looks for that.

    LLVM makes vector instructions of a few equal statements in a row (its "SLP vectorizer") only if told to, which
    numba does for the whole process or not at all: so it is told while such a kernel is compiled, and nobody else's
    can be, for the compiler works for one at a time.
    """
    dispatcher: Any = kernel(function)
    compile_plainly = dispatcher.compile

    def compile_lanes(signature: Any) -> Any:
        with global_compiler_lock:
            before = config.SLP_VECTORIZE
            config.SLP_VECTORIZE = 1
            try:
                return compile_plainly(signature)
            finally:
                config.SLP_VECTORIZE = before

    dispatcher.compile = compile_lanes
    return cast(Function, dispatcher)
