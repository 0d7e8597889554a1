"""Finds the tags of a few channels in a block, for all who look for some of them.

Where the tags of a channel are is noted once, a bit for each tag of the block. To join channels is then to join bits,
and the work left is in proportion to the tags that are found.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import FIRST_VIRTUAL_CHANNEL
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.kernel import kernel

FEWEST = 2048
"""Tags of a block from which on it pays to look for some of them."""

MOST_CHANNELS = 4
"""Channels up to which it pays; who reads more had better see everything."""

LARGEST_SHARE = 0.5
"""Share of the tags up to which it pays."""

SPARSE = 0.1
"""Tags in a window on average up to which it pays to find those that are close to others."""

BITS = np.uint64(64)

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)
_PLACE: UInt64Array = np.zeros(64, np.uint64)
for _bit in range(64):
    _PLACE[((1 << _bit) * int(_DE_BRUIJN)) % 2**64 >> int(_SHIFT)] = _bit


class ByChannel:
    """A block, and its tags by channel.

    Parameters
    ----------
    block
        The block; nothing is looked at before somebody asks.
    room
        Picked tags that are kept for others to share, in times of the block; when there are more, all are forgotten.
    """

    def __init__(self, block: TagBlock, room: int = 16) -> None:
        self.block = block
        self._room = room * len(block)
        self._silence = TagBlock.empty(block.begin, block.end)
        self._range: tuple[int, int] | None = None
        self._asked = False
        self._places: dict[int, tuple[UInt64Array, int]] = {}
        self._found: dict[frozenset[int], TagBlock] = {}
        self._close: dict[int, ByChannel] = {}
        self._kept = 0

    def of(self, channels: frozenset[int]) -> TagBlock:
        """A block of the same span with all tags of `channels`, and perhaps others.

        That is the whole block where looking for them would cost more than it saves, or where not all are time tags:
        an overflow concerns all channels.
        """
        if not self.block.plain or not len(self.block) or self._alone(channels):
            return self.block
        if self._range is None:
            self._range = channel_range(self.block.channel)
        lowest, highest = self._range
        present = frozenset([c for c in channels if lowest <= c <= highest])
        if not present:
            return self._silence
        if not self._pays(present):
            return self.block
        found = self._found.get(present)
        return self._find(present) if found is None else found

    def close(self, channels: frozenset[int], window: int) -> TagBlock:
        """A block of the same span with all tags of `channels` that can have something to do with one another.

        These have a tag of any channel within `window` ps, or the begin or the end of the block. Where most have, that
        is as `of`.
        """
        if not self.block.plain or not self._sparse(window):
            return self.of(channels)
        if self._alone(channels):
            return self.block
        found = self._close.get(window)
        return (self._find_close(window) if found is None else found).of(channels)

    def _find_close(self, window: int) -> ByChannel:
        near = np.empty(len(self.block), np.bool_)
        _mark_close(self.block.time.view(np.uint64), np.uint64(window), near)
        reach = min(window, self.block.end - self.block.begin)
        inner = np.searchsorted(self.block.time, (self.block.begin + reach, self.block.end - reach))
        near[: inner[0]] = near[inner[1] :] = True
        size = int(np.count_nonzero(near))
        self._make_room(size)
        found = self._close[window] = ByChannel(_picked(self.block, _bits_of(near), size), room=1)
        found._asked = True
        return found

    def _make_room(self, size: int) -> None:
        if self._kept + size > self._room:
            self._found, self._close, self._kept = {}, {}, 0
        self._kept += size

    def _sparse(self, window: int) -> bool:
        """Whether few tags are close, so that it pays to find them."""
        span = self.block.end - self.block.begin
        return len(self.block) >= FEWEST and len(self.block) * window < SPARSE * span

    def _alone(self, channels: frozenset[int]) -> bool:
        """Whether this is the first who asks for inputs: if nobody follows, it can as well look at everything."""
        if self._asked or min(channels, default=FIRST_VIRTUAL_CHANNEL) >= FIRST_VIRTUAL_CHANNEL:
            return False
        self._asked = True
        return True

    def _pays(self, present: frozenset[int]) -> bool:
        return len(self.block) >= FEWEST and len(present) <= MOST_CHANNELS

    def _find(self, present: frozenset[int]) -> TagBlock:
        places = [self._places_of(channel) for channel in present]
        size = sum(count for _, count in places)
        if size > LARGEST_SHARE * len(self.block):
            return self.block
        self._make_room(size)
        found = self._found[present] = _picked(self.block, reduce(np.bitwise_or, [bits for bits, _ in places]), size)
        return found

    def _places_of(self, channel: int) -> tuple[UInt64Array, int]:
        """The bits of a channel, and how many are set."""
        found = self._places.get(channel)
        if found is None:
            on = self.block.channel == channel
            found = self._places[channel] = _bits_of(on), int(np.count_nonzero(on))
        return found


def _bits_of(marks: NDArray[np.bool_]) -> UInt64Array:
    """The marks as bits, in words of 64."""
    bits = np.zeros(-(-len(marks) // int(BITS)) * 8, np.uint8)
    bits[: -(-len(marks) // 8)] = np.packbits(marks, bitorder="little")
    return bits.view("<u8")


def _picked(block: TagBlock, bits: UInt64Array, size: int) -> TagBlock:
    time, channel = np.empty(size, np.int64), np.empty(size, np.int32)
    _pick(bits, _PLACE, block.time, block.channel, time, channel)
    return TagBlock(block.begin, block.end, time, channel)


@kernel
def _mark_close(time: UInt64Array, window: np.uint64, near: NDArray[np.bool_]) -> None:
    """Mark the tags that another one precedes or follows within the window."""
    near[0] = len(time) > 1 and time[1] - time[0] <= window
    near[len(time) - 1] = len(time) > 1 and time[len(time) - 1] - time[len(time) - 2] <= window
    before, now, after, inner = time, time[1:], time[2:], near[1:]
    for i in range(len(time) - 2):
        inner[i] = (now[i] - before[i] <= window) | (after[i] - now[i] <= window)


@kernel
def channel_range(channel: Int32Array) -> tuple[int, int]:
    """The lowest and the highest channel number of at least one tag."""
    lowest = highest = channel[0]
    for i in range(np.uint64(len(channel))):  # over places, not tags: only so does the compiler vectorise it
        lowest = min(lowest, channel[i])
        highest = max(highest, channel[i])
    return lowest, highest


@kernel
def _pick(
    bits: UInt64Array,
    places: UInt64Array,
    time: Int64Array,
    channel: Int32Array,
    found_time: Int64Array,
    found_channel: Int32Array,
) -> None:
    """Copy the tags whose bit is set; the lowest bit of a word tells its place by a product (de Bruijn)."""
    one, found = np.uint64(1), np.uint64(0)
    for w in range(np.uint64(len(bits))):
        word = bits[w]
        while word:
            lowest = word & (~word + one)
            i = w * BITS + places[(lowest * _DE_BRUIJN) >> _SHIFT]
            found_time[found] = time[i]
            found_channel[found] = channel[i]
            found += one
            word ^= lowest
