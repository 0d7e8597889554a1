"""Where the random numbers of a simulation begin."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, integer
from tagwire.sources.draws import generator
from tagwire.sources.grid import derive

FROM_TIME = -1
"""Seed that stands for another one every time."""

_drawn = itertools.count()


class Seed:
    """Start of the random numbers of one simulation.

    Parameters
    ----------
    value
        32-bit number; equal ones give equal tags. -1 takes the present time, so that no two simulations are alike.

    Attributes
    ----------
    value : int
        The number as it was given.
    """

    def __init__(self, value: Any) -> None:
        self.value = integer(value, "seed", -(2**31), INT32_MAX)
        self._words = (time.time_ns(), next(_drawn)) if self.value == FROM_TIME else (self.value,)

    def generator(self, purpose: int = 0) -> NDArray[np.uint64]:
        """A fresh generator, the same every time; those of other purposes are independent."""
        return generator(derive(*self._words, purpose))

    def child(self, purpose: int) -> int:
        """A seed for a part of the simulation."""
        return derive(*self._words, purpose) & INT32_MAX
