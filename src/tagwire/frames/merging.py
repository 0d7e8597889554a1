"""Sorted streams become one, with two walks at once.

A merge takes the earlier of two tags, again and again, and each step must wait for the comparison of the one before.
So the result is cut in two halves, whose begins in both streams a binary search finds (the "merge path": Odeh et al.,
Merge Path - Parallel Merging Made Simple, IPDPSW 2012), and both halves are made in one loop: the processor works on
one while it waits for the other.
"""

from __future__ import annotations

import numpy as np

from tagwire.core.tags import Int32Array, Int64Array
from tagwire.kernel import kernel

_ONE, _ZERO = np.uint64(1), np.uint64(0)


@kernel
def merge_two(
    left: Int64Array, left_channel: Int32Array, right: Int64Array, right_channel: Int32Array
) -> tuple[Int64Array, Int32Array]:
    """Two sorted streams as one; at equal times the left one comes first."""
    size = len(left) + len(right)
    time, channel = np.empty(size, np.int64), np.empty(size, np.int32)
    middle = size // 2
    taken = _taken(left, right, middle)
    a, a_end, b, b_end = _ZERO, np.uint64(taken), _ZERO, np.uint64(middle - taken)
    c, c_end, d, d_end = a_end, np.uint64(len(left)), b_end, np.uint64(len(right))
    while True:
        # So many steps need no look at the ends.
        steps = min(a_end - a, b_end - b, c_end - c, d_end - d)
        if steps == _ZERO:
            break
        for _ in range(steps):
            # Which stream is next is chance, so selecting beats branching.
            x, y = left[a], right[b]
            later = y < x
            time[a + b] = y if later else x
            channel[a + b] = right_channel[b] if later else left_channel[a]
            step = np.uint64(later)
            b += step
            a += _ONE - step
            v, w = left[c], right[d]
            later = w < v
            time[c + d] = w if later else v
            channel[c + d] = right_channel[d] if later else left_channel[c]
            step = np.uint64(later)
            d += step
            c += _ONE - step
    _walk(left, left_channel, right, right_channel, time, channel, a, a_end, b, b_end)
    _walk(left, left_channel, right, right_channel, time, channel, c, c_end, d, d_end)
    return time, channel


@kernel
def _taken(left: Int64Array, right: Int64Array, count: int) -> int:
    """How many of the first `count` tags of the merge are those of the left stream."""
    low, high = max(0, count - len(right)), min(count, len(left))
    while low < high:
        i = (low + high) // 2
        if left[i] <= right[count - 1 - i]:
            low = i + 1
        else:
            high = i
    return low


@kernel
def _walk(
    left: Int64Array,
    left_channel: Int32Array,
    right: Int64Array,
    right_channel: Int32Array,
    time: Int64Array,
    channel: Int32Array,
    i: np.uint64,
    i_end: np.uint64,
    k: np.uint64,
    k_end: np.uint64,
) -> None:
    """Merge ``left[i:i_end]`` and ``right[k:k_end]`` to their place."""
    while i < i_end and k < k_end:
        later = right[k] < left[i]
        time[i + k] = right[k] if later else left[i]
        channel[i + k] = right_channel[k] if later else left_channel[i]
        step = np.uint64(later)
        k += step
        i += _ONE - step
    for rest in range(i, i_end):
        time[rest + k], channel[rest + k] = left[rest], left_channel[rest]
    for rest in range(k, k_end):
        time[rest + i_end], channel[rest + i_end] = right[rest], right_channel[rest]
