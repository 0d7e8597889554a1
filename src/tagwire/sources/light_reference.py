"""Signals that many instruments share: a clock, or a pulse at each second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import real
from tagwire.kernel import kernel
from tagwire.sources.draws import generator, uniform
from tagwire.sources.grid import PS_PER_S, derive
from tagwire.sources.light import MAX_RATE, Clicks, periodic

_MISSING = 41


@dataclass(frozen=True)
class ReferenceSignal:
    """Pulses at the multiples of a period of laboratory time, the same wherever they arrive.

    Parameters
    ----------
    frequency
        Frequency in Hz, from 1 to 1e9; 1 Hz makes a pulse at each second.
    missing
        Probability that a pulse does not arrive at an input, from 0 to 1, by chance and independent between inputs.
    """

    frequency: float = 10e6
    missing: float = 0.0

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "frequency", real(self.frequency, "frequency", 1.0, MAX_RATE))
        object.__setattr__(self, "missing", real(self.missing, "missing", 0.0, 1.0))

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """None: always 0."""
        return (0,) * len(channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Pulses within a cell, see `Light.clicks`."""
        pulses = periodic(cell, PS_PER_S / Fraction(self.frequency))
        if not self.missing:
            return [pulses] * len(channels)
        return [
            pulses[_arrive(generator(derive(seed, _MISSING, c, cell)), len(pulses), self.missing)] for c in channels
        ]


@kernel
def _arrive(state: NDArray[np.uint64], count: int, missing: float) -> NDArray[np.bool_]:
    out = np.empty(count, np.bool_)
    for i in range(count):
        out[i] = uniform(state) > missing
    return out
