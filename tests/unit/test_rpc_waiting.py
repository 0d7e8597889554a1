"""Waits cut into slices: right calls, right end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tagwire.core.catalog import MethodSpec, ParamSpec, ResultSpec
from tagwire.rpc.waiting import SLICE_MS, is_sliced, wait

TIMEOUT = ParamSpec("timeout", "int", False, -1, True, "ms")
WAIT = MethodSpec("waitForCompletion", (ParamSpec("ID", "int"), TIMEOUT), ResultSpec("bool"), waits=True)
SYNC = MethodSpec("sync", (TIMEOUT,), ResultSpec("bool"), waits=True)


class Library:
    def __init__(self, finishes_at: int) -> None:
        self.calls: list[tuple[str, list[Any], dict[str, Any]]] = []
        self._left = finishes_at

    def __call__(self, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
        self.calls.append((name, list(args), kwargs))
        self._left -= 1
        return 17 if name == "getFence" else self._left < 0


def test_for_ever_means_until_it_is_done() -> None:
    library = Library(3)
    assert wait(WAIT, [], (5,), {}, library) is True
    assert library.calls == [("waitForCompletion", [5], {"timeout": SLICE_MS})] * 4


@pytest.mark.parametrize(("args", "kwargs"), [((5, 0), {}), ((5,), {"timeout": 0}), ((), {"ID": 5, "timeout": 0})])
def test_zero_asks_once(args: tuple[int, ...], kwargs: dict[str, int]) -> None:
    library = Library(3)
    assert wait(WAIT, [], args, kwargs, library) is False
    ((_, _, given),) = library.calls
    assert given["timeout"] == 0


def test_a_time_limit_ends_it() -> None:
    library = Library(10**9)
    assert wait(WAIT, [], (5, 3), {}, library) is False
    assert all(kwargs["timeout"] <= 3 for _, _, kwargs in library.calls)


def test_sync_sets_its_fence_once() -> None:
    library = Library(3)
    assert wait(SYNC, ["sync", "getFence", "waitForFence"], (), {}, library) is True
    assert [name for name, _, _ in library.calls] == ["getFence", "waitForFence", "waitForFence", "waitForFence"]
    assert library.calls[1][1:] == ([17], {"timeout": SLICE_MS})
    assert wait(SYNC, ["sync"], (), {}, again := Library(0)) is True
    assert again.calls[0][0] == "sync"


ODD = ["soon", None, True, 0.5, float("nan"), float("inf"), 2**64, np.bool_(True)]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [*(((5, odd), {}) for odd in ODD), ((5,), {"timeout": 1.5}), ((5, 1, 2), {}), ((5, 1), {"timeout": 1})],
    ids=repr,
)
def test_odd_arguments_are_for_the_library_to_judge(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    library = Library(0)
    wait(WAIT, [], args, kwargs, library)
    assert library.calls == [("waitForCompletion", list(args), kwargs)]


@pytest.mark.parametrize("timeout", [-1, -1.0, np.int8(-1), np.int64(-1), np.float64(1e6), 10**6], ids=repr)
def test_numbers_of_any_type_are_sliced(timeout: Any) -> None:
    library = Library(1)
    assert wait(WAIT, [], (5, timeout), {}, library) is True
    assert library.calls == [("waitForCompletion", [5], {"timeout": SLICE_MS})] * 2


def test_which_methods_are_sliced() -> None:
    assert is_sliced(WAIT)
    assert not is_sliced(MethodSpec("wait", (TIMEOUT,), ResultSpec("none"), waits=True))
    assert not is_sliced(MethodSpec("wait", (), ResultSpec("bool"), waits=True))
    assert not is_sliced(MethodSpec("read", (TIMEOUT,), ResultSpec("bool")))
