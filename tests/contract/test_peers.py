"""The same counts as independent public programs, bin for bin, where their conventions are ours (see docs/peers.md).

The programs come with the extra `peers`; a test whose program is not installed is skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from tagwire.core.models import TIME_TAGGER_ULTRA
from tagwire.core.tags import TagBlock, join
from tagwire.engine.iterator import IteratorBase
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.logbins import HistogramCustomBins
from tagwire.recording.files import open_recording
from tagwire.sources.light import PoissonLight
from tagwire.sources.simulated import SimulatedSource
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.coincidence import Coincidence

RECORDING = "hbt_320MHz_T2.ptu"
CUTS = 9

Measurement = TypeVar("Measurement", bound=IteratorBase)


@pytest.fixture(params=["simulated", "recorded"])
def light(request) -> TagBlock:
    """Two channels of light: random clicks and clicks that come together; or a real g2 experiment."""
    if request.param == "simulated":
        return simulated()
    return recorded(request.getfixturevalue("recordings"))


def recorded(folder: Path) -> TagBlock:
    """All of the recording."""
    source = open_recording(folder / RECORDING)
    return join(list(iter(lambda: source.read(10**13, source.channels), None)))


def simulated() -> TagBlock:
    """A quarter of a second of two channels, half of whose clicks are pairs a few ns apart."""
    source = SimulatedSource(TIME_TAGGER_ULTRA, seed=5)
    source.illuminate([1, 2], PoissonLight(1e5))
    block = source.read(25 * 10**10, frozenset([1, 2]))
    assert block is not None
    rng = np.random.default_rng(5)
    first = block.time[rng.random(len(block)) < 0.5]
    partner = first + rng.integers(-5000, 5000, len(first))
    time = np.concatenate([block.time, partner])
    channel = np.concatenate([block.channel, rng.integers(1, 3, len(partner))])
    order = np.argsort(time, kind="stable")
    time = time[order] + 5000
    return TagBlock(0, int(time[-1]) + 1, time, channel[order].astype(np.int32))


def played(block: TagBlock, create: Callable[[SteppedTagger], Measurement]) -> Measurement:
    """A measurement that has seen the whole block, in parts."""
    tagger = SteppedTagger(block)
    measurement = create(tagger)
    tagger.play(np.linspace(block.begin, block.end, CUTS, dtype=np.int64)[1:-1].tolist())
    return measurement


def on(block: TagBlock, channel: int) -> np.ndarray:
    """Times of a channel."""
    return block.time[block.channel == channel]


@pytest.mark.parametrize(("binwidth", "n_bins"), [(1, 20_001), (1000, 2000), (50_000, 401), (7, 1001)])
def test_correlation_is_that_of_pytimetag(light, binwidth, n_bins):
    kernel = pytest.importorskip("pytimetag.analysers.HistogramAnalyser").analysisOneListJIT
    ours = played(light, lambda tagger: Correlation(tagger, 1, 2, binwidth, n_bins)).getData()
    begin = -(n_bins // 2 * binwidth + binwidth // 2)
    end = begin + n_bins * binwidth
    theirs = kernel(on(light, 2), on(light, 1), begin, end, n_bins, 1)
    # Their last bin includes its right edge.
    theirs[-1] -= np.isin(on(light, 1) - end, on(light, 2)).sum()
    assert ours.sum() > 50
    assert ours.tolist() == theirs.tolist()


def test_histogram_is_that_of_pytimetag(light):
    kernel = pytest.importorskip("pytimetag.analysers.HistogramAnalyser").analysisOneListJIT
    ours = played(light, lambda tagger: Histogram(tagger, 1, 2, 500, 4000)).getData()
    theirs = kernel(on(light, 2), on(light, 1), 0, 2_000_000, 4000, 1)
    theirs[-1] -= np.isin(on(light, 1) - 2_000_000, on(light, 2)).sum()
    assert ours.sum() > 1000
    assert ours.tolist() == theirs.tolist()


def test_histogram_of_many_starts_for_each_click_is_that_of_pytimetag():
    """A laser's pulses as starts: the clicks look for them, not the other way round."""
    kernel = pytest.importorskip("pytimetag.analysers.HistogramAnalyser").analysisOneListJIT
    clicks, starts = on(simulated(), 1), np.arange(0, 10**9, 12_500)
    clicks = clicks[clicks < 10**9]
    time = np.concatenate([clicks, starts])
    order = np.argsort(time, kind="stable")
    channel = np.repeat(np.array([1, 2], np.int32), [len(clicks), len(starts)])[order]
    block = TagBlock(0, 10**9, time[order], channel)
    ours = played(block, lambda tagger: Histogram(tagger, 1, 2, 50, 1000)).getData()
    theirs = kernel(starts, clicks, 0, 50_000, 1000, 1)
    theirs[-1] -= np.isin(clicks - 50_000, starts).sum()
    assert ours.sum() > 100
    assert ours.tolist() == theirs.tolist()


def test_log_bins_are_those_of_pycorrelate(light):
    correlate = pytest.importorskip("pycorrelate.pycorrelate").pcorrelate
    edges = np.unique(np.rint(np.logspace(3, 10, 36)).astype(np.int64))
    ours = played(light, lambda tagger: HistogramCustomBins(tagger, 1, 2, edges.tolist())).getData()
    # They divide by the width of the bin.
    theirs = np.rint(correlate(on(light, 2), on(light, 1), edges) * np.diff(edges)).astype(np.uint64)
    assert ours.sum() > 10**6
    assert ours.tolist() == theirs.tolist()


def test_log_bins_are_those_of_libtimetag(light):
    correlate = pytest.importorskip("libtimetag").correlate_fcs
    edges = np.unique(np.rint(np.logspace(3, 11, 41)).astype(np.int64))
    ours = played(light, lambda tagger: HistogramCustomBins(tagger, 1, 2, edges.tolist())).getData()
    assert ours.tolist() == np.asarray(correlate(edges, on(light, 2), on(light, 1))).tolist()


def test_correlation_is_that_of_libtimetag(light):
    correlate = pytest.importorskip("libtimetag").correlate_lin
    edges = np.arange(-10_000, 10_002)
    ours = played(light, lambda tagger: Correlation(tagger, 1, 2, 1, 20_001)).getData()
    assert ours.tolist() == np.asarray(correlate(edges, on(light, 2), on(light, 1))).tolist()


def test_short_lags_are_those_of_tttrlib(light):
    """Its first cascade has bins of one unit of time, here 1 µs, and none for lag 0; see docs/peers.md."""
    tttrlib = pytest.importorskip("tttrlib")
    unit = 10**6
    coarse = TagBlock(0, light.end // unit + 1, light.time // unit, light.channel)
    correlator = tttrlib.Correlator()
    correlator.method = "wahl"
    correlator.n_bins, correlator.n_casc = 30, 1
    starts, clicks = on(coarse, 2).astype(np.uint64), on(coarse, 1).astype(np.uint64)
    # In one call: with set_macrotimes and set_weights one after the other it writes behind its arrays.
    correlator.set_events(starts, np.ones(len(starts)), clicks, np.ones(len(clicks)))
    lags = correlator.get_x_axis().astype(int)[1:]
    ours = played(coarse, lambda tagger: HistogramCustomBins(tagger, 1, 2, list(range(lags[-1] + 2)))).getData()
    assert ours.sum() > 1000
    assert ours[lags].tolist() == correlator.get_corr()[1:].tolist()


def test_a_recording_has_the_tags_that_tttrlib_reads(recordings):
    tttrlib = pytest.importorskip("tttrlib")
    theirs = tttrlib.TTTR(str(recordings / RECORDING), "PTU")
    ours = recorded(recordings)
    assert ours.time.tolist() == theirs.macro_times.tolist()
    assert (ours.channel - 1).tolist() == theirs.routing_channels.tolist()


def test_coincidences_of_lone_pairs_are_those_of_tangy():
    """Pairs far from each other and closer than half the window; else it counts otherwise, see docs/peers.md."""
    tangy = pytest.importorskip("tangy")
    rng = np.random.default_rng(6)
    first = np.arange(1, 20_001) * 10**6
    partner = first + rng.choice([100, 300, 490, 5000, 70_000], len(first))
    time = np.column_stack([first, partner]).ravel()
    channel = np.column_stack([rng.integers(1, 3, len(first)), rng.integers(1, 3, len(first))]).ravel()
    block = TagBlock(0, int(time[-1]) + 1, time, channel.astype(np.int32))

    def counted(tagger: SteppedTagger) -> Countrate:
        tagger.pair = Coincidence(tagger, [1, 2], 1000)
        return Countrate(tagger, [tagger.pair.getChannel()])

    ours = int(played(block, counted).getCountsTotal()[0])
    buffer = tangy.TangyBuffer(
        "tagwire_peers", 1e-12, channel_count=2, capacity=len(block) + 1, format=tangy.TangyBufferType.Standard
    )
    buffer.push((block.channel - 1).astype(np.uint8), block.time.astype(np.uint64))
    assert ours > 5000
    assert ours == buffer.coincidence_count(buffer.time_in_buffer() + 1e-9, 1e-9, [0, 1])
