"""What a software clock must give, worked out from all clock tags at once, with exact fractions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import floor


class Timebase:
    """The time base of a clock signal without faults.

    Parameters
    ----------
    clicks
        Times of all clock tags in ps.
    advance
        Their ideal distance in ps.
    grid
        Ideal clock tags lie at multiples of this.
    averaging
        Time constant of the loop, in clock tags.

    Attributes
    ----------
    lock
        Output time in ps at which the time base becomes valid.
    """

    def __init__(self, clicks: Sequence[int], advance: int, grid: int, averaging: float) -> None:
        need = min(max(10, round(averaging)), 10_000)
        period, edge = _line(clicks[:need])
        theta = max(Fraction(0), 1 - 1 / Fraction(averaging))
        self.lock = -(-_ceil(edge) // grid) * grid
        self._edges = [edge]
        self._advance = advance
        for click in clicks[need:]:
            error = click - edge
            period += (1 - theta) ** 2 * error
            # Rounded as a float is, or the fractions would grow with every tag.
            edge += Fraction(float(period + (1 - theta**2) * error))
            period = Fraction(float(period))
            self._edges.append(edge)

    def __call__(self, time: int) -> int | None:
        """Output time of an input time in ps; `None` where there is none."""
        n = bisect_right(self._edges, time) - 1
        if not 0 <= n < len(self._edges) - 1:
            return None
        begin, end = self._edges[n : n + 2]
        return self.lock + n * self._advance + floor((time - begin) * self._advance / (end - begin) + Fraction(1, 2))


class UtcTime:
    """Output times once a pulse has put a time base on a UTC second.

    Parameters
    ----------
    base
        The time base before the pulse.
    pulse
        Input time of the pulse in ps, where `base` has an output time.
    second
        UTC second of the pulse.

    Attributes
    ----------
    begin
        Output time in ps from which on there are tags: that of the second, or, where this lies in the past by less
        than half a second, the time up to which the output had come.
    """

    def __init__(self, base: Timebase, pulse: int, second: int) -> None:
        reached = base(pulse)
        assert reached is not None
        self._base, self._pulse = base, pulse
        turns = floor(Fraction(2 * reached - 10**12, 2 * 10**18) - Fraction(second % 10**6, 10**6)) + 1
        new = (second % 10**6 + 10**6 * max(0, turns)) * 10**12
        self._step = new - reached
        self.begin = max(reached, new)

    def __call__(self, time: int) -> int | None:
        """Output time of an input time in ps; `None` where there is none."""
        at = self._base(time) if time >= self._pulse else None
        return None if at is None or at + self._step < self.begin else at + self._step


def _line(clicks: Sequence[int]) -> tuple[Fraction, Fraction]:
    """Slope of the straight line through the clicks, and its value at the next one."""
    n = len(clicks)
    mean_i, mean_t = Fraction(n - 1, 2), Fraction(sum(clicks), n)
    spread = sum(((i - mean_i) ** 2 for i in range(n)), Fraction(0))
    slope = sum(((i - mean_i) * (t - mean_t) for i, t in enumerate(clicks)), Fraction(0)) / spread
    return slope, mean_t + slope * (n - mean_i)


def _ceil(value: Fraction) -> int:
    return -floor(-value)
