"""Tags that wait for their time."""

from __future__ import annotations

from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock, concatenate, retime


class Backlog:
    """Blocks that are held until the stream has come to their tags.

    What is held is not touched when more comes: the work is proportional to the tags that go through, however long
    they wait, and the memory to those that wait.
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[int, TagBlock]] = []

    def __len__(self) -> int:
        """Number of blocks of which something is held."""
        return len(self._pieces)

    @property
    def end(self) -> int:
        """Time in ps before which all held tags lie."""
        return max((int(piece.time[-1]) + 1 for _, piece in self._pieces), default=TIME_MIN)

    def add(self, block: TagBlock) -> None:
        """Hold a block whose tags are in order of time; its span does not matter."""
        if len(block):
            self._pieces.append((int(block.time[0]), retime(block, TIME_MIN, TIME_MAX)))

    def take(self, until: int) -> list[TagBlock]:
        """The tags before `until`, which are no longer held, in blocks in the order in which they were added."""
        ready: list[TagBlock] = []
        held: list[tuple[int, TagBlock]] = []
        for first, piece in self._pieces:
            if first >= until:
                held.append((first, piece))
                continue
            if piece.time[-1] < until:
                ready.append(piece)
                continue
            early, late = piece.split(until)
            ready.append(early)
            if len(late):
                held.append((int(late.time[0]), _apart(early, late)))
        self._pieces = held
        return ready


def _apart(early: TagBlock, late: TagBlock) -> TagBlock:
    """The late part in memory of its own if it is the smaller one, so that it does not keep the early one's."""
    return concatenate(TIME_MIN, TIME_MAX, [late]) if len(late) < len(early) else retime(late, TIME_MIN, TIME_MAX)
