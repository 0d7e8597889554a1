"""Integer arrays in the smallest type that holds their values: counts are small numbers in wide types.

Without loss: the receiver gets the values back in their own type.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LEAST = 64 * 1024
"""Fewest bytes of an array that are worth looking at."""

_BLOCK = 16 * 1024
"""Values looked at and converted at once; they stay in the processor's cache."""

_SAMPLE = 64

_NARROWER = {8: ("u1", "u2", "u4"), 4: ("u1", "u2")}


def narrowed(array: Array) -> Array | None:
    """`array` (flat, C-contiguous) in a smaller type, or `None` when it would not be worth it."""
    if array.dtype.kind not in "iu" or array.nbytes < LEAST or not array.dtype.isnative:
        return None
    sample = array[:: max(1, len(array) // _SAMPLE)]
    wanted = _fitting(array.dtype.itemsize, int(sample.min()), int(sample.max()))
    while wanted is not None:
        narrow, largest = _convert(array, wanted)
        if narrow is not None:
            return narrow
        wanted = _fitting(array.dtype.itemsize, *largest)
    return None


def _fitting(itemsize: int, smallest: int, largest: int) -> np.dtype[Any] | None:
    if smallest < 0:
        return None
    kinds = (np.dtype(kind) for kind in _NARROWER.get(itemsize, ()))
    return next((kind for kind in kinds if largest <= np.iinfo(kind).max), None)


def _convert(array: Array, kind: np.dtype[Any]) -> tuple[Array | None, tuple[int, int]]:
    """The converted array; or none, and the values that do not fit."""
    made = np.empty(len(array), kind)
    limit = np.iinfo(kind).max
    for begin in range(0, len(array), _BLOCK):
        block = array[begin : begin + _BLOCK]
        smallest, largest = int(block.min()), int(block.max())
        if smallest < 0 or largest > limit:
            return None, (smallest, largest)
        made[begin : begin + _BLOCK] = block
    return made, (0, 0)
