"""A Time Tagger that plays tags from memory, step by step, in the caller's thread."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tagwire.core.tags import TagBlock
from tagwire.engine.device import DeviceChain
from tagwire.engine.hub import Hub
from tagwire.engine.instrument import Device
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.sources.memory import MemorySource

STRIDE = 20 * 10**9
"""Stream time in ps that a wait lets pass in one step; 20 ms, like an instrument."""


class SteppedTagger(TimeTaggerBase):
    """A Time Tagger for tests: no thread, no clock; stream time passes when told to.

    That is in `advance`, in `play`, and in ``waitUntilFinished`` of a measurement, which lets it pass in the caller's
    thread until the capture has ended; where the tags end before, it returns False.

    Parameters
    ----------
    block
        All tags there will be; none before `advance` or `play`.
    channels
        Channels that exist; those of the block by default.
    device
        What the instrument does to the tags; by default a `DeviceChain` without a model, which changes nothing until
        it is told to.

    Examples
    --------
    >>> import numpy as np
    >>> from tagwire.core.tags import TagBlock
    >>> from tagwire.measurements.countrate import Countrate
    >>> clicks = TagBlock(0, 10**12, np.array([0, 5 * 10**11]), np.array([1, 1], np.int32))
    >>> tagger = SteppedTagger(clicks)
    >>> rate = Countrate(tagger, [1])
    >>> tagger.play()
    >>> rate.getCountsTotal()
    array([2])
    """

    def __init__(self, block: TagBlock, channels: Collection[int] | None = None, device: Device | None = None) -> None:
        self._hub = Hub(MemorySource(block, channels, chunk=1 << 62), device or DeviceChain())
        self._hub.stride = STRIDE

    def advance(self, to: int) -> None:
        """Hand on one block, from the present stream time up to `to` ps."""
        if to > self._hub.position:
            self._hub.step(to - self._hub.position)

    def play(self, cuts: Iterable[int] = ()) -> None:
        """Hand on everything that is left, in blocks that end at `cuts`, and end the stream."""
        for cut in sorted(cuts):
            self.advance(cut)
        while self._hub.step(1 << 62):
            pass
