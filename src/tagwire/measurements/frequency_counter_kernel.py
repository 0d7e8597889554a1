"""Fits straight lines to the phases of periodic signals, around evenly spaced sampling points.

The phase of the n-th event of a channel is n. Sampling point k lies at ``origin + k * interval``; each event within
`half` of it goes into its sums, several at once where windows overlap. The sums are added up event by event, so they
are the same to the last bit wherever the stream is cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TagType
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
OVERFLOW_END = int(TagType.OverflowEnd)
MISSED_EVENTS = int(TagType.MissedEvents)

GRID = np.dtype(
    [
        ("origin", np.int64),
        ("interval", np.int64),
        ("half", np.int64),  # of the fitting window
        ("next", np.int64),  # the first sampling point that is not complete
        ("losing", np.int64),  # within an overflow range
        ("lost_from", np.int64),
        ("follows", np.int64),  # the cycles since the last sampling point were counted
        ("affected", np.int64),  # sampling points that an overflow touched
        ("rows", np.int64),  # rows filled
    ],
    align=True,
)

FIT = np.dtype(
    [
        ("n", np.int64),
        ("first", np.int64),  # cycle of the first event
        ("x", np.float64),  # sums: time from the sampling point, phase from the first event, ...
        ("xx", np.float64),
        ("j", np.float64),
        ("xj", np.float64),
    ],
    align=True,
)

LANE = np.dtype([("cycles", np.int64), ("whole", np.int64), ("fraction", np.float64)], align=True)
"""Events so far, and the phase at the last sampling point."""

ROW = np.dtype(
    [("whole", np.int64), ("fraction", np.float64), ("slope", np.float64), ("advance", np.float64)], align=True
)
"""Phase at a sampling point, cycles per ps there, and cycles since the last sampling point."""

Columns = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint16]]
Rows = tuple[NDArray[np.int64], NDArray[np.int8], NDArray[Any]]


@kernel
def sample(
    grid: NDArray[Any],
    tags: Columns,
    begin: int,
    end: int,
    table: NDArray[np.int16],
    first: int,
    lanes: NDArray[Any],
    fits: NDArray[Any],
    masks: NDArray[np.int8],
    rows: Rows,
) -> int:
    """Take in tags from place `begin` on, up to stream time `end`; stop early when the rows are full.

    Returns
    -------
    int
        Place of the first tag not taken in; one more than there are when everything is done.
    """
    g = grid[0]
    time, channel, kind, missed = tags
    for i in range(begin, len(time)):
        t = time[i]
        if not _complete(g, t, lanes, fits, masks, rows):
            return i
        if kind[i] == TIME_TAG or kind[i] == MISSED_EVENTS:
            k = channel[i] - first
            place = table[k] if 0 <= k < len(table) else -1
            if place >= 0 and t >= g.origin:
                lanes[place].cycles += 1 if kind[i] == TIME_TAG else missed[i]
                if kind[i] == TIME_TAG:
                    _add(g, t, lanes[place].cycles, fits[place])
        if kind[i] != TIME_TAG:
            _mark(g, t, masks)
            if kind[i] == OVERFLOW_BEGIN:
                g.losing, g.lost_from = 1, t
            elif kind[i] == OVERFLOW_END:
                g.losing = 0
    return len(time) + (1 if _complete(g, end, lanes, fits, masks, rows) else 0)


@kernel
def _add(g: Any, t: int, cycle: int, fits: NDArray[Any]) -> None:
    """Add an event to the sums of every sampling point it is near to."""
    k = g.next
    x = t - (g.origin + k * g.interval)
    while x >= -g.half:
        f = fits[k % len(fits)]
        if f.n == 0:
            f.first = cycle
        near, phase = float(x), float(cycle - f.first)
        f.n += 1
        f.x += near
        f.xx += near * near
        f.j += phase
        f.xj += near * phase
        k += 1
        x -= g.interval


@kernel
def _mark(g: Any, t: int, masks: NDArray[np.int8]) -> None:
    """Note that events may be missing at time `t`, for every sampling point that is near."""
    k = g.next
    while g.origin + k * g.interval - g.half <= t:
        masks[k % len(masks)] = 1
        k += 1


@kernel
def _complete(g: Any, now: int, lanes: NDArray[Any], fits: NDArray[Any], masks: NDArray[np.int8], rows: Rows) -> bool:
    """Complete the sampling points whose window has passed; False when there is no room for another."""
    index, mask, values = rows
    while g.origin + g.next * g.interval + g.half < now:
        if g.rows == len(index):
            return False
        slot, row = g.next % len(masks), g.rows
        if g.losing and g.origin + g.next * g.interval + g.half >= g.lost_from:
            masks[slot] = 1
        index[row], mask[row] = g.next, masks[slot]
        g.affected += masks[slot]
        for place in range(len(lanes)):
            _fit(lanes[place], fits[place, slot], masks[slot] == 0, g.follows == 1, values[place, row])
        masks[slot] = 0
        g.rows += 1
        g.next += 1
        g.follows = 1
    return True


@kernel
def _fit(lane: Any, f: Any, valid: bool, follows: bool, row: Any) -> None:
    """The phase of one channel at one sampling point; the sums are then empty again."""
    whole, fraction, slope = 0, np.nan, np.nan
    spread = f.xx - f.x * f.x / f.n if f.n > 1 else 0.0
    if valid and spread > 0:
        slope = (f.xj - f.x * f.j / f.n) / spread
        phase = (f.j - slope * f.x) / f.n
        below = np.floor(phase)
        whole, fraction = f.first + np.int64(below), phase - below
    row.whole, row.fraction, row.slope = whole, fraction, slope
    row.advance = float(whole - lane.whole) + (fraction - lane.fraction) if follows else np.nan
    lane.whole, lane.fraction = whole, fraction
    f.n = f.first = 0
    f.x = f.xx = f.j = f.xj = 0.0
