"""The estimate of the clock: a fit to its first tags, then a loop that follows them edge by edge.

The loop is the fading-memory filter of first degree (N. Morrison, Introduction to Sequential Smoothing and Prediction,
1969; E. Brookner, Tracking and Kalman Filtering Made Easy, 1998, ch. 1.2.6), a critically damped loop of type 2: a
constant frequency leaves no phase error, and the predicted edge has 1.25 / N of the variance of a clock tag.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tagwire.engine.clock_layout import ARMED
from tagwire.kernel import kernel

WINDOW = 0.25
"""How far from its expected place a clock tag may come, in periods."""

PULL_IN = 0.05
"""Largest deviation of the frequency from the one given when the lock is found."""


@kernel
def acquire(c: Any, t: int) -> None:
    """Take a clock tag into the fit; when it is complete and regular, wait for the next edge."""
    gap = float(t - c.last)
    if c.count > 0 and abs(gap - c.nominal) > WINDOW * c.nominal:
        c.errors += 1
        c.measured = gap
        c.count = 0
    if c.count == 0:
        c.first = t
        c.sum_y = c.sum_iy = c.sum_yy = 0.0
    y = float(t - c.first) - c.count * c.nominal
    c.sum_y += y
    c.sum_iy += c.count * y
    c.sum_yy += y * y
    c.last = t
    c.count += 1
    if c.count == c.need:
        _arm(c)


@kernel
def _arm(c: Any) -> None:
    n = float(c.count)
    c.count = 0
    sum_i, sum_ii = n * (n - 1) / 2, n * (n - 1) * (2 * n - 1) / 6
    spread = sum_ii - sum_i * sum_i / n
    slope = (c.sum_iy - sum_i * c.sum_y / n) / spread
    c.measured = c.nominal + slope
    if abs(slope) > PULL_IN * c.nominal:
        c.errors += 1
        return
    residual = c.sum_yy - c.sum_y * c.sum_y / n - slope * slope * spread
    c.mean_square = max(0.0, residual) / (n - 2)
    c.period = c.nominal + slope
    c.edge = c.first
    c.part = (c.sum_y - slope * sum_i) / n + n * c.period
    carry(c)
    c.tick = -(-(c.limit + c.offset) // c.clock_period) * c.clock_period
    c.mode = ARMED


@kernel
def turn(c: Any, error: float) -> None:
    """Begin the segment of a clock tag that came `error` ps after its edge."""
    jitter = error * (c.advance / c.period)
    c.mean_square += c.weight * (jitter * jitter - c.mean_square)
    c.period += c.beta * error
    step = c.period + c.alpha * error
    c.old_edge, c.old_part, c.old_tick, c.old_scale = c.seg_edge, c.seg_part, c.seg_tick, c.scale
    c.seg_edge, c.seg_part, c.seg_tick, c.seg_limit = c.edge, c.part, c.tick, c.limit
    c.scale = c.advance / step
    c.part += step
    c.tick += c.advance
    carry(c)


@kernel
def carry(c: Any) -> None:
    """Bring the fraction of the next edge into [0, 1), and tell what follows from the edge."""
    whole = np.floor(c.part)
    c.edge += np.int64(whole)
    c.part -= whole
    c.limit = c.edge + (1 if c.part > 0 else 0)
    c.deadline = c.edge + np.int64(np.floor(c.part + WINDOW * c.period))
