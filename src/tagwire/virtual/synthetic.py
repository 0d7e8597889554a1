"""Tags made by the program: one for each call."""

from __future__ import annotations

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase


class SyntheticSingleTag(VirtualChannelBase):
    """Puts a tag into the stream whenever `trigger` is called.

    Parameters
    ----------
    tagger
        Time Tagger object.
    base_channel
        Existing channel to which the tags are added, for everything created after this object; `CHANNEL_UNUSED`: a new
        channel is made for them.

    Raises
    ------
    ArgumentError
        (ValueError) The channel does not exist.

    Notes
    -----
    The stream of the tagger is not looked at and not changed otherwise.
    """

    def __init__(self, tagger: TimeTaggerBase, base_channel: int = CHANNEL_UNUSED) -> None:
        base = require_tagger(tagger)._optional_channel(base_channel, "base_channel")
        super().__init__(tagger, [], {"base_channel": base}, 1 if base == CHANNEL_UNUSED else 0)
        self._channel = self._outputs[0] if base == CHANNEL_UNUSED else base
        self._launch()

    def trigger(self) -> None:
        """Put one tag at the present stream time, where the next block begins; nothing while stopped.

        Several calls before the next block give as many tags at the same time.
        """
        self._hub.command(self._add)

    def getChannel(self) -> int:
        """Number of the channel that gets the tags."""
        return self._channel

    def _add(self, now: int) -> None:
        with self._lock:
            if self._running:
                self._times.append(now)

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._times: list[int] = []

    def _generate(self, block: TagBlock) -> TagBlock | None:
        due = [max(time, block.begin) for time in self._times if time < block.end]
        self._times = self._times[len(due) :]
        return TagBlock(block.begin, block.end, np.array(due, np.int64), np.full(len(due), self._channel, np.int32))
