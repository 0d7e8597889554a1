"""Pairs of tags counted in bins of any width, up to lags of many tags, and the span of time such pairs can come from.

A pair with ``tau = t(click) - t(start)`` lies in bin k when ``edges[k] <= tau < edges[k + 1]``. For each edge there is
the number of starts at least that much older than a click; it only grows from click to click, and the difference of
two neighbours is what the click adds to a bin. So the cost is (clicks + starts) times edges, whatever the number of
pairs.
"""

from __future__ import annotations

import numpy as np

from tagwire.core.arrays import Float64Array1D
from tagwire.core.tags import Int64Array, UInt64Array
from tagwire.kernel import kernel

NEVER = 2**62
"""Time of a start that is never reached; every other time is less, in ps after an origin."""

WIDE, LONG = np.uint64(8), np.uint64(16)
"""Clicks and starts that are compared at once, each with each: without a branch, so that the compiler vectorises it."""


class LagCounter:
    """Counts pairs by their lag, from tags in order of time.

    Parameters
    ----------
    edges
        Edges of the bins in ps, int64, ascending, from 0 on, at most 2**61.

    Attributes
    ----------
    ranks : ndarray of uint64, shape (edges,)
        For each edge the sum over all clicks of the number of starts at least that much older, modulo 2**64 and up to
        a number that is the same for all edges.

    Notes
    -----
    Only the starts that a later click can still reach are kept; the array that holds them grows by doubling.
    """

    def __init__(self, edges: Int64Array) -> None:
        self._edges = edges
        self._starts: Int64Array = np.full(1024, NEVER)
        self._size = 0
        self._places: UInt64Array = np.zeros(len(edges), np.uint64)
        self.ranks: UInt64Array = np.zeros(len(edges), np.uint64)

    @property
    def counts(self) -> UInt64Array:
        """Pairs in each bin, uint64, shape (edges - 1,); those of a tag with itself have lag 0."""
        return self.ranks[:-1] - self.ranks[1:]

    def add(self, clicks: Int64Array, starts: Int64Array, end: int) -> None:
        """Count the pairs that the tags up to `end` complete, in ps after the origin."""
        self._append(starts)
        if len(clicks):
            excess = -len(clicks) % int(WIDE)
            padded = np.concatenate([clicks, np.full(excess, clicks[-1])])
            _rank(padded, np.uint64(excess), self._starts, self._edges, self._places, self.ranks)
        self._drop(int(np.searchsorted(self._starts[: self._size], end - int(self._edges[-1]), side="right")))

    def move(self, by: int) -> None:
        """Set the origin later by so many ps."""
        self._starts[: self._size] -= by if self._size else 0

    def forget(self) -> None:
        """Let no pair span this point of the stream."""
        self._size = 0
        self._starts[:] = NEVER
        self._places[:] = 0

    def _append(self, starts: Int64Array) -> None:
        size = self._size + len(starts)
        if size + int(LONG) > len(self._starts):
            grown = np.full(2 * (size + int(LONG)), NEVER)
            grown[: self._size] = self._starts[: self._size]
            self._starts = grown
        self._starts[self._size : size] = starts
        self._size = size

    def _drop(self, old: int) -> None:
        """Drop the first starts; only when they are many, so that moving the others costs little."""
        if 2 * old <= self._size:
            return
        left = self._size - old
        self._starts[:left] = self._starts[old : self._size].copy()
        self._starts[left : self._size] = NEVER
        self._places -= np.minimum(self._places, np.uint64(old))
        self._size = left


class Overlap:
    """For each bin the integral over all moments of clicks and starts whose lag lies in it, as evaluation allowed them.

    While clicks are evaluated at time c, starts can come from the bin's range of lags before c; the time in that range
    during which starts were evaluated is summed over c. Without any interruption of a capture of length T that is the
    integral of ``T - tau`` over the bin.

    Parameters
    ----------
    edges
        As for `LagCounter`.

    Attributes
    ----------
    areas : ndarray of float64, shape (edges - 1,)
        The integrals in ps².
    """

    def __init__(self, edges: Int64Array) -> None:
        self._edges = edges
        self._turns: Int64Array = np.empty(0, np.int64)
        self._places: Int64Array = np.zeros(len(edges), np.int64)
        self._lengths: Int64Array = np.zeros(len(edges) - 1, np.int64)
        self.areas: Float64Array1D = np.zeros(len(edges) - 1)

    def begin(self, starts_evaluated: bool) -> None:
        """Begin at time 0, before which nothing was evaluated."""
        self._turns = np.zeros(int(starts_evaluated), np.int64)
        self._places[:] = 0
        self._lengths[:] = 0

    def add(self, begin: int, end: int, click_turns: Int64Array, clicks_evaluated: bool, turns: Int64Array) -> None:
        """Go on from `begin` to `end`.

        Parameters
        ----------
        begin, end
            Times in ps after the origin.
        click_turns, turns
            When the evaluation of clicks and of starts began or ended within that span, in turn.
        clicks_evaluated
            Whether clicks were evaluated at `begin`.
        """
        self._turns = np.concatenate([self._turns, turns])
        _integrate(
            begin,
            end,
            self._edges,
            self._turns,
            self._places,
            click_turns,
            clicks_evaluated,
            self._lengths,
            self.areas,
        )
        # An even number, so that turns at even places stay those that begin.
        old = int(self._places[-1]) // 2 * 2
        self._turns = self._turns[old:]
        self._places -= old

    def move(self, by: int) -> None:
        """Set the origin later by so many ps."""
        self._turns = self._turns - by if len(self._turns) else self._turns


@kernel
def _rank(
    clicks: Int64Array,
    excess: np.uint64,
    starts: Int64Array,
    edges: Int64Array,
    places: UInt64Array,
    ranks: UInt64Array,
) -> None:
    """Add for each edge the number of starts at least that much older than each click, but the `excess` last ones.

    ``places[j]`` is that number for the latest click; the excess clicks equal the one before.
    """
    for i in range(np.uint64(0), np.uint64(len(clicks)), WIDE):
        last = clicks[i + WIDE - np.uint64(1)]
        for j in range(np.uint64(len(edges))):
            edge, place = edges[j], places[j]
            rank = WIDE * place
            passed = LONG
            while passed == LONG:
                passed = np.uint64(0)
                for b in range(LONG):
                    due = starts[place + b] + edge
                    passed += np.uint64(due <= last)
                    for a in range(WIDE):
                        rank += np.uint64(due <= clicks[i + a])
                place += passed
            places[j] = place
            ranks[j] += rank
    for j in range(len(edges)):
        ranks[j] -= excess * places[j]


@kernel
def _integrate(
    begin: int,
    end: int,
    edges: Int64Array,
    turns: Int64Array,
    places: Int64Array,
    click_turns: Int64Array,
    clicks_evaluated: bool,
    lengths: Int64Array,
    areas: Float64Array1D,
) -> None:
    """Advance every bin to `end`.

    ``lengths[k]`` is the evaluated time in the range of a bin, ``places[j]`` the number of turns an edge has passed.
    """
    for k in range(len(areas)):
        first, last, click = places[k], places[k + 1], 0
        now, length, area, counts = begin, lengths[k], 0.0, clicks_evaluated
        while now < end:
            rate = (first & 1) - (last & 1)
            until = end
            if first < len(turns):
                until = min(until, turns[first] + edges[k])
            if last < len(turns):
                until = min(until, turns[last] + edges[k + 1])
            if click < len(click_turns):
                until = min(until, click_turns[click])
            step = until - now
            if counts:
                area += (length + 0.5 * rate * step) * step
            length += rate * step
            now = until
            while first < len(turns) and turns[first] + edges[k] <= now:
                first += 1
            while last < len(turns) and turns[last] + edges[k + 1] <= now:
                last += 1
            while click < len(click_turns) and click_turns[click] <= now:
                counts = not counts
                click += 1
        lengths[k] = length
        areas[k] += area
    for j in range(len(edges)):
        while places[j] < len(turns) and turns[places[j]] + edges[j] <= end:
            places[j] += 1
