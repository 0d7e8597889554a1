"""Clocks of simulated instruments that are not perfect, and the laboratory time that they should show.

All instruments stand in one world, whose time is the *laboratory time*, in ps. What an instrument calls a ps is up to
its own clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from tagwire.core.arguments import integer, real
from tagwire.core.tags import Int64Array
from tagwire.sources.draws import gaussian, generator
from tagwire.sources.grid import PS_PER_S, derive

NODE = PS_PER_S // 10
"""Laboratory time in ps between two changes of a clock's frequency."""

START_MAX = 10**18
"""Largest laboratory time in ps at which a clock can begin."""

FREQUENCY_ERROR_MAX = 1e-3
RANDOM_WALK_MAX = 1e5

_LEVELS = 40
_WALK = 31


@dataclass(frozen=True)
class LabClock:
    """The clock of an instrument.

    Parameters
    ----------
    frequency_error
        By how much the clock is too fast, relative to its frequency, within ±1e-3.
    random_walk
        Rms of what the clock gains or loses by chance within 1 s, in ps, from 0 to 100,000: 10¹² times its Allan
        deviation at 1 s.
    start
        Laboratory time in ps at which the clock begins to count, from 0 to 10**18.
    seed
        Selects the random walk.

    Notes
    -----
    The time that the clock has gained is the sum of a part that grows steadily and a Wiener process (white noise of the
    frequency: its Allan deviation falls with the square root of the time; Riley, Handbook of Frequency Stability
    Analysis, NIST SP 1065, ch. 3). Within each tenth of a second of laboratory time the frequency is constant.
    """

    frequency_error: float = 0.0
    random_walk: float = 0.0
    start: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        limit = FREQUENCY_ERROR_MAX
        object.__setattr__(self, "frequency_error", real(self.frequency_error, "frequency_error", -limit, limit))
        object.__setattr__(self, "random_walk", real(self.random_walk, "random_walk", 0.0, RANDOM_WALK_MAX))
        object.__setattr__(self, "start", integer(self.start, "start", 0, START_MAX))
        object.__setattr__(self, "seed", integer(self.seed, "seed"))

    def gained(self, node: int) -> int:
        """What the clock has gained, in ps, `node` tenths of a second after it began."""
        steady = round(Fraction(self.frequency_error) * node * NODE)
        if not self.random_walk:
            return steady
        return steady + round(self.random_walk * math.sqrt(NODE / PS_PER_S) * wiener(self.seed, node))


class Timebase:
    """Times of an instrument's clock, and the laboratory times that belong to them.

    Parameters
    ----------
    clock
        The clock.
    origin
        What it shows when it begins, in ps.
    """

    def __init__(self, clock: LabClock, origin: int) -> None:
        self.clock, self.origin = clock, origin

    def stamps(self, times: Int64Array) -> Int64Array:
        """What the clock shows at sorted laboratory times, none of them before it began."""
        if not len(times):
            return times
        first, last = self._node(int(times[0])), self._node(int(times[-1]))
        edges = [self._edge(node)[0] for node in range(first + 1, last + 1)]
        parts = np.split(times, np.searchsorted(times, edges))
        return np.concatenate([self._within(node, part) for node, part in enumerate(parts, first)])

    def stamp(self, time: int) -> int:
        """What the clock shows at a laboratory time."""
        return int(self.stamps(np.array([time]))[0])

    def time(self, stamp: int) -> int:
        """The first laboratory time at which the clock shows `stamp` or more."""
        node = max(0, int((stamp - self.origin) / (1 + self.clock.frequency_error)) // NODE)
        while node and self._edge(node)[1] >= stamp:
            node -= 1
        while self._edge(node + 1)[1] < stamp:
            node += 1
        begin, shown = self._edge(node)
        time = max(begin, begin + int((stamp - shown) / (1 + self._slope(node))) - 2)
        while self.stamp(time) < stamp:
            time += 1
        return time

    def _node(self, time: int) -> int:
        return (time - self.clock.start) // NODE

    def _edge(self, node: int) -> tuple[int, int]:
        """Laboratory time of a node, and what the clock shows then."""
        passed = node * NODE
        return self.clock.start + passed, self.origin + passed + self.clock.gained(node)

    def _slope(self, node: int) -> float:
        """Relative error of the frequency behind a node."""
        return (self.clock.gained(node + 1) - self.clock.gained(node)) / NODE

    def _within(self, node: int, times: Int64Array) -> Int64Array:
        begin, shown = self._edge(node)
        passed = times - begin
        gained: Int64Array = np.floor(passed * self._slope(node) + 0.5).astype(np.int64)
        return shown + passed + gained


@lru_cache(maxsize=1_024)
def wiener(seed: int, step: int) -> float:
    """A random walk with steps of variance 1, after so many steps from 0 on; at most 2**40.

    The end of the walk is drawn, then its middle given both ends, and so on into the half where the step is (Lévy's
    construction of Brownian motion), so that any place is found without the walk that leads there.
    """
    begin, size = 0, 1 << _LEVELS
    low, high = 0.0, math.sqrt(size) * _normal(derive(seed, _WALK, size))
    while step != begin:
        if step == begin + size:
            return high
        size //= 2
        middle = (low + high) / 2 + math.sqrt(size / 2) * _normal(derive(seed, _WALK, begin + size))
        if step < begin + size:
            high = middle
        else:
            begin, low = begin + size, middle
    return low


def _normal(seed: int) -> float:
    return gaussian(generator(seed))
