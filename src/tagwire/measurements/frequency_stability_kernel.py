"""The sums behind every stability metric, carried along with the stream.

A sample x(k) is the sum of `average` time stamps, as uint64 that may wrap round: only differences are used, and they
are exact as long as they fit into int64. With m the step, the sums need x at k, k - m, k - 2 m and k - 3 m only::

    first difference    d = x(k) - x(k - m)                                 standard deviation
    second difference   D = x(k) - 2 x(k - m) + x(k - 2 m)                  Allan
    third difference    H = x(k) - 3 x(k - m) + 3 x(k - 2 m) - x(k - 3 m)   Hadamard
    sum of m D's        S, which the next sample changes by just H          modified Allan
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel

ADEV, MDEV, HDEV, STDD = range(4)
"""Rows of the sums of squares and of their numbers of terms."""

STATE = np.dtype(
    [
        ("total", np.uint64),  # of the running average
        ("filled", np.int64),
        ("count", np.int64),  # samples since the last gap
        ("span", np.float64),  # sum of the distances of neighbouring samples
        ("spans", np.int64),
    ],
    align=True,
)

STEP = np.dtype(
    [
        ("step", np.int64),
        ("shift", np.uint64),  # a first difference, near which the others lie
        ("mean", np.float64),  # of the first differences less the shift
        ("low", np.uint64),  # S in 128 bits
        ("high", np.int64),
    ],
    align=True,
)


@kernel
def fold(
    time: NDArray[np.int64],
    average: int,
    state: NDArray[Any],
    ring: NDArray[np.uint64],
    steps: NDArray[Any],
    squares: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """Take in the next time stamps of the signal."""
    s = state[0]
    for i in range(len(time)):
        s.total += np.uint64(time[i])
        s.filled += 1
        if s.filled == average:
            _sample(s, s.total, ring, steps, squares, counts)
            s.total = np.uint64(0)
            s.filled = 0


@kernel
def _sample(
    s: Any,
    x: np.uint64,
    ring: NDArray[np.uint64],
    steps: NDArray[Any],
    squares: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    k, size = s.count, len(ring)
    ring[k % size] = x
    s.count = k + 1
    if k > 0:
        s.span += np.float64(np.int64(x - ring[(k - 1) % size]))
        s.spans += 1
    for j in range(len(steps)):
        c = steps[j]
        m = c.step
        if k < m:
            continue
        x1 = ring[(k - m) % size]
        _deviate(c, x - x1, j, squares, counts)
        if k < 2 * m:
            continue
        x2 = ring[(k - 2 * m) % size]
        second = np.int64(x - x1 - x1 + x2)
        _add(squares, counts, ADEV, j, np.float64(second))
        if k < 3 * m:
            _accumulate(c, second)
        else:
            third = second - np.int64(x1 - x2 - x2 + ring[(k - 3 * m) % size])
            _add(squares, counts, HDEV, j, np.float64(third))
            _accumulate(c, third)
        if k >= 3 * m - 1:
            _add(squares, counts, MDEV, j, _as_float(c))


@kernel
def _add(squares: NDArray[np.float64], counts: NDArray[np.int64], row: int, j: int, value: float) -> None:
    squares[row, j] += value * value
    counts[row, j] += 1


@kernel
def _deviate(c: Any, d: np.uint64, j: int, squares: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    """Mean and sum of squared deviations of the first differences (B. P. Welford, Technometrics 4, 419 (1962))."""
    if counts[STDD, j] == 0:
        c.shift = d
    counts[STDD, j] += 1
    value = np.float64(np.int64(d - c.shift))
    before = value - c.mean
    c.mean += before / counts[STDD, j]
    squares[STDD, j] += before * (value - c.mean)


@kernel
def _accumulate(c: Any, value: np.int64) -> None:
    """Add to S, in 128 bits: it can be as large as m times a difference."""
    low = c.low + np.uint64(value)
    c.high += (1 if low < c.low else 0) - (1 if value < 0 else 0)
    c.low = low


@kernel
def _as_float(c: Any) -> float:
    low = np.int64(c.low)
    if c.high == (-1 if low < 0 else 0):
        return float(low)
    return float(c.high) * 2.0**64 + float(c.low)
