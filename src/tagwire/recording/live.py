"""A recording that goes on as an instrument would."""

from __future__ import annotations

from collections.abc import Collection

from tagwire.core.tags import TagBlock
from tagwire.recording.base import RecordedSource


class LiveRecording:
    """Plays a recording as an instrument that measures now: its stream never ends.

    Parameters
    ----------
    source
        What to play, not yet read.
    loop
        Play it again and again, each time later by its length, instead of silence after its end.

    Notes
    -----
    All tag types are passed on as they are, overflow tags included. In a loop, an overflow that the recording leaves
    open stays open into the next round. A recording of zero length is silence.
    """

    def __init__(self, source: RecordedSource, loop: bool = False) -> None:
        self.channels = source.channels
        self.position = source.begin
        self._source = source
        self._loop = loop
        self._later = 0

    def read(self, span: int, wanted: Collection[int]) -> TagBlock:
        """The next `span` ps, or less where a block of the recording ends, with the tags of all channels."""
        block = self._source.read(span, wanted)
        if block is None and self._loop and self._source.position > self._source.begin:
            self._later += self._source.position - self._source.begin
            self._source.rewind()
            block = self._source.read(span, wanted)
        if block is None:
            block = TagBlock.empty(self.position, self.position + span)
        elif self._later:
            block = _delayed(block, self._later)
        self.position = block.end
        return block

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._source.close()


def _delayed(block: TagBlock, by: int) -> TagBlock:
    return TagBlock(block.begin + by, block.end + by, block.time + by, block.channel, block.type, block.missed)
