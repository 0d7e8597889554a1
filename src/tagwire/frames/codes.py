"""Channels as small codes, as many in a 32-bit word as fit into it.

Of ``n`` codes with ``w`` bits, ``m = 32 // w`` stand in each of ``k = ceil(n / m)`` words: code ``i`` in word
``i % k``, in the ``w`` bits from bit ``i // k * w`` on. So neighbours lie in the same bits of neighbouring words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.kernel import kernel

Codes = NDArray[np.uint32]

BITS = 32


@kernel
def code_words(count: int, width: int) -> int:
    """Words of 32 bits that `count` codes of `width` bits take."""
    if width == 0:
        return 0
    fit = BITS // width
    return (count + fit - 1) // fit


@kernel
def pack_codes(codes: Codes, width: int, out: NDArray[np.uint32]) -> None:
    """Write `codes` into `out`, whose words behind those needed become zero."""
    size = code_words(len(codes), width)
    out[:] = np.uint32(0)
    for row in range(BITS // width if width else 0):
        first, s = np.uint64(row * size), np.uint32(row * width)
        for i in range(np.uint64(max(0, min(size, len(codes) - row * size)))):
            out[i] |= codes[first + i] << s


@kernel
def unpack_codes(words: NDArray[np.uint32], width: int, codes: Codes) -> np.uint32:
    """Fill `codes` with what `pack_codes` wrote; gives the largest one."""
    size = code_words(len(codes), width)
    largest, mask = np.uint32(0), np.uint32((1 << width) - 1)
    if width == 0:
        codes[:] = largest
    for row in range(BITS // width if width else 0):
        first, s = np.uint64(row * size), np.uint32(row * width)
        for i in range(np.uint64(max(0, min(size, len(codes) - row * size)))):
            code = (words[i] >> s) & mask
            largest = max(largest, code)
            codes[first + i] = code
    return largest


@kernel
def name_codes(codes: Codes, names: NDArray[np.int32]) -> None:
    """Put in the place of each code the name that it stands for, in the same memory."""
    first = names[0]
    if names[len(names) - 1] - first == len(names) - 1:
        for i in range(np.uint64(len(codes))):
            codes[i] += np.uint32(first)
        return
    for i in range(np.uint64(len(codes))):
        codes[i] = np.uint32(names[np.uint64(codes[i])])
