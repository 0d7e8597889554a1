"""Bit packing of small groups of numbers, in whole 64-bit words and without branches.

A group is up to 256 numbers. Number ``i`` stands in lane ``i % 4``, row ``i // 4``; each lane is a string of bits,
lowest first, in which row ``r`` takes the bits ``[r * width, (r + 1) * width)``. The words of the four lanes
alternate, so that one row of four numbers is shifted by the same amount and goes through the processor at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel, lane_kernel

GROUP = 256
"""Numbers in a group; the last one of a series may have fewer."""

Words = NDArray[np.uint64]

ZERO, ONE, LANES, SHIFT, LOW = np.uint64(0), np.uint64(1), np.uint64(4), np.uint64(6), np.uint64(63)
TWO, THREE, BITS = np.uint64(2), np.uint64(3), np.uint64(64)
ALL = np.uint64(2**64 - 1)
MOST_BASE = np.uint64(2**32 - 1)


@kernel
def size_of(count: int, width: int) -> int:
    """Words that `count` numbers of `width` bits take."""
    return ((count + 3) // 4 * width + 63) // 64 * 4


@lane_kernel
def pack(values: Words, count: int, width: int, out: Words, place: int) -> None:
    """Write the first `count` of `values`, zeros up to a whole row, into the words from ``out[place]`` on."""
    w, s, o, at = np.uint64(width), ZERO, np.uint64(place), ZERO
    a, b, c, d = ZERO, ZERO, ZERO, ZERO
    for _ in range((count + 3) // 4):
        e, f, g, h = values[at], values[at + ONE], values[at + TWO], values[at + THREE]
        a, b, c, d = a | e << s, b | f << s, c | g << s, d | h << s
        if s + w >= BITS:
            out[o], out[o + ONE], out[o + TWO], out[o + THREE] = a, b, c, d
            back = LOW - s
            a, b, c, d = (e >> ONE) >> back, (f >> ONE) >> back, (g >> ONE) >> back, (h >> ONE) >> back
            o += LANES
        s = (s + w) & LOW
        at += LANES
    if s > ZERO:
        out[o], out[o + ONE], out[o + TWO], out[o + THREE] = a, b, c, d


@lane_kernel
def unpack(words: Words, place: int, count: int, width: int, values: Words) -> None:
    """Read `count` numbers of `width` bits from ``words[place]`` on; `values` is filled up to a whole row."""
    rows = (count + 3) // 4
    if width == 0:
        values[: rows * 4] = ZERO
        return
    w, at, first = np.uint64(width), np.uint64(0), np.uint64(place)
    mask = ALL >> (BITS - w)
    bit = ZERO
    for _ in range(rows):
        s = bit & LOW
        o = first + ((bit >> SHIFT) << TWO)
        # Where a row ends within its word, the next word may not exist; what is read in its place is masked out.
        n = o + ((s + w - ONE) >> SHIFT << TWO)
        back = LOW - s
        a, b, c, d = words[o] >> s, words[o + ONE] >> s, words[o + TWO] >> s, words[o + THREE] >> s
        e, f, g, h = words[n] << ONE, words[n + ONE] << ONE, words[n + TWO] << ONE, words[n + THREE] << ONE
        a, b, c, d = a | e << back, b | f << back, c | g << back, d | h << back
        # All four are read before any is written: what is written might else be what is read next.
        a, b, c, d = a & mask, b & mask, c & mask, d & mask
        values[at], values[at + ONE], values[at + TWO], values[at + THREE] = a, b, c, d
        bit += w
        at += LANES


@kernel
def bit_length(value: np.uint64) -> int:
    """Bits that an unsigned number takes; 0 for zero."""
    rest = value
    bits = 0
    while rest > ZERO:
        rest >>= ONE
        bits += 1
    return bits
