"""Settings and state of the software clock, and what its kernels take and put out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OFF, SEEK, ARMED, LOCKED = range(4)
"""Modes: no clock; looking for a regular signal; signal found, waiting for the first edge; locked."""

Tags = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint16]]
"""Columns of a block: time, channel, type, missed events."""

Losses = tuple[NDArray[np.int16], int, NDArray[np.int32], NDArray[np.int64]]
"""Table and first channel of an index, the channels in its order, and the events lost on each since the last report."""

Sink = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint16], NDArray[np.int64]]
"""Columns of the output, and rows of spans with ideal clock tags: one of them, begin, end (2**63 - 1: not yet)."""

CLOCK = np.dtype(
    [
        ("mode", np.int64),
        ("open", np.int64),  # the output is in an overflow range
        ("raw_lost", np.int64),  # the input is in an overflow range
        ("offset", np.int64),  # output less input time while not locked
        ("edge", np.int64),  # the next edge: whole part,
        ("part", np.float64),  # fraction,
        ("tick", np.int64),  # and its output time
        ("limit", np.int64),  # first input time behind the next edge
        ("deadline", np.int64),  # last input time at which its clock tag may come
        ("seg_edge", np.int64),  # the present segment: its edge,
        ("seg_part", np.float64),
        ("seg_tick", np.int64),  # output time there,
        ("scale", np.float64),  # and output per input time
        ("seg_limit", np.int64),  # first input time within it; before it, the segment before goes on:
        ("old_edge", np.int64),
        ("old_part", np.float64),
        ("old_tick", np.int64),
        ("old_scale", np.float64),
        ("closing", np.int64),  # the overflow ends where the segment begins
        ("holding", np.int64),  # the overflow ends where the output time comes back to what it was before an alignment:
        ("floor", np.int64),  # this
        ("period", np.float64),  # estimated distance of two transferred clock tags, input ps
        ("nominal", np.float64),  # expected distance, input ps
        ("advance", np.int64),  # its ideal value, output ps
        ("clock_period", np.int64),
        ("alpha", np.float64),
        ("beta", np.float64),
        ("weight", np.float64),
        ("mean_square", np.float64),  # of the phase errors, output ps**2
        ("need", np.int64),  # clock tags that make up a fit
        ("count", np.int64),
        ("first", np.int64),
        ("last", np.int64),
        ("sum_y", np.float64),
        ("sum_iy", np.float64),
        ("sum_yy", np.float64),
        ("seen", np.int64),  # clock tags since the clock was set
        ("measured", np.float64),  # period that was refused last
        ("errors", np.int64),
        ("lost", np.int64),  # lost events not yet reported
        ("due", np.int64),  # when to report them
        ("clock_channel", np.int64),
        ("sync_channel", np.int64),
        ("synced", np.int64),
        ("utc", np.float64),  # system time at the end of the block, s
        ("end", np.int64),  # end of the block, input time
        ("size", np.int64),  # tags put out
        ("spans", np.int64),  # spans of ideal clock tags, the last of which may be open
    ],
    align=True,
)
"""Settings and state of a software clock."""
