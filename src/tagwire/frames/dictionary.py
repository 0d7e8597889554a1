"""Channel numbers as small codes, in order of their first appearance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel

Int32Array = NDArray[np.int32]

FIRST_SLOTS = 1024
GROWTH = 32
SCATTER = np.uint64(0x9E3779B97F4A7C15)


def dictionary(channel: Int32Array) -> tuple[Int32Array, NDArray[np.uint32]]:
    """The distinct channel numbers, and for each tag the place of its channel among them."""
    codes = np.empty(len(channel), np.uint32)
    size = FIRST_SLOTS
    while True:
        names = np.empty(size // 2, np.int32)
        count = _encode(channel, codes, names, np.full(size, -1, np.int32))
        if count >= 0:
            return names[:count], codes
        size *= GROWTH


@kernel
def _encode(channel: Int32Array, codes: NDArray[np.uint32], names: Int32Array, slots: Int32Array) -> int:
    """Fill `codes` and `names`; gives the number of names, or -1 when there is no room for all.

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
