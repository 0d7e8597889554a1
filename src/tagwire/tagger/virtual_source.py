"""What a virtual Time Tagger plays: queued recordings, and simulated test signals on top."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tagwire.core.models import TIME_TAGGER_ULTRA
from tagwire.core.tags import TagBlock, join, merge
from tagwire.errors import StateError
from tagwire.recording.queue import ReplaySource
from tagwire.sources.simulated import SimulatedSource


class VirtualSource:
    """A queue of recordings with test signals added.

    Parameters
    ----------
    path
        First recording; `None` for the 18 inputs of a simulated instrument.
    begin, duration
        Part of it, as for `ReplaySource`.

    Attributes
    ----------
    replay
        The queue.
    ended
        Whether a reader was told that there is no more; only `prepare` makes it go on.
    """

    def __init__(self, path: str | None, begin: int, duration: int) -> None:
        self.replay = ReplaySource(path, begin, duration, TIME_TAGGER_ULTRA.channels)
        self.channels = self.replay.channels
        self.position = self.replay.position
        self.ended = False
        self._endless = False
        self._signals = SimulatedSource(TIME_TAGGER_ULTRA)
        self._connected: frozenset[int] = frozenset()

    def prepare(self, endless: bool) -> None:
        """Begin to play; `endless` puts silence where the queue is empty, instead of an end."""
        self._endless, self.ended = endless, False

    def connect(self, channels: Iterable[int], on: bool) -> None:
        """Connect the inputs of `channels` to the test signal, or disconnect them."""
        inputs = {abs(c) for c in channels}
        connected = self._connected | inputs if on else self._connected - inputs
        signals = SimulatedSource(TIME_TAGGER_ULTRA, begin=self.position)
        for number in connected:
            signals.set_test_signal(number, True)
        self._signals, self._connected = signals, frozenset(connected)

    def connected(self) -> tuple[int, ...]:
        """Inputs that are connected to the test signal."""
        return tuple(sorted(self._connected))

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next `span` ps or less; `None` at the end of the queue, unless it is endless."""
        block = self.replay.read(span, wanted)
        if block is None and not self._endless:
            self.ended = True
            return None
        if block is None:
            block = TagBlock.empty(self.position, self.position + span)
        elif block.begin != self.position:
            block = _moved(block, self.position)
        if self._connected:
            block = merge(block.begin, block.end, [block, self._generate(block.end, wanted)])
        self.position = block.end
        return block

    def close(self) -> None:
        """Close the files; more than once is fine."""
        self.replay.close()

    def _generate(self, end: int, wanted: Collection[int]) -> TagBlock:
        """Test signals up to `end`, which may be further than the simulation goes in one block."""
        parts = []
        while (position := self._signals.position) < end:
            part = self._signals.read(end - position, wanted)
            if part is None:
                raise StateError(f"there is no room for stream time after {position} ps")
            parts.append(part)
        return join(parts)


def _moved(block: TagBlock, begin: int) -> TagBlock:
    """The block where it begins at `begin`: silence since the last file is not in the time of the queue."""
    by = begin - block.begin
    return TagBlock(begin, block.end + by, block.time + by, block.channel, block.type, block.missed)
