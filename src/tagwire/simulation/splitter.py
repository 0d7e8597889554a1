"""A beam splitter for events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import real
from tagwire.core.tags import TagBlock, concatenate, reorder
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.kernel import kernel
from tagwire.simulation.seeds import FROM_TIME, Seed
from tagwire.simulation.transform import lost
from tagwire.sources.draws import uniform


class SimSignalSplitter(VirtualChannelBase):
    """Sends each event of a channel to one of two new channels, at random.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to split; it stays as it is.
    ratio
        Probability of the left channel, from 0 to 1.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    Missed events are split as well, each for itself. Tags of other types change nothing.
    """

    def __init__(self, tagger: TimeTaggerBase, input_channel: int, ratio: float = 0.5, seed: int = FROM_TIME) -> None:
        number = require_tagger(tagger)._channel(input_channel, "input_channel")
        self._ratio = real(ratio, "ratio", 0.0, 1.0)
        self._seed = Seed(seed)
        self._random = self._seed.generator()
        super().__init__(tagger, (number,), {"input_channel": number, "ratio": self._ratio}, 2)
        self._launch()

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the left and the right channel."""
        return self._outputs

    def getLeftChannel(self) -> int:
        """Number of the left channel."""
        return self._outputs[0]

    def getRightChannel(self) -> int:
        """Number of the right channel."""
        return self._outputs[1]

    def _reset(self) -> None:
        self._random = self._seed.generator()

    def _generate(self, block: TagBlock) -> TagBlock | None:
        places = np.flatnonzero(block.channel == self._inputs[0])
        missed = lost(block, places)
        left = _lefts(missed, self._ratio, self._random)
        sides = [
            _side(block, places, part, missed, number)
            for part, number in zip((left, np.maximum(missed, 1) - left), self._outputs, strict=True)
        ]
        both = concatenate(block.begin, block.end, sides)
        return reorder(both, np.argsort(both.time, kind="stable"))


def _side(
    block: TagBlock, places: NDArray[np.intp], share: NDArray[np.uint16], missed: NDArray[np.uint16], number: int
) -> TagBlock:
    """The events of which a share comes to one side."""
    chosen = share > 0
    part = reorder(block, places[chosen])
    counts = part.missed if part.plain else np.where(missed[chosen] > 0, share[chosen], 0).astype(np.uint16)
    return TagBlock(part.begin, part.end, part.time, np.full(len(part), number, np.int32), part.type, counts)


@kernel
def _lefts(missed: NDArray[np.uint16], ratio: float, random: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """How many of the events that each tag stands for go left."""
    out = np.zeros(len(missed), np.uint16)
    for i in range(len(missed)):
        for _ in range(max(1, int(missed[i]))):
            out[i] += 1.0 - uniform(random) < ratio
    return out
