"""Finds the few tags of a block that something is to be done for."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import UInt8Array
from tagwire.kernel import kernel

UInt64Array = NDArray[np.uint64]
Number = TypeVar("Number", bound=np.generic)

MARKS_PER_WORD = np.uint64(8)


@kernel
def find_marked(marks: UInt8Array, wanted: np.uint8, places: UInt64Array) -> np.uint64:
    """Write the places of the marks that have a bit of `wanted`, and give their number.

    The array `places` has room for one more. Eight marks without that bit are passed over at a time.
    """
    found, size = np.uint64(0), np.uint64(len(marks))
    whole = size - size % MARKS_PER_WORD
    words = marks[:whole].view(np.uint64)
    each = np.uint64(wanted) * np.uint64(0x0101010101010101)
    for w in range(np.uint64(len(words))):
        if words[w] & each:
            for i in range(w * MARKS_PER_WORD, (w + np.uint64(1)) * MARKS_PER_WORD):
                places[found] = i
                found += np.uint64((marks[i] & wanted) != 0)
    for i in range(whole, size):
        places[found] = i
        found += np.uint64((marks[i] & wanted) != 0)
    return found


@kernel
def find_marked_values(
    marks: UInt8Array, wanted: np.uint8, column: NDArray[Number], places: UInt64Array, values: NDArray[Number]
) -> np.uint64:
    """The same, and write the values of `column` there as well.

    Where most of what lies before is not in the processor's cache, it fetches them while it looks on.
    """
    found, size = np.uint64(0), np.uint64(len(marks))
    whole = size - size % MARKS_PER_WORD
    words = marks[:whole].view(np.uint64)
    each = np.uint64(wanted) * np.uint64(0x0101010101010101)
    for w in range(np.uint64(len(words))):
        if words[w] & each:
            for i in range(w * MARKS_PER_WORD, (w + np.uint64(1)) * MARKS_PER_WORD):
                places[found] = i
                values[found] = column[i]
                found += np.uint64((marks[i] & wanted) != 0)
    for i in range(whole, size):
        places[found] = i
        values[found] = column[i]
        found += np.uint64((marks[i] & wanted) != 0)
    return found
