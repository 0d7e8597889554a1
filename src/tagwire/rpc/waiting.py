"""Calls that wait, cut into slices.

A method that waits inside the library cannot be interrupted from outside: a client could not be stopped with Ctrl-C,
and the server's thread would hang for a client that died. So the wait is made of short ones, by the client or, for
plain Pyro clients, by the server.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Generator, Sequence
from typing import Any

import numpy as np

from tagwire.core.catalog import MethodSpec

SLICE_MS = 250
"""Longest wait inside the library, in ms."""

Invoke = Callable[[str, Sequence[Any], dict[str, Any]], Any]
"""Calls a method of the object in question: name, arguments, keyword arguments."""

Slices = Generator[tuple[str, Sequence[Any], dict[str, Any]], Any, None]


def is_sliced(spec: MethodSpec) -> bool:
    """Whether the wait of this method can be cut: it has a timeout in ms, and answers whether it was in time."""
    return spec.waits and spec.result.type == "bool" and _timeout_index(spec) is not None


def wait(
    spec: MethodSpec, methods: Collection[str], args: Sequence[Any], kwargs: dict[str, Any], invoke: Invoke
) -> Any:
    """Call the waiting method `spec` in slices.

    Parameters
    ----------
    methods
        Names of all methods of the class. ``sync`` means to wait for a fence set now; a fence has to be set once, not
        once a slice, so it is set here when the class can do that.
    invoke
        Makes one call; may raise to end the wait.
    """
    steps, result = slices(spec, methods, args, kwargs), None
    with contextlib.suppress(StopIteration):
        call = next(steps)
        while True:
            result = invoke(*call)
            call = steps.send(result)
    return result


async def wait_async(
    spec: MethodSpec,
    methods: Collection[str],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    invoke: Callable[[str, Sequence[Any], dict[str, Any]], Awaitable[Any]],
) -> Any:
    """As `wait`, for asyncio."""
    steps, result = slices(spec, methods, args, kwargs), None
    with contextlib.suppress(StopIteration):
        call = next(steps)
        while True:
            result = await invoke(*call)
            call = steps.send(result)
    return result


def slices(spec: MethodSpec, methods: Collection[str], args: Sequence[Any], kwargs: dict[str, Any]) -> Slices:
    """The calls that a wait is made of; each is sent its result, and the last one's is that of the wait."""
    index = _timeout_index(spec)
    assert index is not None
    name, label, timeout = spec.name, spec.params[index].name, _timeout(spec, index, args, kwargs)
    if not _is_whole(timeout) or len(args) > index + 1 or (len(args) > index and label in kwargs):
        yield name, args, kwargs  # the library says what it thinks of it
        return
    args, kwargs, timeout = list(args[:index]), dict(kwargs), int(timeout)
    if name == "sync" and {"getFence", "waitForFence"} <= set(methods):
        name, args = "waitForFence", [(yield "getFence", [], {})]
    deadline = time.monotonic() + timeout / 1000 if timeout >= 0 else float("inf")
    while True:
        left = min(SLICE_MS, max(0, round(1000 * (deadline - time.monotonic()))) if timeout >= 0 else SLICE_MS)
        done = yield name, args, kwargs | {label: left}
        if done or (timeout >= 0 and time.monotonic() >= deadline):
            return


def _is_whole(timeout: Any) -> bool:
    """Whether every library takes it for a number of ms: a whole number of 64 bits, in any type but bool."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float | np.integer | np.floating):
        return False
    return bool(-(2**63) < timeout < 2**63) and float(timeout).is_integer()


def _timeout_index(spec: MethodSpec) -> int | None:
    return next((i for i, p in enumerate(spec.params) if p.name.startswith("timeout")), None)


def _timeout(spec: MethodSpec, index: int, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    param = spec.params[index]
    if len(args) > index:
        return args[index]
    default = param.default if param.default_known else -1
    return kwargs.get(param.name, default)
