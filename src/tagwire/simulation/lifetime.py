"""Fluorescence that an event excites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import boolean, real
from tagwire.core.tags import TagBlock
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.kernel import kernel
from tagwire.simulation.clock import doubled
from tagwire.simulation.generator import PS_PER_S
from tagwire.simulation.numbers import reals
from tagwire.simulation.seeds import FROM_TIME, Seed
from tagwire.sources.draws import exponential

LONGEST = 1e3
"""Longest lifetime in s."""

BRIGHTEST = 1e3
"""Largest mean number of photons of one excitation."""

_LIFETIME, _EMISSION = 0, 1


@dataclass(frozen=True)
class _Reactor:
    """What a trigger channel sets, one value after the other."""

    channel: int
    what: int
    values: tuple[float, ...]
    repeat: bool


class SimLifetime(VirtualChannelBase):
    """Photons that follow the events of a channel after exponentially distributed times.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel whose events excite, a laser's sync for instance; it stays as it is.
    lifetime
        Mean time from the excitation to a photon in s, from 0 to 1000.
    emission_rate
        Mean number of photons of one excitation, from 0 to 1000; the numbers have a Poisson distribution.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    An event on a channel that both excites and triggers a reactor acts with the values before it. When the simulation
    is cleared, lifetime, emission and the reactors' lists begin anew. Photons that are due after the end of a capture
    still come. Only time tags excite and trigger; missed events and tags of other types change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        lifetime: float,
        emission_rate: float = 0.1,
        seed: int = FROM_TIME,
    ) -> None:
        number = require_tagger(tagger)._channel(input_channel, "input_channel")
        self._initial = real(lifetime, "lifetime", 0.0, LONGEST), real(emission_rate, "emission_rate", 0.0, BRIGHTEST)
        self._seed = Seed(seed)
        self._random = self._seed.generator()
        params = {"input_channel": number, "lifetime": self._initial[0], "emission_rate": self._initial[1]}
        super().__init__(tagger, (number,), params, 1)
        self._exciting = number
        self._reactors: list[_Reactor] = []
        self._values: NDArray[np.float64] = np.zeros(2)
        self._places: NDArray[np.int64] = np.zeros(0, np.int64)
        self._launch()

    def getChannel(self) -> int:
        """Number of the channel with the photons."""
        return self._outputs[0]

    def registerLifetimeReactor(self, trigger_channel: int, lifetimes: Sequence[float], repeat: bool) -> None:
        """Let events change the lifetime.

        Parameters
        ----------
        trigger_channel
            Each of its events sets the next lifetime of the list.
        lifetimes
            Lifetimes in s, from 0 to 1000.
        repeat
            Whether to begin anew behind the last one; else that stays.
        """
        self._register(trigger_channel, _LIFETIME, reals(lifetimes, "lifetimes", 0.0, LONGEST), repeat)

    def registerEmissionReactor(self, trigger_channel: int, emissions: Sequence[float], repeat: bool) -> None:
        """Let events change how many photons an excitation gives.

        Parameters
        ----------
        trigger_channel
            Each of its events sets the next value of the list.
        emissions
            Mean numbers of photons, from 0 to 1000.
        repeat
            Whether to begin anew behind the last one; else that stays.
        """
        self._register(trigger_channel, _EMISSION, reals(emissions, "emissions", 0.0, BRIGHTEST), repeat)

    def _register(self, channel: int, what: int, values: list[float], repeat: bool) -> None:
        number = self._tagger._channel(channel, "trigger_channel")
        reactor = _Reactor(number, what, tuple(values), boolean(repeat, "repeat"))
        self._hub.command(lambda now: self._add(reactor))

    def _add(self, reactor: _Reactor) -> None:
        with self._lock:
            self._reactors.append(reactor)
            self._places = np.append(self._places, 0)
            self._inputs = tuple(dict.fromkeys((*self._inputs, reactor.channel)))

    def _reset(self) -> None:
        self._random = self._seed.generator()
        self._values[:] = self._initial
        self._places[:] = 0

    def _generate(self, block: TagBlock) -> TagBlock | None:
        channels = np.array([r.channel for r in self._reactors], np.int32)
        settings = np.array([(r.what, len(r.values), r.repeat) for r in self._reactors], np.int64).reshape(-1, 3)
        lists = np.zeros((len(self._reactors), max((len(r.values) for r in self._reactors), default=0)))
        for row, reactor in zip(lists, self._reactors, strict=True):
            row[: len(reactor.values)] = reactor.values
        times = _excite(
            block.time, block.channel, block.types, self._exciting, channels, settings, lists,
            self._places, self._values, self._random,
        )  # fmt: skip
        times.sort()
        return TagBlock(block.begin, block.end, times, np.full(len(times), self._outputs[0], np.int32))


@kernel
def _excite(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    exciting: int,
    triggers: NDArray[np.int32],
    settings: NDArray[np.int64],
    lists: NDArray[np.float64],
    places: NDArray[np.int64],
    values: NDArray[np.float64],
    random: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """Times of the photons, in order of their excitations.

    `settings` has a row for each reactor: what it sets, length of its list, whether it repeats; `places` says how far
    each list has come, and `values` are the present lifetime in s and the mean number of photons.
    """
    out = np.empty(64, np.int64)
    n = 0
    for i in range(len(time)):
        if kind[i] != 0:
            continue
        if channel[i] == exciting:
            left = values[1] - exponential(random)
            while left >= 0.0:
                if n == len(out):
                    out = doubled(out)
                out[n] = time[i] + int(values[0] * PS_PER_S * exponential(random))
                n += 1
                left -= exponential(random)
        for r in range(len(triggers)):
            if channel[i] == triggers[r]:
                values[settings[r, 0]] = lists[r, places[r]]
                if places[r] + 1 < settings[r, 1]:
                    places[r] += 1
                elif settings[r, 2]:
                    places[r] = 0
    return out[:n]
