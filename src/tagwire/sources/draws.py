"""Random numbers inside kernels: SplitMix64, and ziggurats for Gaussian and exponential ones.

A generator is an array of one uint64. The ziggurats are those of Marsaglia and Tsang (J. Stat. Softw. 5, 8 (2000)) in
the form of Doornik (An Improved Ziggurat Method to Generate Normal Random Samples, 2005), which has no correlation
between the layer and the value.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
ONE, _LAYER, BYTE = np.uint64(1), np.uint64(127), np.uint64(255)
_UNIT = 2.0**-53

_TAIL = 3.442619855899
_AREA = 9.91256303526217e-3


def _edges() -> NDArray[np.float64]:
    """Right edges of the 128 layers of equal area under ``exp(-x² / 2)``."""
    edges = np.zeros(129)
    height = math.exp(-0.5 * _TAIL * _TAIL)
    edges[0], edges[1] = _AREA / height, _TAIL
    for i in range(2, 128):
        edges[i] = math.sqrt(-2.0 * math.log(_AREA / edges[i - 1] + height))
        height = math.exp(-0.5 * edges[i] * edges[i])
    return edges


_EDGES = _edges()
_INSIDE = _EDGES[1:] / _EDGES[:-1]

_LONG = 7.69711747013104972
_LAYER_AREA = 3.9496598225815571993e-3


def _exponential_edges() -> NDArray[np.float64]:
    """Right edges of the 256 layers of equal area under ``exp(-x)``."""
    edges = np.zeros(257)
    edges[0], edges[1] = _LAYER_AREA / math.exp(-_LONG), _LONG
    for i in range(2, 256):
        edges[i] = -math.log(_LAYER_AREA / edges[i - 1] + math.exp(-edges[i - 1]))
    return edges


LAYER_EDGES = _exponential_edges()
LAYER_UNITS = LAYER_EDGES * _UNIT


def generator(seed: int) -> NDArray[np.uint64]:
    """A generator of its own for a seed from `tagwire.sources.grid.derive`."""
    return np.array([seed], np.uint64)


@kernel
def draw(state: NDArray[np.uint64]) -> np.uint64:
    """64 random bits."""
    state[0] += GAMMA
    return mixed(state[0])


@kernel
def mixed(z: np.uint64) -> np.uint64:
    """The 64 random bits of one state of the generator."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def uniform(state: NDArray[np.uint64]) -> float:
    """Uniform in (0, 1]."""
    return float(np.int64((draw(state) >> S11) + ONE)) * _UNIT


@kernel
def exponential(state: NDArray[np.uint64]) -> float:
    """Exponential with mean 1; at most about 44.4."""
    bits = draw(state)
    layer = bits & BYTE
    x = float(np.int64(bits >> S11)) * LAYER_UNITS[layer]
    return x if x < LAYER_EDGES[layer + ONE] else exponential_edge(state, layer, x)


@kernel
def exponential_edge(state: NDArray[np.uint64], layer: np.uint64, x: float) -> float:
    """The seldom rest of `exponential`: the tail, and where a layer sticks out of the curve."""
    while True:
        if layer == 0:
            return _LONG - math.log(uniform(state))
        low, high = math.exp(-LAYER_EDGES[layer]), math.exp(-LAYER_EDGES[layer + ONE])
        if low + uniform(state) * (high - low) < math.exp(-x):
            return x
        bits = draw(state)
        layer = bits & BYTE
        x = float(np.int64(bits >> S11)) * LAYER_UNITS[layer]
        if x < LAYER_EDGES[layer + ONE]:
            return x


@kernel
def gaussian(state: NDArray[np.uint64]) -> float:
    """Gaussian with mean 0 and variance 1; at most about 15."""
    while True:
        bits = draw(state)
        layer = int(bits & _LAYER)
        u = 2.0 * (float(np.int64(bits >> S11)) * _UNIT) - 1.0
        if abs(u) < _INSIDE[layer]:
            return float(u * _EDGES[layer])
        if layer == 0:
            tail = _tail(state)
            return tail if u > 0 else -tail
        x = u * _EDGES[layer]
        outer = math.exp(-0.5 * (_EDGES[layer] * _EDGES[layer] - x * x))
        inner = math.exp(-0.5 * (_EDGES[layer + 1] * _EDGES[layer + 1] - x * x))
        if inner + uniform(state) * (outer - inner) < 1.0:
            return float(x)


@kernel
def _tail(state: NDArray[np.uint64]) -> float:
    """A Gaussian number above `_TAIL`."""
    while True:
        x = exponential(state) / _TAIL
        if 2.0 * exponential(state) >= x * x:
            return _TAIL + x
