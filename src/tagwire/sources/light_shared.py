"""Light that falls on the detectors of several instruments: each simulates its part of the same photons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tagwire.core.arguments import integer
from tagwire.errors import ArgumentError
from tagwire.sources.light import Clicks, Light


@dataclass(frozen=True)
class SharedLight:
    """Some outputs of a light whose others are elsewhere.

    Parameters
    ----------
    light
        All of it. Every instrument that sees a part of it must be told the same.
    detectors
        How many outputs it has, everywhere together.
    places
        Which of them are here, from 0; one for each channel.
    seed
        Selects the random numbers of the light, instead of the seed of the simulation.

    Notes
    -----
    A light depends on its seed and on laboratory time alone, so two instruments that simulate it with the same seed
    have photons at the same laboratory times; each stamps them with its own clock.
    """

    light: Light
    detectors: int
    places: tuple[int, ...]
    seed: int = 0

    memoryless: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", integer(self.seed, "seed"))
        object.__setattr__(self, "detectors", integer(self.detectors, "detectors", 1))
        for place in self.places:
            integer(place, "place", 0, self.detectors - 1)

    @property
    def _all(self) -> tuple[int, ...]:
        return tuple(range(1, self.detectors + 1))

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        if len(channels) != len(self.places):
            raise ArgumentError(f"channels is {list(channels)}, but there is light for {len(self.places)} here")
        self.light.outputs(self._all)
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """Those of the detectors here."""
        everywhere = self.light.dead_times(self._all)
        return tuple(everywhere[place] for place in self.places)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """Clicks of the detectors here within a cell, see `Light.clicks`."""
        asked = {place for place, use in zip(self.places, needed, strict=True) if use}
        everywhere = self.light.clicks(self.seed, cell, self._all, [i in asked for i in range(self.detectors)])
        return [everywhere[place] for place in self.places]
