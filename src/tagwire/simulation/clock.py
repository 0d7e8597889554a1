"""Stream time in whole ps and the fraction left over, so that sums of distances stay exact for ever."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TIME_MAX
from tagwire.kernel import kernel

NEVER = TIME_MAX
"""Time of what does not come any more."""

_FAR = 2.0**62


class Clock(NamedTuple):
    """A point of stream time that a kernel moves on."""

    ps: NDArray[np.int64]
    """Whole ps, one element."""
    fraction: NDArray[np.float64]
    """The rest in ps, one element within [0, 1)."""


def clock_at(time: int) -> Clock:
    """A clock that shows `time` ps."""
    return Clock(np.array([time], np.int64), np.zeros(1))


@kernel
def move(ps: NDArray[np.int64], fraction: NDArray[np.float64], step: float) -> None:
    """Move a clock on by `step` ps, at least 0; what would lie behind all stream time comes `NEVER`."""
    total = fraction[0] + step
    whole = math.floor(total) if total < _FAR else _FAR
    if whole >= _FAR or ps[0] > NEVER - int(whole):
        ps[0], fraction[0] = NEVER, 0.0
    else:
        ps[0] += int(whole)
        fraction[0] = total - whole


@kernel
def doubled(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """A copy with twice the room."""
    grown = np.empty(2 * len(times), np.int64)
    grown[: len(times)] = times
    return grown
