"""Arguments as they are kept and shown."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgpack
import numpy as np
import pytest

from tagwire.core.catalog import Catalog, MethodSpec, ParamSpec
from tagwire.rpc.host.library import Library
from tagwire.rpc.host.shown import MOST_ITEMS, MOST_TEXT, shown, shown_arguments


class Edge(IntEnum):
    Rising = 1


@pytest.fixture
def library() -> Library:
    return Library(pytest, Catalog("nothing", "0"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), (True, True), (3, 3), (0.5, 0.5), ("text", "text"), (np.int32(4), 4), (np.float64(0.5), 0.5),
        ([1, 2], [1, 2]), ((1, np.int64(2)), [1, 2]), (range(3), [0, 1, 2]), (Edge.Rising, "Rising"),
        (np.zeros((2, 3), "i4"), "<array of int32, shape (2, 3)>"), ({"a": 1}, "{'a': 1}"),
    ],
    ids=repr,
)  # fmt: skip
def test_small_values_stay_and_others_become_text(library: Library, value: Any, expected: Any) -> None:
    answer = shown(value, library)
    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize("value", [2**80, "x" * 1000, list(range(1000)), {i: i for i in range(1000)}, [[1] * 99] * 99])
def test_whatever_is_shown_is_small_and_can_be_sent(library: Library, value: Any) -> None:
    assert len(msgpack.packb(shown(value, library))) <= MOST_TEXT + 5


def test_arguments_go_by_their_names(library: Library) -> None:
    spec = MethodSpec("set", (ParamSpec("channel"), ParamSpec("level"), ParamSpec("unused", required=False)))
    assert shown_arguments(spec, [1], {"level": 0.5}, library) == {"channel": 1, "level": 0.5}
    assert len(shown_arguments(spec, [], {str(i): i for i in range(99)}, library)) == MOST_ITEMS
