"""Counts of a clock as picoseconds, without the rounding errors of floating point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tagwire.errors import FileUnreadable

MOST_COUNTS = 2**42
"""Counts below this can be converted."""

_HALF = 21
_LOW = (1 << _HALF) - 1


class Scale:
    """Multiplies counts with a time.

    Parameters
    ----------
    seconds
        Time of one count in s; taken as the shortest decimal number that this float stands for, kept to 2**-42 ps.
    """

    def __init__(self, seconds: float) -> None:
        period = Fraction(repr(seconds)) * 10**12
        if not 0 < period < 10**12:
            raise FileUnreadable(f"a resolution of {seconds} s makes no sense")
        self._whole, rest = divmod(round(period * 2**42), 2**42)
        self._high, self._low = rest >> _HALF, rest & _LOW

    def picoseconds(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Times of `counts` in ps, rounded to the nearest; exact where the time of a count is a whole number of ps."""
        if len(counts) and not 0 <= int(counts.max()) < min(MOST_COUNTS, 2**63 // (self._whole + 1)):
            raise FileUnreadable(f"a time of {int(counts.max())} counts does not fit into 64 bits of ps")
        whole: NDArray[np.int64] = counts * self._whole
        if not self._high and not self._low:
            return whole
        # counts * rest / 2**42 in two halves of 21 bits each, so that no product needs more than 63 bits
        high, low = counts >> _HALF, counts & _LOW
        middle = high * self._low + low * self._high + (low * self._low >> _HALF)
        whole += high * self._high + ((middle + (1 << (_HALF - 1))) >> _HALF)
        return whole
