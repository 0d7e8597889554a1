"""Puts tags in order of time that come almost so."""

from __future__ import annotations

from tagwire.core.tags import TagBlock, concatenate, in_order, retime
from tagwire.errors import FileUnreadable


class Sorter:
    """Cuts a stream of almost sorted tags into sorted blocks without gaps.

    Parameters
    ----------
    begin
        Begin of the first block in ps.
    name
        Name of the file, for errors.
    """

    def __init__(self, begin: int, name: str) -> None:
        self._held = TagBlock.empty(begin, begin)
        self._name = name

    def push(self, tags: TagBlock, until: int) -> TagBlock:
        """The sorted block up to `until`, when no tag after `tags` will be before it; tags from there on are held.

        The span of `tags` and their order do not matter; tags of equal time keep their order.
        """
        begin = self._held.begin
        joined = in_order(concatenate(begin, max(until, begin), [self._held, tags]) if len(self._held) else tags)
        if len(joined) and joined.time[0] < begin:
            raise FileUnreadable(
                f"{self._name}: the tags are out of order, one at {joined.time[0]} ps comes after {begin} ps"
            )
        until = max(until, begin)
        last = max(until, int(joined.time[-1]) + 1) if len(joined) else until
        ready, self._held = retime(joined, begin, last).split(until)
        return ready

    def rest(self, end: int) -> TagBlock:
        """What is still held, as the last block, which ends at `end` or with the last tag if that is later."""
        last = int(self._held.time[-1]) + 1 if len(self._held) else end
        return self.push(TagBlock.empty(end, end), max(end, last))
