"""Many sorted channels become one stream."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tagwire.core.tags import NO_CHANNELS, NO_TIMES, Int32Array, Int64Array
from tagwire.sources.kernels import weave

PIECE = 32_768
"""Tags that are woven together at a time: so many stay in the processor's cache."""


def in_order(parts: list[Int64Array]) -> Int64Array:
    """Tags of successive windows of one channel as one sorted array; windows overlap by no more than the jitter."""
    filled = [p for p in parts if len(p)]
    if not filled:
        return NO_TIMES
    times = np.concatenate(filled) if len(filled) > 1 else filled[0]
    if any(a[-1] > b[0] for a, b in pairwise(filled)):
        times.sort()
    return times


def woven(streams: dict[int, Int64Array], begin: int, end: int) -> tuple[Int64Array, Int32Array]:
    """Sorted times of some channels as one stream; at equal times in the order of the channels."""
    pieces = max(1, sum(len(times) for times in streams.values()) // PIECE)
    edges = [begin + (end - begin) * i // pieces for i in range(1, pieces)]
    if not streams:
        return NO_TIMES, NO_CHANNELS
    if len(streams) == 1:
        ((channel, times),) = streams.items()
        return _labelled(times, channel)
    split = [(np.split(times, np.searchsorted(times, edges)), channel) for channel, times in streams.items()]
    woven = [_rounds([_labelled(parts[i], channel) for parts, channel in split]) for i in range(pieces)]
    return np.concatenate([t for t, _ in woven]), np.concatenate([c for _, c in woven])


def _labelled(times: Int64Array, channel: int) -> tuple[Int64Array, Int32Array]:
    return times, np.full(len(times), channel, np.int32)


def _rounds(streams: list[tuple[Int64Array, Int32Array]]) -> tuple[Int64Array, Int32Array]:
    """Sorted streams as one, in rounds of neighbours."""
    while len(streams) > 1:
        pairs = [weave(*a, *b) for a, b in zip(streams[::2], streams[1::2], strict=False)]
        streams = pairs + streams[len(streams) - len(streams) % 2 :]
    return streams[0]
