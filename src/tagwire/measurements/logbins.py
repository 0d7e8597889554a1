"""Histograms over many orders of magnitude in time, with the normalisation to g2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tagwire.core.arguments import integer, real, sequence
from tagwire.core.arrays import Float64Array1D, Int64Array1D, UInt64Array1D
from tagwire.core.tags import Int64Array, TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.measurements.gates import ChannelGate, describe, require_gate
from tagwire.measurements.lags import NEVER, LagCounter, Overlap
from tagwire.measurements.logbins_data import HistogramLogBinsData
from tagwire.measurements.pairs import SPAN_MAX
from tagwire.measurements.watch import Watch

LOG10_PS = 12
"""A second is ten to this many ps."""

BINS_MAX = 2**24
"""Most bins; each costs time with every tag, so even this many is no use."""


class HistogramLogBins(IteratorBase):
    """Histogram of ``tau = t(click) - t(start)`` in bins whose widths grow with tau by a constant factor.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel
        Channel of the clicks.
    start_channel
        Channel of the starts; equal to `click_channel`: autocorrelation.
    exp_start
        The first bin begins at ``10**exp_start`` s.
    exp_stop
        The last bin ends at ``10**exp_stop`` s; more than `exp_start`, at most 2**61 ps.
    n_bins
        Number of bins, at least 1.
    click_gate, start_gate
        When clicks and starts are evaluated; `None`: always.

    Notes
    -----
    The edges are ``10**(exp_start + i / n_bins * (exp_stop - exp_start))`` s, rounded to whole ps; bins that then have
    no width are left out, so there may be less than `n_bins`. Bin k holds ``edges[k] <= tau < edges[k + 1]``. All pairs
    are counted, exactly. In an autocorrelation no tag is paired with itself.

    Time tags are counted while the gate of their channel is open. A pair counts when its click and its start both do,
    whatever the gates did in between. Gate tags act in the order of the stream, also at equal times, and a tag that is
    both is first judged by the state before it. Between OverflowBegin and OverflowEnd nothing is evaluated, and the
    gates go back to their initial state; pairs may span an overflow, and the normalisation knows of the time lost. No
    pair spans an error tag or a pause of the capture, and the normalisation knows of that as well. Missed events change
    nothing.

    The cost is (clicks + starts) x bins and that of gates is their tags x bins; starts are kept while the last bin can
    still reach them.
    """

    _concurrent = True

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int,
        exp_start: float,
        exp_stop: float,
        n_bins: int,
        click_gate: ChannelGate | None = None,
        start_gate: ChannelGate | None = None,
    ) -> None:
        require_tagger(tagger)
        limit = math.log10(SPAN_MAX) - LOG10_PS
        first, last = real(exp_start, "exp_start", -300, limit), real(exp_stop, "exp_stop", -300, limit)
        bins = integer(n_bins, "n_bins", 1, BINS_MAX)
        if first >= last:
            raise ArgumentError(f"exp_stop is {last:g}, but must be more than exp_start, {first:g}")
        edges = np.unique(np.rint(10.0 ** (LOG10_PS + np.linspace(first, last, bins + 1))).astype(np.int64))
        if len(edges) < 2:
            raise ArgumentError(f"exp_start is {first:g} and exp_stop {last:g}, but 1 ps must lie between the edges")
        params = {"exp_start": first, "exp_stop": last, "n_bins": bins}
        self._measure(tagger, click_channel, start_channel, edges, params, click_gate, start_gate)

    def _measure(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int,
        edges: Int64Array,
        params: dict[str, Any],
        click_gate: ChannelGate | None,
        start_gate: ChannelGate | None,
    ) -> None:
        """Set up and begin; for all kinds of bins."""
        click, start = tagger._channel(click_channel, "click_channel"), tagger._channel(start_channel, "start_channel")
        gates = require_gate(click_gate, "click_gate", tagger), require_gate(start_gate, "start_gate", tagger)
        params = {"click_channel": click, "start_channel": start, **params}
        params |= {"click_gate": describe(gates[0]), "start_gate": describe(gates[1])}
        inputs = [c for gate in gates if gate for c in (gate.gate_open_channel, gate.gate_close_channel)]
        IteratorBase.__init__(self, tagger, [click, start, *inputs], params)
        self._edges = edges
        self._watch = Watch(click, start, *gates)
        self._lags = LagCounter(edges)
        self._overlap = Overlap(edges)
        self._origin: int | None = None
        self._launch()

    def getDataObject(self) -> HistogramLogBinsData:
        """Counts and normalisation as they are now."""
        data = HistogramLogBinsData.__new__(HistogramLogBinsData)
        with self._lock:
            data._counts, data._areas = self._lags.counts, self._overlap.areas.copy()
            clicks, starts, both = self._watch.events.tolist()
            click_time, start_time = self._watch.durations.tolist()
            data._captured = self._captured
        data._counts[0] -= np.uint64(both if self._edges[0] == 0 else 0)
        data._events, data._durations = (clicks, starts), (click_time, start_time)
        return data

    def getBinEdges(self) -> Int64Array1D:
        """Edges of the bins in ps, int64, shape (bins + 1,)."""
        return self._edges.copy()

    def getData(self) -> UInt64Array1D:
        """Pairs in each bin, uint64, shape (bins,); `getDataObject` gives them with their normalisation."""
        return self.getDataObject().getCounts()

    def getDataNormalizedCountsPerPs(self) -> Float64Array1D:
        """Pairs per ps of each bin's width, float64, shape (bins,)."""
        return self.getData() / np.diff(self._edges)

    def getDataNormalizedG2(self) -> Float64Array1D:
        """The same as ``getDataObject().getG2()``."""
        return self.getDataObject().getG2()

    def _process(self, block: TagBlock) -> None:
        middle = (block.begin + block.end) // 2
        if block.end - block.begin > SPAN_MAX:
            for half in block.split(middle):
                self._process(half)
            return
        errors = [] if block.plain else np.flatnonzero(block.type == TagType.Error).tolist()
        edges = [0, *errors, len(block)]
        times = [block.begin, *block.time[errors].tolist(), block.end]
        for number, (low, high) in enumerate(pairwise(edges)):
            if number > 0:
                self._break_off()
            part = slice(low, high)
            kinds = block.type[part], block.missed[part]
            self._fold(TagBlock(times[number], times[number + 1], block.time[part], block.channel[part], *kinds))

    def _fold(self, block: TagBlock) -> None:
        """Add a part of the stream without an error in it, no longer than `SPAN_MAX`."""
        origin = self._place_origin(block)
        clicks_evaluated, _ = self._watch.evaluated()
        clicks, starts, click_turns, start_turns = self._watch.sort(block, origin)
        begin, end = block.begin - origin, block.end - origin
        self._lags.add(clicks, starts, end)
        self._overlap.add(begin, end, click_turns, clicks_evaluated, start_turns)

    def _place_origin(self, block: TagBlock) -> int:
        """Time that others are counted from, so that none comes near the limits of int64."""
        if self._origin is None:
            self._origin = block.begin
            self._overlap.begin(self._watch.evaluated()[1])
        if block.end - self._origin > NEVER:
            later = block.begin - SPAN_MAX
            self._lags.move(later - self._origin)
            self._overlap.move(later - self._origin)
            self._origin = later
        return self._origin

    def _break_off(self) -> None:
        """Let no pair span this point of the stream."""
        self._lags.forget()
        self._origin = None

    def _forget(self) -> None:
        self._watch.forget()
        self._break_off()

    def _reset(self) -> None:
        self._forget()
        self._watch.reset()
        self._lags.ranks[:] = 0
        self._overlap.areas[:] = 0


class HistogramCustomBins(HistogramLogBins):
    """Histogram of ``tau = t(click) - t(start)`` in bins of any widths.

    Parameters
    ----------
    tagger
        Time Tagger object.
    click_channel, start_channel
        As for `HistogramLogBins`.
    binedges
        Edges of the bins in ps: at least two, ascending, within ``[0, 2**61]``.
    click_gate, start_gate
        As for `HistogramLogBins`.

    Notes
    -----
    Everything else is as in `HistogramLogBins`. For many bins that are narrower than the time between tags, `Histogram`
    is faster.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        click_channel: int,
        start_channel: int,
        binedges: Sequence[int],
        click_gate: ChannelGate | None = None,
        start_gate: ChannelGate | None = None,
    ) -> None:
        require_tagger(tagger)
        edges = _edges(binedges)
        params = {"binedges": edges}
        array: Int64Array = np.array(edges, np.int64)
        self._measure(tagger, click_channel, start_channel, array, params, click_gate, start_gate)


def _edges(values: Any) -> list[int]:
    """Edges of bins as ints."""
    values = sequence(values, "binedges", "integers")
    if not 2 <= len(values) <= BINS_MAX + 1:
        raise ArgumentError(f"binedges has {len(values)} values, but must have within [2, {BINS_MAX + 1}]")
    edges = [integer(v, f"binedges[{i}]", 0, SPAN_MAX) for i, v in enumerate(values)]
    for i, (left, right) in enumerate(pairwise(edges)):
        if left >= right:
            raise ArgumentError(f"binedges[{i + 1}] is {right}, but must be more than binedges[{i}], {left}")
    return edges
