"""Pairs of tags counted by their time difference: the kernel behind every time histogram.

A tag is compared with the earlier tags of the other channel when it arrives, so each pair is met exactly once, by its
later tag, wherever blocks are cut. Which of two tags of equal time is called the later one does not matter, since both
ways count the same difference of zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX
from tagwire.core.tags import Int32Array, Int64Array, TagBlock
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.measurements.gaps import stretches

UInt64Array = NDArray[np.uint64]

SPAN_MAX = 2**61
"""Widest histogram in ps, about 27 days."""

CHUNK = 4096
"""Tags that are split at once; what is known of them stays in the first-level cache."""

LAYERS = 4
"""Neighbours that are looked at for all tags together, without a branch per tag, before each tag walks alone."""

NEVER = np.uint64(2**63)
"""Stands before the first tag of a channel: as a difference it is wider than every histogram."""


def require_span(binwidth: int, n_bins: int) -> int:
    """Width of a histogram in ps.

    Raises
    ------
    ArgumentError
        (ValueError) It is wider than `SPAN_MAX`.
    """
    if binwidth * n_bins > SPAN_MAX:
        raise ArgumentError(f"binwidth * n_bins is {binwidth * n_bins} ps, but must be within [1, {SPAN_MAX}]")
    return binwidth * n_bins


def reciprocal(width: int, span: int) -> tuple[int, int]:
    """Multiplier and shift with ``x // width == (x * multiplier) >> shift`` for all ``0 <= x < span`` in 64 bits.

    The product exceeds the quotient by at most ``x * excess / 2**shift`` parts of 1 / width, which cannot carry into
    the next whole number while it is less than one part. Gives (0, 0) where no such pair exists.
    """
    for shift in range(63, -1, -1):
        multiplier = -(-(1 << shift) // width)
        if multiplier * (span - 1) < 1 << 64:
            excess = multiplier * width - (1 << shift)
            return (multiplier, shift) if (span - 1) * excess < 1 << shift else (0, 0)
    return 0, 0


class PairCounter:
    """Histograms of ``tau = t(click) - t(start)`` over all pairs of different tags.

    Parameters
    ----------
    click_channel, start_channel
        The two channels; where they are equal each two tags are two pairs, tau and -tau.
    binwidth
        Width of a bin in ps.
    n_bins
        Number of bins.
    offset
        Distance in ps of tau = 0 from the left edge of bin 0: bin k holds
        ``k * binwidth <= tau + offset < (k + 1) * binwidth``.
    rows
        Number of histograms; `count` fills the first.

    Attributes
    ----------
    counts : ndarray of int64, shape (rows, n_bins)
        The histograms.
    events : ndarray of int64, shape (2,)
        Tags seen on the click and on the start channel.

    Notes
    -----
    Only tags that can still find a partner are kept: those within the reach of the histogram before the end of the
    last block. The two arrays that hold them grow by doubling.
    """

    def __init__(
        self, click_channel: int, start_channel: int, binwidth: int, n_bins: int, offset: int = 0, rows: int = 1
    ) -> None:
        span = require_span(binwidth, n_bins)
        self.channels: Int32Array = np.array([click_channel, start_channel], np.int32)
        self.grid: UInt64Array = np.array([span, offset, binwidth, *reciprocal(binwidth, span)], np.uint64)
        self.counts: Int64Array = np.zeros((rows, n_bins), np.int64)
        self.events: Int64Array = np.zeros(2, np.int64)
        self.clicks: UInt64Array = np.full(CHUNK, NEVER)
        self.starts: UInt64Array = np.full(CHUNK, NEVER)
        self.sizes: Int64Array = np.ones(2, np.int64)
        self.work: UInt64Array = np.empty((4, CHUNK), np.uint64)

    def fold(self, block: TagBlock) -> None:
        """Add the pairs that the next block completes; no pair spans a gap."""
        for after_gap, time, channel in stretches(block):
            if after_gap:
                self.forget()
            self.count(time, channel)

    def count(self, time: Int64Array, channel: Int32Array) -> None:
        """Add the pairs that the next tags complete; time tags only, in order of time."""
        self.reserve(len(time))
        state = self.clicks, self.starts, self.sizes, self.work
        pair_up(time.view(np.uint64), channel, self.channels, self.grid, self.events, *state, self.counts[0])
        self.retire(time)

    def reserve(self, size: int) -> None:
        """Make room for `size` more tags on each channel."""
        self.clicks = _grown(self.clicks, int(self.sizes[0]) + size + 1)
        self.starts = _grown(self.starts, int(self.sizes[1]) + size + 1)

    def retire(self, time: Int64Array) -> None:
        """Drop the tags that no tag after `time` can reach any more."""
        if len(time):
            drop_old(time.view(np.uint64), self.grid, self.clicks, self.starts, self.sizes)

    def forget(self) -> None:
        """Let no pair span this point of the stream."""
        self.sizes[:] = 1

    def reset(self) -> None:
        """Back to the state after creation."""
        self.forget()
        self.counts[:] = 0
        self.events[:] = 0


def clipped(counts: Int64Array) -> Int32Array:
    """Counts as the vendor's int32; they stay at 2**31 - 1 instead of wrapping round."""
    return np.minimum(counts, INT32_MAX, out=np.empty(counts.shape, np.int32), casting="unsafe")


def _grown(times: UInt64Array, size: int) -> UInt64Array:
    if size <= len(times):
        return times
    grown = np.empty(max(size, 2 * len(times)), np.uint64)
    grown[: len(times)] = times
    return grown


@kernel
def pair_up(
    time: UInt64Array,
    channel: Int32Array,
    channels: Int32Array,
    grid: UInt64Array,
    events: Int64Array,
    clicks: UInt64Array,
    starts: UInt64Array,
    sizes: Int64Array,
    work: UInt64Array,
    counts: Int64Array,
) -> None:
    """Append the tags to `clicks` and `starts` and count the pairs they complete."""
    offset = grid[1]
    forward, backward = grid[0] - offset, offset + np.uint64(1)
    before = sizes[0], sizes[1]
    for begin in range(0, len(time), CHUNK):
        end = min(begin + CHUNK, len(time))
        late_clicks, late_starts = _split(
            time[begin:end], channel[begin:end], channels, forward, backward, clicks, starts, sizes, work
        )
        _count(work[0], work[1], late_clicks, starts, forward, np.uint64(1), grid, counts)
        _count(work[2], work[3], late_starts, clicks, backward, ~np.uint64(0), grid, counts)
    events[0] += sizes[0] - before[0]
    events[1] += sizes[1] - before[1]


@kernel
def _split(
    time: UInt64Array,
    channel: Int32Array,
    channels: Int32Array,
    forward: np.uint64,
    backward: np.uint64,
    clicks: UInt64Array,
    starts: UInt64Array,
    sizes: Int64Array,
    work: UInt64Array,
) -> tuple[np.uint64, np.uint64]:
    """Append tags to their channels, without a branch; note those that have a partner, and its place."""
    one = np.uint64(1)
    click, start = channels[0], channels[1]
    n_clicks, n_starts = np.uint64(sizes[0]), np.uint64(sizes[1])
    last_click, last_start = clicks[n_clicks - one], starts[n_starts - one]
    late_clicks = late_starts = np.uint64(0)
    for i in range(len(time)):
        t = time[i]
        is_click, is_start = channel[i] == click, channel[i] == start
        work[0, late_clicks] = t
        work[1, late_clicks] = n_starts - one
        late_clicks += np.uint64(is_click & (t - last_start < forward))
        work[2, late_starts] = t
        work[3, late_starts] = n_clicks - one
        late_starts += np.uint64(is_start & (t - last_click < backward))
        clicks[n_clicks] = t
        starts[n_starts] = t
        n_clicks += np.uint64(is_click)
        n_starts += np.uint64(is_start)
        last_click = t if is_click else last_click
        last_start = t if is_start else last_start
    sizes[0], sizes[1] = n_clicks, n_starts
    return late_clicks, late_starts


@kernel
def _count(
    times: UInt64Array,
    places: UInt64Array,
    size: np.uint64,
    partners: UInt64Array,
    reach: np.uint64,
    sign: np.uint64,
    grid: UInt64Array,
    counts: Int64Array,
) -> None:
    """Count the pairs of `size` tags with all partners closer than `reach`, from the nearest (given) one on."""
    one = np.uint64(1)
    offset, width, multiplier, shift = grid[1], grid[2], grid[3], grid[4]
    for _ in range(LAYERS):
        left = np.uint64(0)
        for i in range(size):
            t, place = times[i], places[i]
            counts[_divided(offset + sign * (t - partners[place]), width, multiplier, shift)] += 1
            times[left] = t
            places[left] = place - one
            left += np.uint64(t - partners[place - one] < reach)
        size = left
    for i in range(size):
        t, place = times[i], places[i]
        while t - partners[place] < reach:
            counts[_divided(offset + sign * (t - partners[place]), width, multiplier, shift)] += 1
            place -= one


@kernel
def _divided(x: np.uint64, width: np.uint64, multiplier: np.uint64, shift: np.uint64) -> np.uint64:
    return np.uint64((x * multiplier) >> shift if multiplier else x // width)


@kernel
def drop_old(time: UInt64Array, grid: UInt64Array, clicks: UInt64Array, starts: UInt64Array, sizes: Int64Array) -> None:
    """Keep of `clicks` and `starts` what a tag after `time` can reach."""
    now = time[len(time) - 1]
    sizes[0] = _dropped(clicks, sizes[0], now, grid[1] + np.uint64(1))
    sizes[1] = _dropped(starts, sizes[1], now, grid[0] - grid[1])


@kernel
def _dropped(times: UInt64Array, size: int, now: np.uint64, reach: np.uint64) -> int:
    first, last = 1, size
    while first < last:
        middle = (first + last) // 2
        if now - times[middle] >= reach:
            first = middle + 1
        else:
            last = middle
    for i in range(first, size):
        times[1 + i - first] = times[i]
    return 1 + size - first
