"""Offset and drift between two clocks, from photons that belong together: pairs, or pulses of light that both see.

After Ho, Lamas-Linares and Kurtsiefer, Clock synchronization by remote detection of correlated photon pairs, New J.
Phys. 11, 045011 (2009): clicks that belong together make a peak in the distribution of the time differences. It is
found in a stretch so short that the clocks do not drift by more than a coarse bin, and followed from there on with ever
longer and finer steps.
"""

from __future__ import annotations

import numpy as np

from tagwire.core.arguments import integer, real
from tagwire.core.tags import Int64Array
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.network.offsets import ClockOffset, fit_offset

SIGNIFICANT = 8.0
"""Standard deviations of chance by which the peak must stick out of the other bins."""

STEPS = 40
"""Number of stretches in which the peak is followed, with each step size."""

MOST_BINS = 2**21


def offset_from_light(
    reference: Int64Array, other: Int64Array, largest: int = 10**9, max_drift: float = 2e-5, width: int = 1_000
) -> ClockOffset:
    """Compare two clocks by clicks that belong together, among many that do not.

    Parameters
    ----------
    reference, other
        Times of the clicks of one channel by each clock, in order.
    largest
        Largest offset in ps that is looked for, to both sides, at the begin of the arrays.
    max_drift
        Largest drift that is looked for, to both sides.
    width
        Half width of the peak in ps, as far as it is known: about three times the rms of the jitter. Of light that
        repeats within `largest`, as laser pulses do, any of the peaks may be found.

    Raises
    ------
    ArgumentError
        (ValueError) There is no peak, so no common light, or too little of it.
    """
    reach, breadth = integer(largest, "largest", 1, 10**13), integer(width, "width", 1, 10**9)
    drift = real(max_drift, "max_drift", 1e-12, 1e-2)
    begin, end = _common(reference, other, reach)
    bin_width = max(2 * breadth, -(-2 * reach // MOST_BINS))
    while True:
        span = begin, min(end, begin + int(bin_width / drift))
        try:
            line = _Line(begin, _peak(_cut(reference, *span), other, reach, bin_width))
            break
        except ArgumentError:
            # A longer stretch has more clicks, but asks for wider bins.
            if span[1] == end or bin_width > reach:
                raise
            bin_width *= 4
    return _narrow_down(line, reference, other, (begin, end), bin_width, breadth, drift)


def _narrow_down(
    line: _Line,
    reference: Int64Array,
    other: Int64Array,
    span: tuple[int, int],
    bin_width: int,
    width: int,
    drift: float,
) -> ClockOffset:
    """Follow the peak: first with ever finer steps in a short span, then in ever longer spans."""
    begin, end = span
    reach, fine = bin_width, bin_width
    length = int(STEPS * bin_width / drift)
    while True:
        until = min(end, begin + length)
        found = _follow(line, reference, other, (begin, until), 2 * reach, fine)
        if fine == width and until == end:
            return found
        line = _Line(found.time, found.offset, found.drift)
        length *= 1 if fine > width else STEPS // 2
        reach, fine = max(fine // 4, 5 * width), max(fine // 8, width)


class _Line:
    """Where the peak is expected: an offset in ps at a time, and the drift."""

    def __init__(self, time: int, offset: float, drift: float = 0.0) -> None:
        self.time, self.offset, self.drift = time, offset, drift

    def at(self, time: int) -> float:
        return self.offset + self.drift * (time - self.time)


def _common(reference: Int64Array, other: Int64Array, reach: int) -> tuple[int, int]:
    """Span of the reference clock in which both have clicks."""
    if not len(reference) or not len(other):
        raise ArgumentError("there are no clicks to compare the clocks by")
    begin = max(int(reference[0]), int(other[0]) - reach)
    end = min(int(reference[-1]), int(other[-1]) + reach)
    if end <= begin:
        raise ArgumentError(f"the clicks have no time in common, even with an offset of {reach} ps")
    return begin, end


def _peak(reference: Int64Array, other: Int64Array, reach: int, bin_width: int) -> float:
    """Offset at which the clicks of a short stretch have most partners."""
    counts = _histogram(reference, other, -reach, bin_width, -(-2 * reach // bin_width))
    # A peak may lie on the edge of two bins.
    both = counts[1:] + counts[:-1] if len(counts) > 1 else counts
    place, mean = int(both.argmax()), float(both.mean())
    if both[place] - mean < SIGNIFICANT * np.sqrt(mean + 1):
        raise ArgumentError(
            f"there is no common light: of {len(reference)} clicks at most {int(both[place])} have a partner at the "
            f"same offset within ±{reach} ps, and {mean:.1f} by chance; more light, or a smaller largest or max_drift, "
            "would help"
        )
    return -reach + (place + len(counts[:2]) / 2) * bin_width


def _follow(
    line: _Line, reference: Int64Array, other: Int64Array, span: tuple[int, int], reach: int, width: int
) -> ClockOffset:
    """Find the peak in stretches of a span, each near where those before make it expected."""
    begin, end = span
    edges = np.linspace(0, end - begin, STEPS + 1).astype(np.int64) + begin
    times, offsets = [], []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        clicks, middle = _cut(reference, low, high), (low + high) // 2
        moved = clicks + (line.drift * (clicks - line.time)).astype(np.int64) + round(line.offset)
        centre = _centre(_differences(moved, other, -reach, reach), width)
        if centre is None:
            continue
        times.append(middle)
        offsets.append(line.at(middle) + centre)
        slope = line.drift
        if len(times) >= 3:
            slope = float(np.polyfit(np.subtract(times, middle), offsets, 1)[0])
        line = _Line(middle, offsets[-1], slope)
    return fit_offset(np.array(times, np.int64), np.array(offsets))


def _centre(differences: Int64Array, width: int) -> float | None:
    """Middle of the densest part of the differences; `None` where there are too few."""
    if len(differences) < 3:
        return None
    ordered = np.sort(differences)
    within = np.searchsorted(ordered, ordered + 2 * width, "right") - np.arange(len(ordered))
    centre = float(ordered[within.argmax()] + width)
    for _ in range(5):
        near = ordered[np.abs(ordered - centre) <= width]
        if len(near) < 3:
            return None
        centre = float(near.mean())
    return centre


def _cut(times: Int64Array, begin: int, end: int) -> Int64Array:
    low, high = np.searchsorted(times, (begin, end))
    return times[low:high]


@kernel
def _histogram(reference: Int64Array, other: Int64Array, low: int, bin_width: int, bins: int) -> Int64Array:
    """Number of pairs of clicks by the difference of their times, from `low` on."""
    counts = np.zeros(bins, np.int64)
    high = low + bin_width * bins
    start = np.uint64(np.searchsorted(other, reference[0] + low)) if len(reference) else np.uint64(0)
    for t in reference:
        while start < np.uint64(len(other)) and other[start] < t + low:
            start += np.uint64(1)
        k = start
        while k < np.uint64(len(other)) and other[k] < t + high:
            counts[(other[k] - t - low) // bin_width] += 1
            k += np.uint64(1)
    return counts


@kernel
def _differences(reference: Int64Array, other: Int64Array, low: int, high: int) -> Int64Array:
    """Differences of the times of all pairs of clicks within ``[low, high)``."""
    out = np.empty(1024, np.int64)
    n = 0
    start = np.uint64(np.searchsorted(other, reference[0] + low)) if len(reference) else np.uint64(0)
    for t in reference:
        while start < np.uint64(len(other)) and other[start] < t + low:
            start += np.uint64(1)
        k = start
        while k < np.uint64(len(other)) and other[k] < t + high:
            if n == len(out):
                out = np.concatenate((out, out))
            out[n] = other[k] - t
            n += 1
            k += np.uint64(1)
    return out[:n]
