"""Kernels of the simulation: clicks, dead time, jitter, and the weaving of channels into one stream. Times in ps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel
from tagwire.sources.draws import (
    BYTE,
    GAMMA,
    LAYER_EDGES,
    LAYER_UNITS,
    ONE,
    S11,
    exponential,
    exponential_edge,
    gaussian,
    mixed,
    uniform,
)

Times = NDArray[np.int64]
Channels = NDArray[np.int32]
State = NDArray[np.uint64]


@kernel
def poisson(state: State, begin: int, length: int, rate: float) -> Times:
    """Times of a Poisson process of `rate` per ps within ``[begin, begin + length)``."""
    mean = rate * length
    out = np.empty(int(mean + 10.0 * math.sqrt(mean)) + 32, np.int64)
    if rate <= 0.0:
        return out[:0]
    scale = 1.0 / rate
    # `exponential`, with the generator in a register: this loop makes most tags of most simulations.
    word = state[0]
    n, size = np.uint64(0), np.uint64(len(out))
    t = 0.0
    while True:
        word += GAMMA
        bits = mixed(word)
        layer = bits & BYTE
        x = float(np.int64(bits >> S11)) * LAYER_UNITS[layer]
        if x >= LAYER_EDGES[layer + ONE]:
            state[0] = word
            x = exponential_edge(state, layer, x)
            word = state[0]
        t += x * scale
        if t >= length:
            break
        if n == size:
            out = np.concatenate((out, np.empty_like(out)))
            size = np.uint64(len(out))
        out[n] = begin + int(t)
        n += ONE
    state[0] = word
    return out[:n]


@kernel
def emit(
    state: State,
    begin: int,
    first: float,
    period: float,
    count: int,
    weights: NDArray[np.float64],
    shares: NDArray[np.float64],
    delays: NDArray[np.float64],
    lifetime: float,
    jitter: float,
) -> tuple[Times, Channels]:
    """Detected photons of `count` excitation pulses, in order of the pulses.

    Parameters
    ----------
    weights
        Probability of a pulse to give a click by its first photon only, by its second only, and by both.
    shares
        Cumulative share of each detector in the detected photons; the last one is 1.

    Returns
    -------
    tuple
        Times, and the detector of each.
    """
    any_click = weights[0] + weights[1] + weights[2]
    size = int(2.0 * (any_click * count + 10.0 * math.sqrt(any_click * count))) + 64
    times, places = np.empty(size, np.int64), np.empty(size, np.int32)
    n = 0
    i = -1.0
    skip = 0.0 if any_click >= 1.0 else -1.0 / math.log1p(-max(any_click, 1e-300))
    while any_click > 0.0:
        i += 1.0 + math.floor(exponential(state) * skip)
        if i >= count or n + 2 > size:
            break
        kind = uniform(state) * any_click
        for _ in range(2 if kind > weights[0] + weights[1] else 1):
            place = 0
            u = uniform(state)
            while u > shares[place]:
                place += 1
            t = first + i * period + delays[place] + lifetime * exponential(state) + jitter * gaussian(state)
            times[n] = begin + math.floor(t + 0.5)
            places[n] = place
            n += 1
    return times[:n], places[:n]


@kernel
def settle(times: Times) -> Times:
    """Nearly sorted times, sorted; takes a step for each place by which one is too late."""
    out = np.empty_like(times)
    for i in range(len(times)):
        t = times[i]
        k = i
        while k > 0 and out[k - 1] > t:
            out[k] = out[k - 1]
            k -= 1
        out[k] = t
    return out


@kernel
def merged(left: Times, right: Times) -> Times:
    """Two sorted arrays as one."""
    if len(left) == 0:
        return right
    if len(right) == 0:
        return left
    if left[-1] <= right[0]:
        return np.concatenate((left, right))
    out = np.empty(len(left) + len(right), np.int64)
    i = 0
    k = 0
    for n in range(len(out)):
        if k == len(right) or (i < len(left) and left[i] <= right[k]):
            out[n] = left[i]
            i += 1
        else:
            out[n] = right[k]
            k += 1
    return out


@kernel
def blind(times: Times, last: int, dead_time: int) -> Times:
    """What a detector of non-paralysable dead time lets through; `last` is its latest click before."""
    out = np.empty_like(times)
    n = 0
    for t in times:
        if t - last >= dead_time:
            out[n] = t
            n += 1
            last = t
    return out[:n]


@kernel
def smear(state: State, times: Times, shift: int, rms: float) -> Times:
    """Sorted `times` after a shift and Gaussian jitter, sorted again."""
    out = np.empty_like(times)
    for i in range(len(times)):
        out[i] = times[i] + shift + math.floor(rms * gaussian(state) + 0.5)
    return settle(out)


@kernel
def weave(left: Times, left_channel: Channels, right: Times, right_channel: Channels) -> tuple[Times, Channels]:
    """Two sorted streams as one; at equal times the left one comes first."""
    size = len(left) + len(right)
    times, channels = np.empty(size, np.int64), np.empty(size, np.int32)
    i = 0
    k = 0
    while i < len(left) and k < len(right):
        # Which stream is next is chance, so selecting beats branching.
        later = right[k] < left[i]
        times[i + k] = right[k] if later else left[i]
        channels[i + k] = right_channel[k] if later else left_channel[i]
        step = int(later)
        k += step
        i += 1 - step
    times[i + k : i + len(right)], channels[i + k : i + len(right)] = right[k:], right_channel[k:]
    times[i + len(right) :], channels[i + len(right) :] = left[i:], left_channel[i:]
    return times, channels
