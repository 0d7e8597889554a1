"""The time histograms as a user meets them: types, shapes, indices, refusals, ties, limits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.pairs import CHUNK, PairCounter, clipped
from tagwire.measurements.startstop import StartStop
from tagwire.measurements.timedifferences import TimeDifferences
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

ALL = (Correlation, Histogram, StartStop, TimeDifferences)
WITH_BINS = (Correlation, Histogram, TimeDifferences)


def played(*tags: tuple[int, int], channels: tuple[int, ...] = (1, 2, 3, 4)) -> SteppedTagger:
    """A tagger that will play tags given as (time, channel)."""
    return SteppedTagger(block_of([(t, c, 0, 0) for t, c in tags], 0, 10**6), channels)


def test_the_recorded_index_of_a_correlation():
    index = Correlation(played(), 1, 2, binwidth=150, n_bins=10_000).getIndex()
    assert index.dtype == np.int64
    assert (index[0], index[1], index[-1], len(index)) == (-750_000, -749_850, 749_850, 10_000)


@pytest.mark.parametrize(("bins", "index"), [(1, [0]), (2, [-7, 0]), (5, [-14, -7, 0, 7, 14])])
def test_the_index_of_a_correlation_has_zero_in_the_middle(bins, index):
    assert Correlation(played(), 1, 2, 7, bins).getIndex().tolist() == index


@pytest.mark.parametrize("kind", [Histogram, TimeDifferences])
def test_the_index_of_a_histogram_begins_at_zero(kind):
    index = kind(played(), 1, 2, binwidth=7, n_bins=3).getIndex()
    assert index.dtype == np.int64
    assert index.tolist() == [0, 7, 14]


def test_types_and_shapes():
    tagger = played((5, 2), (9, 1))
    correlation, histogram, simple = (kind(tagger, 1, 2) for kind in ALL[:3])
    stepped = TimeDifferences(tagger, 1, 2, n_bins=7, n_histograms=3)
    tagger.play()
    assert (correlation.getData().dtype, correlation.getData().shape) == (np.int32, (1000,))
    assert (correlation.getDataNormalized().dtype, correlation.getDataNormalized().shape) == (np.float64, (1000,))
    assert (histogram.getData().dtype, histogram.getData().shape) == (np.int32, (1000,))
    assert (simple.getData().dtype, simple.getData().shape) == (np.int64, (1, 2))
    assert (stepped.getData().dtype, stepped.getData().shape) == (np.int32, (3, 7))


def test_an_empty_start_stop_has_two_columns():
    assert StartStop(played(), 1, 2).getData().shape == (0, 2)


def test_results_are_copies():
    tagger = played((5, 2), (9, 1))
    measured = Histogram(tagger, 1, 2)
    before = measured.getData()
    tagger.play()
    assert before.sum() == 0
    assert measured.getData().sum() == 1


@pytest.mark.parametrize("kind", ALL)
def test_clear_gives_the_state_after_creation(kind):
    tagger = played((5, 2), (9, 1), (100, 1), (200, 2), (210, 1))
    measured = kind(tagger, 1, 2)
    tagger.advance(90)
    assert measured.getData().sum() > 0
    measured.clear()
    assert measured.getData().sum() == 0
    tagger.advance(150)
    assert measured.getData().sum() == 0, "a start from before the clear was remembered"


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((None, 1), ArgumentError, "tagger is None"),
        (("tagger", 1), ArgumentKindError, "'tagger'"),
        ((9,), ArgumentError, "is 9, but this tagger has the channels 1..4"),
        ((1, 9), ArgumentError, "is 9, but"),
        ((CHANNEL_UNUSED,), ArgumentError, "-134217728"),
        ((1.5,), ArgumentKindError, "1.5"),
        (("1",), ArgumentKindError, "'1'"),
    ],
)
def test_refuses(kind, arguments, error, told):
    tagger = played()
    given = arguments if arguments[0] in (None, "tagger") else (tagger, *arguments)
    with pytest.raises(error, match=told):
        kind(*given)
    assert not tagger.isChannelRegistered(1)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("value", [0, -1])
def test_refuses_a_bin_without_width(kind, value):
    with pytest.raises(ArgumentError, match=rf"binwidth is {value}, but must be within \[1, "):
        kind(played(), 1, 2, binwidth=value)


@pytest.mark.parametrize("kind", WITH_BINS)
def test_refuses_what_no_histogram_can_have(kind):
    for bins in (0, 2**27 + 1, 2**31 - 1):
        with pytest.raises(ArgumentError, match=rf"n_bins is {bins}, but must be within \[1, 134217728\]"):
            kind(played(), 1, 2, n_bins=bins)
    with pytest.raises(ArgumentError, match=r"binwidth \* n_bins is .* but must be within \[1, 2305843009213693952\]"):
        kind(played(), 1, 2, binwidth=2**60, n_bins=3)


def test_refuses_more_histograms_than_fit_into_memory():
    with pytest.raises(ArgumentError, match=r"n_histograms is 135, but must be within \[1, 134\]"):
        TimeDifferences(played(), 1, 2, n_bins=10**6, n_histograms=135)


def test_refuses_markers_and_limits_that_do_not_exist():
    with pytest.raises(ArgumentError, match="next_channel is 8"):
        TimeDifferences(played(), 1, 2, 8)
    with pytest.raises(ArgumentError, match="sync_channel is 8"):
        TimeDifferences(played(), 1, 2, 3, 8)
    with pytest.raises(ArgumentError, match="n_histograms is 0"):
        TimeDifferences(played(), 1, 2, n_histograms=0)
    measured = TimeDifferences(played(), 1, 2, 3)
    with pytest.raises(ArgumentError, match="max_rollovers is -1"):
        measured.setMaxRollovers(-1)
    with pytest.raises(ArgumentError, match="max_counts is -1"):
        measured.setMaxCounts(-1)


@pytest.mark.parametrize("kind", ALL)
def test_takes_numbers_as_scripts_give_them(kind):
    measured = kind(tagger=played(), **{first_channel(kind): np.int64(1)}, binwidth=1e3)
    configuration = json.loads(json.dumps(measured.getConfiguration()))
    assert configuration["name"] == kind.__name__
    assert configuration["params"]["binwidth"] == 1000
    assert configuration["registered channels"] == [1]


def first_channel(kind: type) -> str:
    return "channel_1" if kind is Correlation else "click_channel"


@pytest.mark.parametrize("order", [[(10, 1), (10, 2)], [(10, 2), (10, 1)]])
@pytest.mark.parametrize("kind", [Histogram, TimeDifferences, StartStop])
def test_a_click_at_the_time_of_its_start_counts_as_zero(kind, order):
    tagger = played(*order)
    measured = kind(tagger, 1, 2, binwidth=10)
    tagger.play()
    data = measured.getData()
    assert data.sum() == 1
    assert data.tolist() == [[0, 1]] if kind is StartStop else data.flat[0] == 1


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("gap", [TagType.Error, TagType.OverflowBegin, TagType.OverflowEnd])
def test_no_pair_spans_a_gap(kind, gap):
    rows = [(10, 2, 0, 0), (20, CHANNEL_UNUSED, gap, 0), (30, 1, 0, 0), (40, 2, 0, 0), (50, 1, 0, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 100), (1, 2))
    measured = kind(tagger, 1, 2, binwidth=10)
    tagger.play()
    pairs = {Correlation: {-10, 10}, Histogram: {10}, StartStop: {10}, TimeDifferences: {10}}[kind]
    assert taus(measured) == pairs


@pytest.mark.parametrize("kind", ALL)
def test_missed_events_are_no_gap_and_no_clicks(kind):
    rows = [(10, 2, 0, 0), (20, 1, TagType.MissedEvents, 3), (30, 2, TagType.MissedEvents, 1), (40, 1, 0, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 100), (1, 2))
    measured = kind(tagger, 1, 2, binwidth=10)
    tagger.play()
    assert taus(measured) == {30}


def taus(measured: Correlation | Histogram | StartStop | TimeDifferences) -> set[int]:
    """Times in ps of the bins that are not empty."""
    if isinstance(measured, StartStop):
        return set(measured.getData()[:, 0].tolist())
    return set(measured.getIndex()[measured.getData().reshape(-1) > 0].tolist())


def test_start_stop_takes_the_latest_start_and_the_first_click():
    tagger = played((10, 2), (20, 2), (50, 1), (55, 1), (100, 2), (103, 1), (900_000, 1))
    measured = StartStop(tagger, 1, 2, binwidth=10)
    tagger.play()
    assert measured.getData().tolist() == [[0, 1], [30, 1]]


def test_start_stop_on_one_channel_measures_neighbours_without_a_limit():
    tagger = played((0, 1), (10, 1), (20, 1), (900_000, 1))
    measured = StartStop(tagger, 1, binwidth=1)
    tagger.play()
    assert measured.getData().tolist() == [[10, 2], [899_980, 1]]


def test_a_full_count_stays():
    tagger = played((5, 2), (9, 1))
    measured = Histogram(tagger, 1, 2, 10, 2)
    measured._pairs.counts[0] = 2**31 - 1, 2**40
    tagger.play()
    assert measured.getData().tolist() == [2**31 - 1, 2**31 - 1]
    assert clipped(np.array([0, 2**31 - 2])).tolist() == [0, 2**31 - 2]


def test_a_pair_belongs_to_the_histogram_in_which_the_click_arrives():
    tagger = played((10, 3), (20, 2), (30, 3), (40, 1))
    measured = TimeDifferences(tagger, 1, 2, 3, binwidth=10, n_bins=5, n_histograms=2)
    tagger.play()
    assert measured.getData().tolist() == [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]]


def test_next_and_sync_lead_through_the_states():
    marks = [(10, 3), (20, 4), (30, 3), (40, 3), (50, 3), (60, 3), (70, 4), (80, 3), (90, 4), (100, 4)]
    tagger = played(*marks)
    measured = TimeDifferences(tagger, 1, 2, 3, 4, n_histograms=2)
    seen = [measured.getHistogramIndex()]
    for time, _ in marks:
        tagger.advance(time + 1)
        seen.append(measured.getHistogramIndex())
    assert seen == [-2, -2, -1, 0, 1, -2, -2, -1, 0, -1, -1]
    assert measured.getCounts() == 1


def test_without_sync_the_histograms_form_a_ring():
    marks = [(10, 3), (20, 3), (30, 3), (40, 3), (50, 3)]
    tagger = played(*marks)
    measured = TimeDifferences(tagger, 1, 2, 3, n_histograms=2)
    seen = [measured.getHistogramIndex()]
    for time, _ in marks:
        tagger.advance(time + 1)
        seen.append(measured.getHistogramIndex())
    assert seen == [-1, 0, 1, 0, 1, 0]
    assert measured.getCounts() == 2


def test_the_last_rollover_ends_the_capture_exactly():
    tagger = played((10, 3), (20, 2), (25, 1), (30, 3), (40, 2), (45, 1), (50, 3), (60, 2), (65, 1))
    measured = TimeDifferences(tagger, 1, 2, 3, binwidth=10, n_bins=5)
    measured.setMaxCounts(2)
    assert not measured.ready()
    tagger.play()
    assert measured.ready()
    assert not measured.isRunning()
    assert (measured.getCounts(), measured.getCaptureDuration()) == (2, 50)
    assert measured.getData().tolist() == [[2, 0, 1, 0, 0]]


def test_a_capture_that_is_complete_does_not_go_on():
    tagger = played((10, 3), (20, 3), (30, 2), (35, 1))
    measured = TimeDifferences(tagger, 1, 2, 3)
    measured.setMaxRollovers(1)
    tagger.advance(25)
    measured.start()
    tagger.play()
    assert not measured.isRunning()
    assert (measured.getCaptureDuration(), measured.getData().sum()) == (20, 0)


@pytest.mark.parametrize("mean", [5, 400, 40_000])
def test_many_tags_against_a_search(mean):
    # More tags than the kernel splits at once, and windows that hold from less than one to hundreds of tags.
    rng = np.random.default_rng(7)
    time = np.cumsum(rng.integers(0, 2 * mean, 3 * CHUNK))
    channel = rng.integers(1, 4, len(time)).astype(np.int32)
    tagger = SteppedTagger(TagBlock(0, int(time[-1]) + 1, time, channel), (1, 2, 3))
    measured = Correlation(tagger, 1, 2, binwidth=30, n_bins=101)
    tagger.play(time[:: CHUNK // 3].tolist())
    clicks, starts = time[channel == 1], time[channel == 2]
    edges = (np.arange(102) - 50) * 30 - 15
    expected = [np.diff(np.searchsorted(starts, t - edges[::-1], side="right"))[::-1] for t in clicks]
    assert measured.getData().tolist() == np.sum(expected, 0).tolist()


def test_memory_is_bounded_by_the_reach():
    pairs = PairCounter(1, 2, binwidth=10, n_bins=100)
    channel = np.array([1, 2] * 5000, np.int32)
    for part in range(50):
        pairs.count(np.arange(10_000) * 7 + part * 70_000, channel)
    assert pairs.events.tolist() == [250_000, 250_000]
    assert pairs.sizes.max() < 100
    assert len(pairs.clicks) < 40_000


def test_start_and_stop_may_lie_half_the_range_of_time_apart():
    """2**63 ps apart: a signed difference would wrap round and point in front of the array of counts."""
    tagger = SteppedTagger(block_of([(-(2**62), 1, 0, 0), (2**62, 2, 0, 0)], -(2**62), 2**62 + 1))
    measured = StartStop(tagger, 2, 1, binwidth=1000)
    tagger.play()
    assert measured.getData().tolist() == [[2**63 // 1000 * 1000, 1]]


def _strided(column):
    rows = np.zeros((len(column), 2), column.dtype)
    rows[:, 0] = column
    return rows[:, 0]


def _read_only(column):
    column.flags.writeable = False
    return column


@pytest.mark.parametrize("layout", [_strided, _read_only])
def test_columns_may_be_strided_or_read_only(layout):
    """As those of mapped files and of records are."""
    time, channel = np.arange(0, 10_000, 7), (np.arange(1429) % 3 + 1).astype(np.int32)
    plain = TagBlock(0, 10_000, time, channel)
    odd = TagBlock(0, 10_000, layout(time.copy()), layout(channel.copy()))
    results = []
    for block in (plain, odd):
        tagger = SteppedTagger(block)
        tagger.setInputDelay(1, 3)
        measured = Correlation(tagger, 1, 2, binwidth=10, n_bins=101)
        tagger.play([500])
        results.append(measured.getData().tolist())
    assert results[0] == results[1]
    assert sum(results[0]) > 0
