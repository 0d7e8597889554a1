"""Writes a stream of blocks as a recording: a header, and parts that are renamed when they are whole."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tagwire.core.tags import TagBlock, join
from tagwire.recording.names import ENDINGS, part_name
from tagwire.recording.table import About, OpenFile, Rows

logger = logging.getLogger(__name__)

FRAME_TAGS = 65_536
"""Tags in a frame, at least, unless time presses."""

GROUP_BYTES = 2**21
"""Size of a row group, the smallest piece that a time range is read in, unless time presses."""

FLUSH_AGE = 1.0
"""Longest time in s that tags wait before they are written to the open part."""

PART_AGE = 30.0
"""Age in s at which a part is completed, so that a crash loses no more than that."""

PART_SIZE = 2**30
"""Size in bytes at which a part is completed."""


class SeriesWriter:
    """A recording being written.

    Parameters
    ----------
    header
        Its header file, which is written at once.
    channels, configuration
        As the files shall tell them.
    clock
        Real time in s.

    Attributes
    ----------
    events, size
        Tags and bytes written.
    max_size, max_age
        Size in bytes and age in s at which a part is completed.

    Raises
    ------
    FileUnwritable
        (RuntimeError) The header cannot be written.
    """

    def __init__(
        self,
        header: Path,
        channels: Sequence[int],
        configuration: dict[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.events = self.size = self._counted = 0
        self.max_size, self.max_age = PART_SIZE, PART_AGE
        self._channels = tuple(channels)
        self._clock = clock
        self._blocks: list[TagBlock] = []
        self._tags = 0
        self._rows = Rows()
        self._since = self._begun = clock()
        self._end: int | None = None
        self._early: list[str] = []
        self._part: OpenFile | None = None
        self._begin(header, configuration)

    def write(self, block: TagBlock) -> None:
        """Append a block; one that does not begin where the last one ended leaves a gap in the recording."""
        if self._end is None:
            for marker in self._early:
                self._rows.add(TagBlock.empty(block.begin, block.begin), marker)
        elif block.begin != self._end:
            self._pack()
        if not self._blocks and not self._rows:
            self._since = self._clock()
        self._blocks.append(block)
        self._tags += len(block)
        self._end = block.end
        if self._tags >= FRAME_TAGS:
            self._pack()
        self.tick()

    def mark(self, marker: str) -> None:
        """Append a marker; one before the first block waits for it, which tells its time."""
        if self._end is None:
            self._early.append(marker)
            return
        self._pack()
        self._rows.add(TagBlock.empty(self._end, self._end), marker)
        self.tick()

    def tick(self) -> None:
        """Write out what has waited long enough, and complete a part that is large or old enough."""
        now = self._clock()
        if now - self._since >= FLUSH_AGE:
            self._pack()
        room = min(GROUP_BYTES, self.max_size - self._counted)
        if self._rows and (self._rows.size >= room or now - self._since >= FLUSH_AGE):
            self._flush()
        if self._part is not None and (self._counted >= self.max_size or now - self._begun >= self.max_age):
            self._complete()

    def finish(self) -> None:
        """Complete the present part, if there is one; the next block begins another."""
        self._pack()
        self._flush()
        self._complete()

    def split(self, header: Path | None, configuration: dict[str, Any]) -> None:
        """Complete the present part; with a header, go on as a new recording."""
        if header is None:
            self.finish()
            self._configuration = configuration
            return
        self.finish()
        self._begin(header, configuration)

    def close(self) -> None:
        """Give up a part that could not be completed; it keeps the name of an open one."""
        if self._part is not None:
            self._part.abandon()

    def _begin(self, header: Path, configuration: dict[str, Any]) -> None:
        """Write a header, and let the next part be the first behind it."""
        recording = uuid.uuid4().hex
        self.size += OpenFile(header, About(recording, 0, self._channels, configuration)).finish()
        self._recording, self._header, self._configuration, self._number = recording, header, configuration, 0
        if header.suffix == ENDINGS[0]:
            logger.warning("%s is written in Tagwire's open format (Parquet), not in the vendor's", header)

    def _pack(self) -> None:
        """Make frames of the blocks."""
        if not self._blocks:
            return
        for piece in _pieces(join(self._blocks), FRAME_TAGS):
            self._rows.add(piece)
        self._blocks, self._tags = [], 0

    def _flush(self) -> None:
        """Write the rows."""
        if not self._rows:
            return
        if self._part is None:
            self._number += 1
            about = About(self._recording, self._number, self._channels, self._configuration)
            self._part, self._begun = OpenFile(part_name(self._header, self._number), about), self._clock()
        self._part.write(self._rows)
        self._count(self._part.size)
        self.events += self._rows.events
        self._rows = Rows()
        self._since = self._clock()

    def _complete(self) -> None:
        if self._part is not None:
            self._count(self._part.finish())
            self._part, self._counted = None, 0

    def _count(self, size: int) -> None:
        """The open part has now `size` bytes."""
        self.size += size - self._counted
        self._counted = size


def _pieces(block: TagBlock, size: int) -> Iterator[TagBlock]:
    """The block in parts of `size` to twice as many tags; tags of equal time stay together."""
    count = len(block) // size
    edges = {int(block.time[len(block) * i // count]) for i in range(1, count)}
    for begin, end in pairwise(sorted({block.begin, *edges, block.end})):
        yield block.take(begin, end)
