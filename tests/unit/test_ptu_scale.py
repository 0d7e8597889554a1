"""Counts become picoseconds without the errors of floating point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.errors import FileUnreadable
from tagwire.recording.scale import MOST_COUNTS, Scale

counts = st.integers(0, 2**42 - 1)


def converted(seconds: float, count: int) -> int:
    return int(Scale(seconds).picoseconds(np.array([count], np.int64))[0])


@given(st.sampled_from([1e-12, 4e-12, 1.6e-11, 2.5e-11, 2.5e-10, 1e-7]), counts)
def test_whole_picoseconds_are_exact(seconds: float, count: int) -> None:
    assert converted(seconds, count) == count * round(seconds * 1e12)


@given(st.integers(1_000_000, 999_999_999), counts)
def test_any_sync_rate_is_rounded_to_the_nearest_picosecond(rate: int, count: int) -> None:
    seconds = 1 / rate
    exact = count * Fraction(repr(seconds)) * 10**12
    if exact >= 2**62:
        return
    # the period is kept to half of 2**-42 ps, which is all there is besides the rounding
    assert abs(converted(seconds, count) - exact) <= Fraction(1, 2) + Fraction(1, 2**20) + Fraction(count, 2**43)


@pytest.mark.parametrize("seconds", [0.0, -1e-12, 1.0, 5.0])
def test_a_senseless_resolution(seconds: float) -> None:
    with pytest.raises(FileUnreadable, match="resolution"):
        Scale(seconds)


@pytest.mark.parametrize(("seconds", "count"), [(1e-12, MOST_COUNTS), (1e-3, 2**40), (1e-12, -1)])
def test_counts_that_do_not_fit(seconds: float, count: int) -> None:
    with pytest.raises(FileUnreadable, match="does not fit"):
        converted(seconds, count)
