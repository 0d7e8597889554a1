"""Collects every tag that passes one place of the stream."""

from __future__ import annotations

from tagwire.core.tags import TagBlock, join
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.testing.rows import Row, rows_of

__all__ = ["Tap", "rows_of"]


class Tap(IteratorBase):
    """Collects all tags of all channels behind the virtual channels that exist already.

    Parameters
    ----------
    tagger
        Time Tagger object.
    """

    def __init__(self, tagger: TimeTaggerBase) -> None:
        super().__init__(tagger, (), {})
        self._blocks: list[TagBlock] = []
        self._launch()

    def block(self) -> TagBlock:
        """Everything so far as one block; raises ValueError when a span is missing or a tag lies outside of it."""
        whole = join(self._blocks)
        for block in self._blocks:
            _check(block)
        return whole

    def rows(self) -> list[Row]:
        """Everything so far as rows of time, channel, type, missed events."""
        return rows_of(self.block()) if self._blocks else []

    def _process(self, block: TagBlock) -> None:
        self._blocks.append(block)

    def _reset(self) -> None:
        self._blocks = []


def _check(block: TagBlock) -> None:
    times = [block.begin, *block.time.tolist(), block.end - 1]
    if times != sorted(times):
        raise ValueError(f"tags out of order or outside of their span [{block.begin}, {block.end}) ps")
