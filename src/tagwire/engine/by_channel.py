"""Finds the tags of a few channels in a block, for all who look for some of them.

Where the tags of a channel are is noted once, a bit for each tag of the block. To join channels is then to join bits,
and the work left is in proportion to the tags that are found.
"""

from __future__ import annotations

import numpy as np

from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt64Array
from tagwire.kernel import kernel

FEWEST = 2048
"""Tags of a block from which on it pays to look for some of them."""

MOST_CHANNELS = 4
"""Channels up to which it pays; who reads more had better see everything."""

LARGEST_SHARE = 0.5
"""Share of the tags up to which it pays."""

BITS = np.uint64(64)

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)
_PLACES: UInt64Array = np.zeros(64, np.uint64)
for _bit in range(64):
    _PLACES[((1 << _bit) * int(_DE_BRUIJN)) % 2**64 >> int(_SHIFT)] = _bit


class ByChannel:
    """A block, and its tags by channel.

    Parameters
    ----------
    block
        The block; nothing is looked at before somebody asks.
    """

    def __init__(self, block: TagBlock) -> None:
        self.block = block
        self._silence = TagBlock.empty(block.begin, block.end)
        self._range: tuple[int, int] | None = None
        self._asked = False
        self._bits: dict[int, UInt64Array] = {}
        self._found: dict[frozenset[int], TagBlock] = {}

    def of(self, channels: frozenset[int]) -> TagBlock:
        """A block of the same span with all tags of `channels`, and perhaps others.

        That is the whole block where looking for them would cost more than it saves, or where not all are time tags:
        an overflow concerns all channels.
        """
        if not self.block.plain or not len(self.block):
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
        if found is None:
            found = self._found[present] = self._find(present)
        return found

    def _pays(self, present: frozenset[int]) -> bool:
        """Whether to look for some channels: not for the only one who asks, who can as well look at everything."""
        alone, self._asked = not self._asked, True
        return not alone and len(self.block) >= FEWEST and len(present) <= MOST_CHANNELS

    def _find(self, present: frozenset[int]) -> TagBlock:
        bits = np.bitwise_or.reduce([self._bits_of(c) for c in present])
        size = count_bits(bits)
        return self.block if size > LARGEST_SHARE * len(self.block) else _picked(self.block, bits, size)

    def _bits_of(self, channel: int) -> UInt64Array:
        bits = self._bits.get(channel)
        if bits is None:
            packed = np.packbits(self.block.channel == channel, bitorder="little")
            padded = np.zeros(-(-len(self.block) // int(BITS)) * 8, np.uint8)
            padded[: len(packed)] = packed
            bits = self._bits[channel] = padded.view("<u8")
        return bits


def _picked(block: TagBlock, bits: UInt64Array, size: int) -> TagBlock:
    time, channel = np.empty(size, np.int64), np.empty(size, np.int32)
    _pick(bits, _PLACES, block.time, block.channel, time, channel)
    return TagBlock(block.begin, block.end, time, channel)


@kernel
def channel_range(channel: Int32Array) -> tuple[int, int]:
    """The lowest and the highest channel number of at least one tag."""
    lowest = highest = channel[0]
    for number in channel:
        lowest, highest = min(lowest, number), max(highest, number)
    return lowest, highest


@kernel
def count_bits(bits: UInt64Array) -> int:
    """Number of bits that are set."""
    count = np.uint64(0)
    for word in bits:
        twos = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
        fours = (twos & np.uint64(0x3333333333333333)) + ((twos >> np.uint64(2)) & np.uint64(0x3333333333333333))
        eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        count += (eights * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return int(count)


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
