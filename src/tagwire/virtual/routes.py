"""Which input channel goes to which virtual channels, and the tags that go there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TagBlock, reorder
from tagwire.kernel import kernel


class Routes:
    """Sends the events of some channels on under other numbers.

    Parameters
    ----------
    inputs
        Channels to read; one named twice goes to both of its outputs.
    outputs
        As many channel numbers to give out.

    Attributes
    ----------
    index : ChannelIndex
        The distinct inputs.
    """

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self.index = ChannelIndex(dict.fromkeys(inputs))
        targets = [[o for i, o in zip(inputs, outputs, strict=True) if i == c] for c in self.index.channels]
        width = max(len(row) for row in targets)
        padded = [row + [CHANNEL_UNUSED] * (width - len(row)) for row in targets]
        self._targets: NDArray[np.int32] = np.array(padded, np.int32)

    def find(self, block: TagBlock) -> NDArray[np.int64]:
        """Places in the block of time tags and missed events on any of the inputs."""
        return _find(block.channel, self.index.table, self.index.first)

    def relay(self, block: TagBlock, places: NDArray[np.int64]) -> TagBlock:
        """The tags at `places` of the block, in order, under the numbers of their outputs."""
        numbers = self._targets[self.index.table[block.channel[places] - self.index.first]]
        used = numbers.ravel() != CHANNEL_UNUSED
        relayed = reorder(block, np.repeat(places, numbers.shape[1])[used])
        return TagBlock(block.begin, block.end, relayed.time, numbers.ravel()[used], relayed.type, relayed.missed)


@kernel
def _find(channel: NDArray[np.int32], table: NDArray[np.int16], first: int) -> NDArray[np.int64]:
    """Places of the tags on channels of `table`; the loop has no branch to mispredict."""
    places = np.empty(len(channel), np.int64)
    count = 0
    size = len(table)
    for i in range(len(channel)):
        k = channel[i] - first
        places[count] = i
        within = 0 <= k < size
        count += within and table[k * within] >= 0
    return places[:count]
