"""A single tag as an object."""

from __future__ import annotations

from typing import Any

import pytest

from tagwire.TimeTagger import Tag, TagType


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        ((), (0, 0, 0, 0, "\0")),
        ((5, 3), (5, 3, 0, 0, "\0")),
        ((5, -3, TagType.Error), (5, -3, 1, 0, "\0")),
        ((4, "\0", 7, 3, 99), (99, 3, 4, 7, "\0")),
        ((4, 65, 7, 3, 1e12), (10**12, 3, 4, 7, "A")),
    ],
)
def test_forms_of_the_constructor(args: tuple[Any, ...], fields: tuple[Any, ...]) -> None:
    tag = Tag(*args)
    assert (tag.time, tag.channel, tag.type, tag.missed_events, tag.reserved) == fields


@pytest.mark.parametrize("args", [(1,), (1, 2, 3, 4), (1.5, 2), ("a", 2), (4, "ab", 0, 1, 2)])
def test_other_forms_are_refused(args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        Tag(*args)


@pytest.mark.parametrize(
    ("name", "value"), [("type", 256), ("missed_events", 70_000), ("channel", 2**31), ("time", 2**63)]
)
def test_a_number_that_does_not_fit_changes_nothing(name: str, value: int) -> None:
    tag = Tag(5, 3)
    with pytest.raises(ValueError, match=str(value)):
        setattr(tag, name, value)
    assert (tag.time, tag.channel, tag.type, tag.missed_events) == (5, 3, 0, 0)


def test_constants_are_the_enum() -> None:
    assert {n: getattr(Tag, f"Type_{n}") for n in TagType.__members__} == {
        n: int(m) for n, m in TagType.__members__.items()
    }
