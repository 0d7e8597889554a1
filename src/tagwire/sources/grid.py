"""The time grid of the simulation: randomness belongs to a cell of stream time, never to how the stream is pulled."""

from __future__ import annotations

from fractions import Fraction

PS_PER_S = 10**12

CELL = 10**10
"""Length of a cell in ps; cell ``k`` begins at ``k * CELL``."""

MARGIN = 10**7
"""How long before its cell a click may come, in ps."""

REACH = CELL - MARGIN
"""How long after the end of its cell a click may come, in ps."""

_MASK = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15


def derive(*words: int) -> int:
    """A 64-bit seed from whole numbers; similar numbers give unrelated seeds.

    Chains the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    """
    state = 0
    for word in words:
        state = (state ^ (word & _MASK)) + _GAMMA & _MASK
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def pulse_train(begin: int, end: int, period: Fraction) -> tuple[float, int]:
    """Pulses at the multiples of `period` within ``[begin, end)``.

    Returns
    -------
    tuple
        Time of the first one after `begin` in ps, and how many there are. The train is exact over any stream time,
        because it is anchored anew wherever it is asked for.
    """
    first = -(-begin // period)
    count = -(-end // period) - first
    return float(first * period - begin), int(count)
