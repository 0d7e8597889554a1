"""Pairs of tags counted by their time difference: the kernel behind every time histogram.

A tag is compared with the earlier tags of the other channel when it arrives, so each pair is met exactly once, by its
later tag, wherever blocks are cut. Which of two tags of equal time is called the later one does not matter, since both
ways count the same difference of zero. Where one of the channels is rare for the width of the histogram, its tags look
for their partners on both sides instead, see `pairs_rare`; that finds the same pairs.
"""

from __future__ import annotations

import numpy as np

from tagwire.core.arguments import INT32_MAX
from tagwire.core.tags import Int32Array, Int64Array, TagBlock
from tagwire.errors import ArgumentError
from tagwire.kernel import inner_kernel, kernel
from tagwire.measurements.gaps import stretches
from tagwire.measurements.pairs_rare import FIRST, SECOND, UInt64Array, divided, mark, pair_rare

SPAN_MAX = 2**61
"""Widest histogram in ps, about 27 days."""

CHUNK = 4096
"""Tags that are split at once; what is known of them stays in the first-level cache."""

STRETCH = 16 * CHUNK
"""Tags for which it is decided at once which way is taken."""

LAYERS = 4
"""Neighbours that are looked at for all tags together, without a branch per tag, before each tag walks alone."""

SPARSE = 4
"""Number of widths of the histogram that a stretch must at least last for `pairs_rare` to be of use; two for each rare
tag are needed as well."""

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
        Distance in ps of tau = 0 from the left edge of bin 0, less than the whole width: bin k holds
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
        self.work: UInt64Array = np.empty((6, CHUNK), np.uint64)

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


@inner_kernel
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
    offset, one, minus = grid[1], np.uint64(1), ~np.uint64(0)
    forward, backward = grid[0] - offset, offset + np.uint64(1)
    click, start = channels[0], channels[1]
    n_clicks, n_starts = np.uint64(sizes[0]), np.uint64(sizes[1])
    for begin in range(0, len(time), STRETCH):
        end = min(begin + STRETCH, len(time))
        marks = work[4:].reshape(-1).view(np.uint8)[: end - begin]
        new_clicks, new_starts = mark(channel[begin:end], click, start, marks)
        events[0] += new_clicks
        events[1] += new_starts
        rare = min(new_clicks, new_starts)
        space = (time[end - 1] - time[begin]) // np.uint64(max(SPARSE, 2 * rare))
        split = click == start or forward + backward > space
        size = STRETCH if rare < CHUNK and not split else CHUNK
        for low in range(begin, end, size):
            high = min(low + size, end)
            t, c, m = time[low:high], channel[low:high], marks[low - begin : high - begin]
            if split:
                late_clicks, late_starts, n_clicks, n_starts = _split(
                    t, c, click, start, forward, backward, clicks, n_clicks, starts, n_starts, work
                )
                _count(work[0], work[1], late_clicks, starts, forward, one, grid, counts)
                _count(work[2], work[3], late_starts, clicks, backward, minus, grid, counts)
            elif new_clicks < new_starts:
                n_clicks, n_starts = pair_rare(
                    t, c, click, start, FIRST, forward, backward, one,
                    clicks, n_clicks, starts, n_starts, m, work, grid, counts,
                )  # fmt: skip
            else:
                n_starts, n_clicks = pair_rare(
                    t, c, start, click, SECOND, backward, forward, minus,
                    starts, n_starts, clicks, n_clicks, m, work, grid, counts,
                )  # fmt: skip
    sizes[0], sizes[1] = n_clicks, n_starts


@kernel
def _split(
    time: UInt64Array,
    channel: Int32Array,
    click: np.int32,
    start: np.int32,
    forward: np.uint64,
    backward: np.uint64,
    clicks: UInt64Array,
    n_clicks: np.uint64,
    starts: UInt64Array,
    n_starts: np.uint64,
    work: UInt64Array,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Append tags to their channels, without a branch; note those that have a partner, and its place."""
    one = np.uint64(1)
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
    return late_clicks, late_starts, n_clicks, n_starts


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
            counts[divided(offset + sign * (t - partners[place]), width, multiplier, shift)] += 1
            times[left] = t
            places[left] = place - one
            left += np.uint64(t - partners[place - one] < reach)
        size = left
    for i in range(size):
        t, place = times[i], places[i]
        while t - partners[place] < reach:
            counts[divided(offset + sign * (t - partners[place]), width, multiplier, shift)] += 1
            place -= one


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
