"""Arguments: what is taken, what is refused, and that the refusal names value and range."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.arguments import boolean, integer, integers, real, text
from tagwire.core.tags import TIME_MAX, TIME_MIN
from tagwire.errors import ArgumentError, ArgumentKindError


@pytest.mark.parametrize("value", [5, 5.0, np.int8(5), np.uint64(5), np.float32(5), np.array(5)])
def test_whole_numbers_come_in_many_kinds(value):
    number = integer(value, "n")
    assert number == 5
    assert type(number) is int


@pytest.mark.parametrize(
    "value", [1.5, np.float64(0.1), True, np.bool_(True), "5", b"5", None, [5], float("nan"), float("inf"), 5j]
)
def test_what_is_no_whole_number_is_a_type_error(value):
    with pytest.raises(ArgumentKindError, match="n must be") as caught:
        integer(value, "n")
    assert isinstance(caught.value, TypeError)


def test_a_range_includes_its_ends_and_is_named_when_missed():
    assert integer(1, "n", 1, 3) == 1
    assert integer(3, "n", 1, 3) == 3
    with pytest.raises(ArgumentError, match=r"n is 4, but must be within \[1, 3\]") as caught:
        integer(4, "n", 1, 3)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("value", [TIME_MAX + 1, TIME_MIN - 1, 1e19, 1e300])
def test_times_beyond_64_bits_are_refused(value):
    with pytest.raises(ArgumentError, match="must be within"):
        integer(value, "t")


def test_large_integral_floats_are_exact():
    assert integer(1e13, "t") == 10**13
    assert integer(TIME_MAX, "t") == TIME_MAX


@pytest.mark.parametrize("value", [1, 1.5, np.float32(0.5), np.int64(3)])
def test_real_numbers(value):
    assert real(value, "x") == float(value)


@pytest.mark.parametrize("value", [True, "1.0", None, [1.0], 10**400])
def test_what_is_no_number_is_a_type_error(value):
    with pytest.raises(ArgumentKindError, match="x must be a number"):
        real(value, "x")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_numbers_outside_the_range_are_a_value_error(value):
    with pytest.raises(ArgumentError, match=r"must be within \[0, 1\]"):
        real(value, "x", 0, 1)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_without_limits_a_number_must_still_be_finite(value):
    with pytest.raises(ArgumentError, match="must be a finite number"):
        real(value, "x")


def test_a_bool_is_a_bool():
    assert boolean(True, "b") is True
    assert boolean(np.bool_(False), "b") is False
    for value in (0, 1, 1.0, "True", None):
        with pytest.raises(ArgumentKindError, match="b must be True or False"):
            boolean(value, "b")


def test_text_is_a_string():
    assert text("a", "s") == "a"
    with pytest.raises(ArgumentKindError, match="s must be a string"):
        text(b"a", "s")


@pytest.mark.parametrize("values", [[1, 2], (1, 2), range(1, 3), np.array([1, 2]), [1.0, np.int16(2)]])
def test_channel_lists_are_any_sequence(values):
    numbers = integers(values, "channels")
    assert numbers == [1, 2]
    assert all(type(n) is int for n in numbers)


def test_a_bad_channel_is_named_with_its_place():
    with pytest.raises(ArgumentKindError, match=r"channels\[1\] must be a whole number, not 2.5"):
        integers([1, 2.5], "channels")
    with pytest.raises(ArgumentError, match=r"channels\[0\] is 2147483648"):
        integers([2**31], "channels")
    for values in (5, "12", b"12", None, np.array(1)):
        with pytest.raises(ArgumentKindError, match="channels must be a sequence"):
            integers(values, "channels")
