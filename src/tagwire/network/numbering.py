"""Channel numbers of several servers in one stream.

The n-th of several servers, counted from 1, has its inputs at ``n * 1000`` above their own numbers: channel 3 of the
second server is 2003, and its falling edge, channel -3, is -2003, so that the two edges of an input are still the
negatives of each other. Virtual channels of a server, which have numbers above 1000 there, would meet the inputs of the
next one; they are at ``n * 100,000``: channel 1001 of the second server is 201001. One server alone keeps its numbers.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tagwire.core.arguments import integer
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int32Array, TagBlock
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel

STEP = 1_000
"""Distance between the inputs of one server and those of the next; inputs have smaller numbers than this."""

VIRTUAL_STEP = 100_000
"""The same for virtual channels of the servers."""

MOST_SERVERS = 90
"""So many servers leave room for virtual channels of the client below those of the servers."""


class Numbering:
    """Channel numbers of one of several servers.

    Parameters
    ----------
    place
        Which of the servers, counted from 1; 0 stands for a server that is alone.

    Raises
    ------
    ArgumentError
        (ValueError) More than 90 servers.
    """

    def __init__(self, place: int) -> None:
        self.place = integer(place, "place", 0, MOST_SERVERS)

    def client(self, channel: int) -> int:
        """Number at the client of a channel of the server; `CHANNEL_UNUSED` stays.

        Raises
        ------
        ArgumentError
            (ValueError) A number that no channel of a server can have: at or above 100,000.
        """
        number = integer(channel, "server_channel", -VIRTUAL_STEP, VIRTUAL_STEP) if channel != CHANNEL_UNUSED else 0
        if number == 0 or self.place == 0:
            return channel
        if abs(number) == VIRTUAL_STEP:
            raise ArgumentError(f"server_channel is {channel}, but must be within ±{VIRTUAL_STEP - 1}")
        shift = self.place * (STEP if abs(number) < STEP else VIRTUAL_STEP)
        return number + shift if number > 0 else number - shift

    def server(self, channel: int) -> int | None:
        """Number at the server of a channel of the client, or `None` where it belongs to another one."""
        if self.place == 0 or channel == CHANNEL_UNUSED:
            return channel
        for step, low, high in ((STEP, 1, STEP), (VIRTUAL_STEP, STEP, VIRTUAL_STEP)):
            number = abs(channel) - self.place * step
            if low <= number < high:
                return number if channel > 0 else -number
        return None

    def servers(self, channels: Collection[int]) -> tuple[int, ...]:
        """Numbers at the server of those channels of the client that belong to it, sorted."""
        return tuple(sorted(n for n in map(self.server, channels) if n is not None))

    def block(self, block: TagBlock) -> TagBlock:
        """A block of the server with the numbers of the client."""
        if self.place == 0 or not len(block):
            return block
        channel = _renumbered(block.channel, self.place * STEP, self.place * VIRTUAL_STEP)
        return TagBlock(block.begin, block.end, block.time, channel, block.type, block.missed)


@kernel
def _renumbered(channels: Int32Array, shift: int, virtual_shift: int) -> Int32Array:
    out = np.empty_like(channels)
    for i in range(np.uint64(len(channels))):
        channel = channels[i]
        size = abs(channel)
        by = shift if size < STEP else virtual_shift
        by = 0 if size >= VIRTUAL_STEP or size == 0 else by
        out[i] = channel + by if channel > 0 else channel - by
    return out
