"""Gaussian processes that forget exponentially, at any stretch of stream time without what came before.

An Ornstein-Uhlenbeck process of variance 1 has the correlation ``exp(-tau / relaxation)`` (Uhlenbeck and Ornstein,
Phys. Rev. 36, 823 (1930)). Its values at the edges of the time grid's cells are a weighted sum of noise that belongs to
the cells before, cut off where it does not matter any more; within a cell it is a bridge between the two edges.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel
from tagwire.sources.draws import gaussian, generator
from tagwire.sources.grid import CELL, derive

FORGOTTEN = 16.0
"""Relaxation times after which noise does not matter: ``exp(-16)`` is about 1e-7."""

Values = NDArray[np.float64]


def edge(key: int, cell: int, size: int, relaxation: float) -> Values:
    """Values of `size` independent processes at the begin of a cell.

    Parameters
    ----------
    key
        Seed of the processes.
    cell
        Number of the cell.
    size
        How many processes.
    relaxation
        Relaxation time in ps.
    """
    terms = 1 + math.ceil(FORGOTTEN * relaxation / CELL)
    kept = math.exp(-CELL / relaxation)
    weights = kept ** np.arange(terms)
    noise = np.stack([_kicks(key, cell - i, size) for i in range(terms)])
    weighted: Values = weights @ noise / math.sqrt(float(weights @ weights))
    return weighted


@lru_cache(maxsize=4_096)
def _kicks(key: int, cell: int, size: int) -> Values:
    """Noise that belongs to a cell."""
    return _noise(generator(derive(key, cell)), size)


@kernel
def _noise(state: NDArray[np.uint64], size: int) -> Values:
    out = np.empty(size)
    for i in range(size):
        out[i] = gaussian(state)
    return out


@kernel
def bridge(span: float, rest: float) -> tuple[float, float, float]:
    """How a process goes on, `span` relaxation times from here and `rest` of them before a known value.

    Returns
    -------
    tuple
        Weight of the present value, weight of the known one, and standard deviation around their sum.
    """
    spread = -math.expm1(-2.0 * span)
    kept = math.exp(-span)
    if rest > 20.0:
        return kept, 0.0, math.sqrt(spread)
    ahead = -math.expm1(-2.0 * rest)
    pull = math.exp(-rest)
    norm = ahead + pull * pull * spread
    if norm <= 0.0:
        return 0.0, 1.0, 0.0
    return kept * ahead / norm, pull * spread / norm, math.sqrt(spread * ahead / norm)
