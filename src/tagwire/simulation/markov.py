"""A chain of states with exponential dwell times, and tags at its transitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, integers
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.simulation.clock import NEVER, Clock, clock_at, doubled, move
from tagwire.simulation.generator import MAX_RATE, PS_PER_S
from tagwire.simulation.numbers import reals
from tagwire.simulation.seeds import FROM_TIME, Seed
from tagwire.sources.draws import exponential, uniform

MAX_STATES = 1_000


class MarkovProcessGenerator(VirtualChannelBase):
    """Tags at the transitions of a continuous-time Markov chain.

    Parameters
    ----------
    tagger
        Time Tagger object.
    num_states
        Number of states, from 1 to 1000.
    frequencies
        Rate in Hz of each transition, from 0 to 1e9: the one from state ``i`` to ``j`` at ``i * num_states + j``. Those
        with ``i == j`` mean nothing.
    ref_channels
        For each transition, in the same order, which of the channels gets a tag: 0 is the first; a negative number is
        none.
    base_channels
        Channels that get the tags on top of their own; `CHANNEL_UNUSED` among them makes a new one. When empty, as many
        new ones are made as `ref_channels` asks for.
    seed
        Selects the random numbers; -1 takes the present time.

    Raises
    ------
    ArgumentError
        (ValueError) A list has the wrong length, or a reference has no channel.

    Notes
    -----
    The chain begins in state 0 at the start of the generator. It stays in a state for an exponential time whose mean is
    the inverse of all rates out of it together, and goes each way with a probability in proportion to its rate
    (Gillespie, J. Phys. Chem. 81, 2340 (1977)). A state without a way out is kept for ever. Restarting and the tags of
    the stream are treated as by `SignalGeneratorBase`.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        num_states: int,
        frequencies: Sequence[float],
        ref_channels: Sequence[int],
        base_channels: Sequence[int] = (),
        seed: int = FROM_TIME,
    ) -> None:
        states = integer(num_states, "num_states", 1, MAX_STATES)
        rates = reals(frequencies, "frequencies", 0.0, MAX_RATE)
        places = integers(ref_channels, "ref_channels")
        for name, values in (("frequencies", rates), ("ref_channels", places)):
            if len(values) != states * states:
                raise ArgumentError(f"{name} has {len(values)} values, but must have {states} x {states}")
        given = enumerate(integers(base_channels, "base_channels"))
        bases = [require_tagger(tagger)._optional_channel(c, f"base_channels[{i}]") for i, c in given] or [
            CHANNEL_UNUSED
        ] * max(1, max(places) + 1)
        if max(places) >= len(bases):
            raise ArgumentError(f"ref_channels names {max(places)}, but there are {len(bases)} channels from 0 on")
        params = {"num_states": states, "frequencies": rates, "ref_channels": places}
        self._seed = Seed(seed)
        super().__init__(tagger, (), params, bases.count(CHANNEL_UNUSED))
        fresh = iter(self._outputs)
        self._channels = tuple(next(fresh) if c == CHANNEL_UNUSED else c for c in bases)
        self._rates: NDArray[np.float64] = np.array(rates).reshape(states, states) / PS_PER_S
        np.fill_diagonal(self._rates, 0.0)
        numbers = [self._channels[p] if p >= 0 else CHANNEL_UNUSED for p in places]
        self._tags: NDArray[np.int32] = np.array(numbers, np.int32).reshape(states, states)
        self._random = self._seed.generator()
        self._state: NDArray[np.int64] = np.zeros(2, np.int64)
        self._clock: Clock = clock_at(0)
        self._begun = False
        self._launch()

    def getChannel(self) -> int:
        """Number of the first channel."""
        return self._channels[0]

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the channels, in the order in which `ref_channels` counts them."""
        return self._channels

    def _reset(self) -> None:
        self._random = self._seed.generator()
        self._begun = False

    def _forget(self) -> None:
        self._begun = False

    def _generate(self, block: TagBlock) -> TagBlock | None:
        if not self._begun:
            self._begun = True
            self._state[:] = 0
            self._clock = clock_at(block.begin)
            _leave(self._rates, self._random, *self._clock, self._state)
        times, channels = _wander(self._rates, self._tags, self._random, *self._clock, self._state, block.end)
        return TagBlock(block.begin, block.end, times, channels)


@kernel
def _leave(
    rates: NDArray[np.float64],
    random: NDArray[np.uint64],
    ps: NDArray[np.int64],
    fraction: NDArray[np.float64],
    state: NDArray[np.int64],
) -> None:
    """Choose when and whereto the state ``state[0]`` is left; the clock shows when, ``state[1]`` whereto."""
    row = rates[state[0]]
    total = row.sum()
    if total <= 0.0:
        ps[0] = NEVER
        return
    move(ps, fraction, exponential(random) / total)
    left = uniform(random) * total
    for k in range(len(row)):
        if row[k] > 0.0:
            state[1] = k
            left -= row[k]
            if left <= 0.0:
                break


@kernel
def _wander(
    rates: NDArray[np.float64],
    tags: NDArray[np.int32],
    random: NDArray[np.uint64],
    ps: NDArray[np.int64],
    fraction: NDArray[np.float64],
    state: NDArray[np.int64],
    end: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Times and channels of the tags before `end`."""
    times = np.empty(64, np.int64)
    channels = np.empty(64, np.int32)
    n = 0
    while ps[0] < end:
        number = tags[state[0], state[1]]
        if number != CHANNEL_UNUSED:
            if n == len(times):
                times = doubled(times)
                channels = np.concatenate((channels, channels))
            times[n], channels[n] = ps[0], number
            n += 1
        state[0] = state[1]
        _leave(rates, random, ps, fraction, state)
    return times[:n], channels[:n]
