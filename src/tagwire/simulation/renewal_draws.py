"""Random distances, many at a time, and the tags that they make."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel
from tagwire.simulation.clock import move
from tagwire.sources.draws import exponential, gaussian, uniform


@kernel
def _gamma(shape: float, random: NDArray[np.uint64]) -> float:
    """Gamma distributed, scale 1."""
    boost = 1.0
    if shape < 1.0:
        boost = uniform(random) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = gaussian(random)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(uniform(random)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return boost * d * v


@kernel
def exponentials(mean: float, random: NDArray[np.uint64], count: int) -> NDArray[np.float64]:
    """Exponential numbers."""
    out = np.empty(count)
    for i in range(count):
        out[i] = mean * exponential(random)
    return out


@kernel
def gammas(shape: float, scale: float, random: NDArray[np.uint64], count: int) -> NDArray[np.float64]:
    """Gamma distributed numbers."""
    out = np.empty(count)
    for i in range(count):
        out[i] = scale * _gamma(shape, random)
    return out


@kernel
def gaussians(mean: float, width: float, random: NDArray[np.uint64], count: int) -> NDArray[np.float64]:
    """Gaussian numbers that are not negative."""
    out = np.empty(count)
    for i in range(count):
        out[i] = -1.0
        while out[i] < 0.0:
            out[i] = mean + width * gaussian(random)
    return out


@kernel
def uniforms(random: NDArray[np.uint64], count: int) -> NDArray[np.float64]:
    """Numbers from 0 to 1."""
    out = np.empty(count)
    for i in range(count):
        out[i] = uniform(random)
    return out


@kernel
def laid(
    distances: NDArray[np.float64], ps: NDArray[np.int64], fraction: NDArray[np.float64], end: int
) -> NDArray[np.int64]:
    """Tags before `end`, as long as there are distances; the clock shows the next tag."""
    out = np.empty(len(distances), np.int64)
    n = 0
    while n < len(distances) and ps[0] < end:
        out[n] = ps[0]
        move(ps, fraction, distances[n])
        n += 1
    return out[:n]
