"""Base of signals that come from nowhere: tags that no input causes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.abstract import for_subclasses
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int64Array, TagBlock
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.simulation.seeds import Seed

MAX_RATE = 1e9
"""Largest rate of a simulated signal in Hz."""

PS_PER_S = 1e12


class SignalGeneratorBase(VirtualChannelBase):
    """Base of simulated signals; not created by itself.

    Notes
    -----
    A signal begins when the generator starts, and a generator that is stopped and started begins anew, with the random
    numbers that follow. `clear` also begins the random numbers anew. Tags are a function of the seed, the parameters
    and the stream time of those calls alone.

    Tags of the stream, of whatever type, change nothing and are not changed: a simulated signal goes on through an
    overflow. At equal times generated tags come behind those of the stream.
    """

    @for_subclasses
    def __init__(self, tagger: TimeTaggerBase, params: dict[str, Any], base_channel: int, seed: int) -> None:
        base = require_tagger(tagger)._optional_channel(base_channel, "base_channel")
        self._seed = Seed(seed)
        super().__init__(tagger, (), params, int(base == CHANNEL_UNUSED))
        self._number = self._outputs[0] if base == CHANNEL_UNUSED else base
        self._random: NDArray[np.uint64] = self._seed.generator()
        self._begun = False

    def getChannel(self) -> int:
        """Number of the channel that carries the signal."""
        return self._number

    def _reset(self) -> None:
        self._random = self._seed.generator()
        self._begun = False

    def _forget(self) -> None:
        self._begun = False

    def _generate(self, block: TagBlock) -> TagBlock | None:
        if not self._begun:
            self._begin_signal(block.begin)
            self._begun = True
        times = self._times(block.end)
        return TagBlock(block.begin, block.end, times, np.full(len(times), self._number, np.int32))

    def _begin_signal(self, begin: int) -> None:
        """The signal begins at the stream time `begin`."""
        raise NotImplementedError(type(self).__name__)

    def _times(self, end: int) -> Int64Array:
        """The tags that come next and lie before `end`, in order of time."""
        raise NotImplementedError(type(self).__name__)
