"""All times as one series, or those of each channel as one of their own.

The pulses of a laser follow each other at almost the same distance, which takes few bits until random clicks come in
between. Apart from each other both take few; the codes of the channels tell how to put them together again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.frames.layout import MOST_MERGED
from tagwire.frames.merging import merge_two
from tagwire.frames.packing import LANES, ONE, THREE, TWO, ZERO
from tagwire.frames.times import Counts, Times, groups, packed_size, survey
from tagwire.kernel import kernel

Codes = NDArray[np.uint32]
Channels = NDArray[np.int32]

MOST_SERIES = 16
"""Channels that are kept apart, at most."""

FEWEST = 256
"""Tags in a frame that are worth the question."""

SAMPLE, SHARE = 4096, 16
"""Tags at the begin of a frame that answer it: so many at most, and in a short one a sixteenth, or the fewest."""

GROUP_BITS, SERIES_BITS = 40, 96
"""What a group takes besides its numbers, and a series besides its groups."""

WORTH = 7 / 8
"""Size, as part of that of one series, below which series apart are worth their work."""


def apart(time: Times, codes: Codes, channels: int) -> bool:
    """Whether the times of each channel by themselves take clearly less than all together."""
    if not 2 <= channels <= MOST_SERIES or len(time) < FEWEST:
        return False
    sample = min(SAMPLE, max(FEWEST, len(time) // SHARE))
    time, codes = time[:sample], codes[:sample]
    counts = tally(codes, channels)
    return _bits(split(time, codes, counts), counts) < WORTH * _bits(time, np.array([len(time)]))


def by_times(time: Times, codes: Codes, counts: Counts) -> bool:
    """Whether series need no codes to be put together."""
    return 2 <= len(counts) <= MOST_MERGED and bool(_ties_ascend(time, codes))


def put_together(series: Times, counts: Counts, names: Channels) -> tuple[Times, Channels]:
    """Times and channels of all tags in order of time; at equal times in order of the series."""
    parts = np.split(series, np.cumsum(counts)[:-1])
    streams = [(part, np.full(len(part), name, np.int32)) for part, name in zip(parts, names, strict=True)]
    while len(streams) > 1:
        pairs = [merge_two(*one, *other) for one, other in zip(streams[::2], streams[1::2], strict=False)]
        streams = pairs + streams[2 * len(pairs) :]
    return streams[0]


def _bits(time: Times, counts: Counts) -> int:
    """Size of series that lie one after the other."""
    number = groups(counts)
    bases, widths = np.empty(number, np.uint32), np.empty(number, np.uint8)
    survey(time, counts, bases, widths)
    return int(packed_size(widths, counts)) * 64 + number * GROUP_BITS + len(counts) * SERIES_BITS


def tally(codes: Codes, channels: int) -> Counts:
    """How many tags each channel has."""
    rows = np.zeros((4, channels), np.int64)
    _tally(codes, rows)
    counts: Counts = rows.sum(axis=0)
    return counts


def split(time: Times, codes: Codes, counts: Counts) -> Times:
    """The times of each channel, one after the other; `counts` says how many each of them has."""
    out = np.empty_like(time)
    _split(time, codes, np.cumsum(counts) - counts, out)
    return out


def merge(series: Times, codes: Codes, counts: Counts, time: Times) -> bool:
    """Fill `time` with what was split up; False when it comes out unordered, or does not fit to the codes."""
    ends = np.cumsum(counts)
    return bool(_merge(series, codes, ends - counts, ends, time))


@kernel
def _ties_ascend(time: Times, codes: Codes) -> bool:
    well = True
    for i in range(ONE, np.uint64(len(time))):
        well &= time[i] != time[i - ONE] or codes[i] >= codes[i - ONE]
    return well


@kernel
def _tally(codes: Codes, rows: NDArray[np.int64]) -> None:
    """Count into four rows in turns: a count would else wait for the one before it, which is often the same."""
    whole = np.uint64(len(codes) // 4 * 4)
    for i in range(ZERO, whole, LANES):
        rows[ZERO, np.uint64(codes[i])] += 1
        rows[ONE, np.uint64(codes[i + ONE])] += 1
        rows[TWO, np.uint64(codes[i + TWO])] += 1
        rows[THREE, np.uint64(codes[i + THREE])] += 1
    for i in range(whole, np.uint64(len(codes))):
        rows[ZERO, np.uint64(codes[i])] += 1


@kernel
def _split(time: Times, codes: Codes, places: Counts, out: Times) -> None:
    for i in range(np.uint64(len(time))):
        code = np.uint64(codes[i])
        place = places[code]
        places[code] = place + 1
        out[np.uint64(place)] = time[i]


@kernel
def _merge(series: Times, codes: Codes, places: Counts, ends: Counts, time: Times) -> bool:
    before, ordered = np.int64(-(2**63)), True
    for i in range(np.uint64(len(time))):
        code = np.uint64(codes[i])
        place = places[code]
        if place >= ends[code]:
            return False
        places[code] = place + 1
        now = series[np.uint64(place)]
        ordered &= now >= before
        before = now
        time[i] = now
    return ordered
