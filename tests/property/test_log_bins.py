"""HistogramLogBins and HistogramCustomBins against their oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.enums import GatedChannelInitial
from tagwire.core.tags import TagBlock, TagType
from tagwire.measurements.gates import ChannelGate
from tagwire.measurements.logbins import HistogramCustomBins, HistogramLogBins
from tagwire.testing.oracles.logbins import Gate, LogBins, log_bins
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, 4)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**63 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
pairs_of_channels = st.sampled_from([(1, 2), (2, 1), (1, 1)])
gates = st.one_of(st.none(), st.tuples(*[st.sampled_from(CHANNELS)] * 2, st.booleans()).filter(lambda g: g[0] != g[1]))
edge_lists = st.lists(st.one_of(st.integers(0, 120), st.integers(0, 5000)), min_size=2, max_size=12, unique=True).map(
    sorted
)


def gate_of(gate: Gate | None) -> ChannelGate | None:
    return gate and ChannelGate(gate[0], gate[1], GatedChannelInitial(gate[2]))


def assert_equal(measured: HistogramLogBins, expected: LogBins) -> None:
    data = measured.getDataObject()
    assert data.getCounts().tolist() == measured.getData().tolist() == expected.counts
    assert (data.accumulation_time_click, data.accumulation_time_start) == expected.durations
    assert data.capture_duration == measured.getCaptureDuration()
    normal = expected.normalization() or [np.nan] * len(expected.counts)
    np.testing.assert_allclose(data.getG2Normalization(), normal, rtol=1e-12)
    g2 = [h / n if n > 0 else np.nan for h, n in zip(expected.counts, normal, strict=True)]
    np.testing.assert_allclose(data.getG2(), g2, rtol=1e-12)


@given(st.data(), blocks, pairs_of_channels, edge_lists, gates, gates)
def test_counts_and_normalisation_do_not_depend_on_the_cuts(data, block, channels, edges, click_gate, start_gate):
    tagger = SteppedTagger(block, CHANNELS)
    measured = HistogramCustomBins(tagger, *channels, edges, gate_of(click_gate), gate_of(start_gate))
    tagger.play(data.draw(cuts(block)))
    assert_equal(measured, log_bins(block, *channels, edges, click_gate, start_gate))


@given(st.data(), blocks, st.lists(st.integers(0, 10**6), max_size=3), gates)
@settings(max_examples=40)
def test_no_pair_and_no_time_spans_an_error(data, block, errors, gate):
    block = with_errors(block, errors)
    tagger = SteppedTagger(block, CHANNELS)
    measured = HistogramCustomBins(tagger, 1, 2, [0, 3, 50, 4000], gate_of(gate))
    tagger.play(data.draw(cuts(block)))
    assert_equal(measured, log_bins(block, 1, 2, [0, 3, 50, 4000], gate))


@given(st.data(), blocks, gates)
@settings(max_examples=40)
def test_no_pair_and_no_time_spans_a_pause(data, block, gate):
    stopped, started = sorted(data.draw(st.tuples(*[st.integers(block.begin, block.end)] * 2)))
    tagger = SteppedTagger(block, CHANNELS)
    measured = HistogramCustomBins(tagger, 1, 2, [0, 3, 50, 4000], gate_of(gate))
    tagger.advance(stopped)
    measured.stop()
    tagger.advance(started)
    measured.start()
    tagger.play(data.draw(cuts(block)))
    parts = [log_bins(b, 1, 2, [0, 3, 50, 4000], gate) for b in (block.split(stopped)[0], block.split(started)[1])]
    counts, areas, seen, times = zip(*[(p.counts, p.areas, p.events, p.durations) for p in parts], strict=True)
    both = [sum(c) for c in zip(*counts, strict=True)], [sum(a) for a in zip(*areas, strict=True)]
    sums = [tuple(sum(x) for x in zip(*pair, strict=True)) for pair in (seen, times)]
    assert_equal(measured, LogBins(*both, *sums))


@given(st.data(), st.integers(-3, 8), st.integers(1, 9), st.integers(0, 80))
@settings(max_examples=20)
def test_long_silences_and_lags(data, exponent, bins, tags):
    """Lags of up to days, and a capture of three months."""
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    time = np.sort(rng.integers(-(2**62), 2**62 - 2, tags, dtype=np.int64))
    block = TagBlock(-(2**62), 2**62 - 1, time, rng.integers(1, 3, tags).astype(np.int32))
    tagger = SteppedTagger(block, CHANNELS)
    measured = HistogramLogBins(tagger, 1, 2, exponent - 4, 6.36, bins)
    tagger.play(data.draw(cuts(block)))
    assert_equal(measured, log_bins(block, 1, 2, measured.getBinEdges().tolist()))


@given(st.data(), st.integers(200, 3000), st.sampled_from([1, 3, 40]), pairs_of_channels)
@settings(max_examples=30)
def test_many_tags(data, tags, step, channels):
    """Enough that starts are dropped and arrays grow."""
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    time = np.cumsum(rng.integers(0, step + 1, tags))
    block = TagBlock(0, int(time[-1]) + 1, time, rng.integers(1, data.draw(st.sampled_from([3, 9])), tags, np.int32))
    tagger = SteppedTagger(block, range(1, 9))
    measured = HistogramCustomBins(tagger, *channels, [0, 1, 2, 5, 20, 100, 500])
    tagger.play(data.draw(st.lists(st.integers(0, block.end), max_size=60)))
    clicks, starts = (time[block.channel == c] for c in channels)
    taus = (clicks[:, None] - starts[None, :]).ravel()
    expected = np.histogram(taus, [0, 1, 2, 5, 20, 100, 499.5])[0]
    expected[0] -= len(clicks) if channels[0] == channels[1] else 0
    assert measured.getData().tolist() == expected.tolist()


def with_errors(block: TagBlock, places: list[int]) -> TagBlock:
    """Some time tags turned into error tags."""
    kinds, missed = block.types.copy(), block.missed_events.copy()
    plain = np.flatnonzero(kinds == TagType.TimeTag)
    channel = block.channel.copy()
    for place in places if len(plain) else []:
        kinds[plain[place % len(plain)]] = TagType.Error
        channel[plain[place % len(plain)]] = -134217728
    return TagBlock(block.begin, block.end, block.time, channel, kinds, missed)
