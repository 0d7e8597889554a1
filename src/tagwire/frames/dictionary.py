"""Channel numbers as small codes: places in an ascending list of those that occur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel

Int32Array = NDArray[np.int32]
Codes = NDArray[np.uint32]

BITS = 32
"""Channel numbers that fit into the bits of a word, if they lie so close together."""

TABLE = 65_536
"""Channel numbers that fit into a table."""

FIRST_SLOTS = 1024
GROWTH = 32
SCATTER = np.uint64(0x9E3779B97F4A7C15)


def dictionary(channel: Int32Array) -> tuple[Int32Array, Codes]:
    """The distinct channel numbers in ascending order, and for each tag the place of its channel among them."""
    if not len(channel):
        return np.empty(0, np.int32), np.empty(0, np.uint32)
    low, high = _ends(channel)
    if high - low >= TABLE:
        return _scattered(channel)
    names = _close(channel, low) if high - low < BITS else _near(channel, low, high)
    if len(names) == high - low + 1:
        return names, (channel - np.int32(low)).view(np.uint32)
    table = np.zeros(high - low + 1, np.uint32)
    table[names - low] = np.arange(len(names), dtype=np.uint32)
    codes = np.empty(len(channel), np.uint32)
    _look_up(channel, low, table, codes)
    return names, codes


def _close(channel: Int32Array, low: int) -> Int32Array:
    """Those that occur, where all lie within `BITS` from `low` on."""
    names = np.empty(BITS, np.int32)
    return names[: _collect(channel, low, names)]


def _near(channel: Int32Array, low: int, high: int) -> Int32Array:
    """Those that occur, where all lie within `low` and `high`."""
    seen = np.zeros(high - low + 1, np.uint8)
    _mark(channel, low, seen)
    return (np.flatnonzero(seen) + low).astype(np.int32)


def _scattered(channel: Int32Array) -> tuple[Int32Array, Codes]:
    """The dictionary of channels far apart, as an overflow tag's number is from all others."""
    codes = np.empty(len(channel), np.uint32)
    size = FIRST_SLOTS
    while True:
        names = np.empty(size // 2, np.int32)
        count = _encode(channel, codes, names, np.full(size, -1, np.int32))
        if count >= 0:
            break
        size *= GROWTH
    order = np.argsort(names[:count])
    ranks = np.empty(count, np.uint32)
    ranks[order] = np.arange(count, dtype=np.uint32)
    return names[order], ranks[codes]


@kernel
def _ends(channel: Int32Array) -> tuple[int, int]:
    """The lowest and the highest channel."""
    low = high = channel[0]
    for i in range(np.uint64(len(channel))):
        low, high = min(low, channel[i]), max(high, channel[i])
    return low, high


@kernel
def _collect(channel: Int32Array, low: int, names: Int32Array) -> int:
    """Fill in the channels that occur; gives their number."""
    bits, base, count = np.uint32(0), np.int32(low), 0
    for i in range(np.uint64(len(channel))):
        bits |= np.uint32(1) << np.uint32(channel[i] - base)
    for bit in range(BITS):
        if (bits >> np.uint32(bit)) & np.uint32(1):
            names[count] = low + bit
            count += 1
    return count


@kernel
def _mark(channel: Int32Array, low: int, seen: NDArray[np.uint8]) -> None:
    """Set ``seen[c - low]`` for every channel ``c`` that occurs."""
    for i in range(np.uint64(len(channel))):
        seen[np.uint64(channel[i] - low)] = np.uint8(1)


@kernel
def _look_up(channel: Int32Array, low: int, table: Codes, codes: Codes) -> None:
    for i in range(np.uint64(len(channel))):
        codes[i] = table[np.uint64(channel[i] - low)]


@kernel
def _encode(channel: Int32Array, codes: Codes, names: Int32Array, slots: Int32Array) -> int:
    """Fill `codes` and `names`, in order of first appearance; gives the number of names, or -1 without room for all.

    `slots` is a hash table with linear probing: the code of the channel whose place it is, or -1.
    """
    mask = np.uint64(len(slots) - 1)
    count = 0
    for i in range(len(channel)):
        c = channel[i]
        slot = ((np.uint64(np.uint32(c)) * SCATTER) >> np.uint64(40)) & mask
        code = slots[slot]
        while code >= 0 and names[code] != c:
            slot = (slot + np.uint64(1)) & mask
            code = slots[slot]
        if code < 0:
            if count == len(names):
                return -1
            code = count
            names[code] = c
            slots[slot] = code
            count += 1
        codes[i] = code
    return count
