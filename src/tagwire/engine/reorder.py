"""Puts tags that are made early or late back into one ordered stream."""

from __future__ import annotations

from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock, concatenate, retime
from tagwire.engine.backlog import Backlog
from tagwire.engine.strands import Strands


class ReorderBuffer:
    """Merges a stream with tags that lie before or after the block they come with.

    A stage that makes tags from others may place them up to `lookback` ps before the end of the block it has just
    seen, or any time after it. The buffer gives out the stream up to a watermark that no new tag can precede.

    Attributes
    ----------
    started
        Whether a block was pushed; the first one says where the stream begins.
    position
        Stream time up to which blocks were given out, in ps.
    late
        Tags that came for a time already given out, and were dropped.
    """

    def __init__(self) -> None:
        self.started = False
        self.position = 0
        self.late = 0
        self._end = 0
        self._stream = Backlog()
        self._added = Backlog()

    def push(self, block: Strands, added: TagBlock | None, lookback: int) -> Strands:
        """Take a block and the tags added to it; give the ordered block up to ``block.end - lookback``.

        Parameters
        ----------
        block
            The next block of the stream.
        added
            Tags to merge, in order of time; their span does not matter. At equal times they come after the tags
            of the stream, wherever the stream is cut.
        lookback
            How far before ``block.end`` a later call may still place tags, in ps. When it grows, the watermark
            waits; it never goes back.
        """
        if not self.started:
            self.started, self.position = True, block.begin
        self._end = block.end
        if added is not None:
            self._added.add(self._on_time(added))
        watermark = max(self.position, block.end - lookback)
        if self.position == block.begin and watermark == block.end:
            return self._release(block)
        self._stream.add(block.whole())
        return self._release(self._held(watermark))

    def flush(self) -> Strands:
        """Give out everything that is held and lies within the stream seen so far."""
        return self._release(self._held(max(self.position, self._end)))

    def _held(self, watermark: int) -> Strands:
        """What is held of the stream before the watermark."""
        return Strands(_one(self.position, watermark, self._stream.take(watermark)))

    def _release(self, stream: Strands) -> Strands:
        """The next part of the stream, with what was added to it."""
        self.position = stream.end
        for added in self._added.take(stream.end):
            stream.lay(added)
        return stream

    def _on_time(self, added: TagBlock) -> TagBlock:
        if not len(added) or added.time[0] >= self.position:
            return added
        late, rest = retime(added, TIME_MIN, TIME_MAX).split(self.position)
        self.late += len(late)
        return rest


def _one(begin: int, end: int, blocks: list[TagBlock]) -> TagBlock:
    """The tags of all blocks one after the other."""
    return retime(blocks[0], begin, end) if len(blocks) == 1 else concatenate(begin, end, blocks)
