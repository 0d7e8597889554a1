"""Offset and drift between two clocks, from what both have stamped: pulses per second, or any other common signal.

Pure functions of arrays of times in ps. An offset is what the other clock shows more than the reference clock, in ps;
the drift is its growth per time, as a plain number (1e-6 is 1 µs each second).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer
from tagwire.core.tags import Int64Array
from tagwire.errors import ArgumentError

PS_PER_S = 10**12

OUTLIER = 5.0
"""Offsets so many times further from the line than usual are left out."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClockOffset:
    """How the other clock stands to the reference clock.

    Attributes
    ----------
    time
        Time of the reference clock in ps for which `offset` holds: that of the last comparison.
    offset
        What the other clock shows more, in ps.
    offset_error
        Its standard error.
    drift
        Growth of the offset per time.
    drift_error
        Its standard error.
    rms
        Root mean square in ps of what a straight line leaves over: the jitter of the signals, and how far the clocks do
        not keep their pace.
    used, rejected
        Number of comparisons that the line is drawn through, and of those that lie too far off.
    """

    time: int
    offset: float
    offset_error: float
    drift: float
    drift_error: float
    rms: float
    used: int
    rejected: int

    def at(self, times: Int64Array) -> Floats:
        """Offsets in ps at other times of the reference clock, on the straight line."""
        return self.offset + self.drift * (times - self.time).astype(np.float64)


def offset_from_pulses(
    reference: Int64Array, other: Int64Array, period: int = PS_PER_S, around: int | None = None
) -> ClockOffset:
    """Compare two clocks by a pulse that both see again and again, such as one per second (1PPS).

    Parameters
    ----------
    reference, other
        Times at which each clock saw the pulses, in order. Pulses may be missing on either side, and a few others may
        be among them.
    period
        Distance of the pulses in ps.
    around
        Offset in ps, as far as it is known: within half a period. `None`: unknown; the result is then within half a
        period of 0, for which pulse is which cannot be told.

    Raises
    ------
    ArgumentError
        (ValueError) Fewer than three pulses that both have seen.
    """
    length = integer(period, "period", 2)
    middle = phase_between(reference, other, length) if around is None else integer(around, "around")
    first, second = match_pulses(reference, other - middle, length // 2)
    return fit_offset(reference[first], other[second] - reference[first])


def phase_between(reference: Int64Array, other: Int64Array, period: int) -> int:
    """How much later `other` comes in its period than `reference`, in ps, within half a period of 0."""
    angles = [np.angle(np.exp(2j * np.pi * ((t % period) / period)).sum()) for t in (reference, other) if len(t)]
    turn = (angles[1] - angles[0]) / (2 * np.pi) if len(angles) == 2 else 0.0
    return round((turn - round(turn)) * period)


def match_pulses(reference: Int64Array, other: Int64Array, window: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the pulses in both arrays that are each other's nearest and less than `window` ps apart."""
    there, back = _nearest(reference, other), _nearest(other, reference)
    if not len(there) or not len(back):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    first = np.flatnonzero(there[back] == np.arange(len(reference)))
    second = back[first]
    close = np.abs(other[second] - reference[first]) < window
    return first[close], second[close]


def fit_offset(times: Int64Array, offsets: Int64Array | Floats) -> ClockOffset:
    """Draw a straight line through offsets.

    The slope is at first the median of those between points half of the array apart, which outliers do not move (after
    Sen, J. Am. Stat. Assoc. 63, 1379 (1968)); those that lie far off that line are left out, and a line of least
    squares is drawn through the others (Press et al., Numerical Recipes, ch. 15.2). The slope of the time difference is
    the relative difference of the frequencies (Riley, NIST SP 1065, ch. 2).

    Parameters
    ----------
    times
        Times of the reference clock in ps, in order, all different.
    offsets
        What the other clock showed more at these times, in ps.

    Raises
    ------
    ArgumentError
        (ValueError) Fewer than three.
    """
    if len(times) < 3:
        raise ArgumentError(f"there are {len(times)} comparisons of the clocks, but a line needs at least 3")
    x, y = (times - times[-1]).astype(np.float64), np.asarray(offsets, np.float64)
    keep = _on_line(x, y)
    x, y = x[keep], y[keep]
    middle, mean = x.mean(), y.mean()
    spread = float(np.sum((x - middle) ** 2))
    drift = float(np.sum((x - middle) * (y - mean))) / spread
    rest = y - mean - drift * (x - middle)
    variance = float(np.sum(rest**2)) / max(1, len(x) - 2)
    return ClockOffset(
        time=int(times[-1]),
        offset=float(mean - drift * middle),
        offset_error=float(np.sqrt(variance * (1 / len(x) + middle**2 / spread))),
        drift=drift,
        drift_error=float(np.sqrt(variance / spread)),
        rms=float(np.sqrt(np.mean(rest**2))),
        used=len(x),
        rejected=int(np.count_nonzero(~keep)),
    )


def _on_line(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which points are not far off the line that most of them lie on; at least three."""
    half = len(x) // 2
    slope = np.median((y[half:] - y[: len(y) - half]) / (x[half:] - x[: len(x) - half]))
    rest = np.abs(y - slope * x - np.median(y - slope * x))
    usual = 1.4826 * float(np.median(rest))  # of a Gaussian that is its standard deviation
    keep: NDArray[np.bool_] = rest <= max(OUTLIER * usual, np.sort(rest)[2], 1.0)
    return keep


def _nearest(sorted_times: Int64Array, times: Int64Array) -> NDArray[np.intp]:
    """Place in `sorted_times` of what is nearest to each of `times`."""
    if not len(sorted_times):
        return np.empty(0, np.intp)
    right = np.clip(np.searchsorted(sorted_times, times), 0, len(sorted_times) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(times - sorted_times[left] <= sorted_times[right] - times, left, right)
