"""XXH64 of whole 64-bit words: fast enough to cost nothing beside the packing, and there in every language.

Source: the XXH64 algorithm of the xxHash specification, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md,
with seed 0, for inputs whose length is a multiple of 8 bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel

P1, P2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
P3, P4, P5 = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)
BITS = np.uint64(64)
ZERO = np.uint64(0)


@kernel
def xxh64(words: NDArray[np.uint64], count: int) -> np.uint64:
    """Checksum of the first `count` words, with seed 0."""
    i = 0
    if count >= 4:
        a, b, c, d = P1 + P2, P2, ZERO, ZERO - P1
        while i + 4 <= count:
            a = _round(a, words[i])
            b = _round(b, words[i + 1])
            c = _round(c, words[i + 2])
            d = _round(d, words[i + 3])
            i += 4
        state = _left(a, 1) + _left(b, 7) + _left(c, 12) + _left(d, 18)
        for lane in (a, b, c, d):
            state = (state ^ _round(ZERO, lane)) * P1 + P4
    else:
        state = P5
    state += np.uint64(count * 8)
    while i < count:
        state = _left(state ^ _round(ZERO, words[i]), 27) * P1 + P4
        i += 1
    state = (state ^ (state >> np.uint64(33))) * P2
    state = (state ^ (state >> np.uint64(29))) * P3
    return state ^ (state >> np.uint64(32))


@kernel
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _left(lane + word * P2, 31) * P1


@kernel
def _left(value: np.uint64, bits: int) -> np.uint64:
    """The 64 bits of `value`, rotated."""
    n = np.uint64(bits)
    return (value << n) | (value >> (BITS - n))
