"""Puts a few tags into a stream."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import NO_MISSED, NO_TYPES, Int64Array, TagBlock, retime
from tagwire.kernel import kernel

Number = TypeVar("Number", bound=np.generic)

SEARCH = 64
"""Tags of the stream for each added one from which on its place is searched, instead of looking at all of them."""


def weave(begin: int, end: int, stream: TagBlock, added: TagBlock) -> TagBlock:
    """The tags of both in order of time, as a block of the given span.

    Parameters
    ----------
    begin, end
        Span of the result in ps; that all tags lie in it is the caller's business.
    stream
        Tags in order of time.
    added
        Tags in order of time to put in; at equal times they come after those of the stream.
    """
    if not len(added):
        return retime(stream, begin, end)
    if not len(stream):
        return retime(added, begin, end)
    time, places = _woven_times(stream.time, added.time, len(added) * SEARCH < len(stream))
    types, missed = NO_TYPES, NO_MISSED
    if not (stream.plain and added.plain):
        types = _woven(stream.types, added.types, places)
        missed = _woven(stream.missed_events, added.missed_events, places)
    return TagBlock(begin, end, time, _woven(stream.channel, added.channel, places), types, missed)


@kernel
def _woven_times(times: Int64Array, added: Int64Array, few: bool) -> tuple[Int64Array, Int64Array]:
    """The times in order, and the places in `times` before which the added ones go; both ways give the same."""
    if few:
        found = np.searchsorted(times, added, side="right")
        return _woven(times, added, found), found
    woven, places = np.empty(len(times) + len(added), np.int64), np.empty(len(added), np.int64)
    one, place, size = np.uint64(1), np.uint64(0), np.uint64(len(times))
    for i in range(np.uint64(len(added))):
        while place < size and times[place] <= added[i]:
            woven[place + i] = times[place]
            place += one
        woven[place + i] = added[i]
        places[i] = place
    while place < size:
        woven[place + np.uint64(len(added))] = times[place]
        place += one
    return woven, places


@kernel
def _woven(column: NDArray[Number], added: NDArray[Number], places: NDArray[np.int64]) -> NDArray[Number]:
    """The column with what is added before the given places of it, which ascend."""
    woven = np.empty(len(column) + len(added), column.dtype)
    done = np.uint64(0)
    for i in range(np.uint64(len(places))):
        place = np.uint64(places[i])
        for k in range(done, place):
            woven[k + i] = column[k]
        woven[place + i] = added[i]
        done = place
    shift = np.uint64(len(places))
    for k in range(done, np.uint64(len(column))):
        woven[k + shift] = column[k]
    return woven
