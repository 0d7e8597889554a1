"""Counter: small cases that can be checked by eye, edges of the time range, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.counter import Counter
from tagwire.measurements.counter_data import CounterData
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

CLICKS = block_of([(t, 1, TagType.TimeTag, 0) for t in (0, 9, 10, 35)] + [(36, 2, TagType.TimeTag, 0)], 0, 100)


def make(block=CLICKS, channels=(1, 2), binwidth=10, n_values=5, exist=(1, 2)):
    tagger = SteppedTagger(block, exist)
    return tagger, Counter(tagger, list(channels), binwidth, n_values)


def test_the_running_bin_is_hidden():
    tagger, counter = make()
    tagger.advance(39)
    assert counter.getData().tolist() == [[0, 0, 2, 1, 0], [0, 0, 0, 0, 0]]
    assert counter.getData(rolling=False).tolist() == [[2, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert counter.getDataTotalCounts().tolist() == [3, 0]
    tagger.advance(40)
    assert counter.getData()[:, -1].tolist() == [1, 1]
    assert counter.getDataTotalCounts().tolist() == [4, 1]


def test_shapes_and_types_are_the_vendors():
    tagger, counter = make(n_values=3)
    tagger.advance(20)
    data = counter.getDataObject()
    for array, dtype, shape in [
        (counter.getData(), np.int32, (2, 3)),
        (counter.getDataNormalized(), np.float64, (2, 3)),
        (counter.getIndex(), np.int64, (3,)),
        (counter.getDataTotalCounts(), np.uint64, (2,)),
        (data.getData(), np.int32, (2, 2)),
        (data.getDataNormalized(), np.float64, (2, 2)),
        (data.getFrequency(), np.float64, (2, 2)),
        (data.getIndex(), np.int64, (2,)),
        (data.getTime(), np.int64, (2,)),
        (data.getOverflowMask(), np.int8, (2,)),
        (data.getChannels(), np.int32, (2,)),
        (data.getDataTotalCounts(), np.uint64, (2,)),
    ]:
        assert (array.dtype, array.shape) == (dtype, shape)


def test_rates_are_in_hertz_and_unfilled_bins_are_not_numbers():
    tagger, counter = make(n_values=3)
    tagger.advance(20)
    assert counter.getDataNormalized()[0].tolist()[1:] == [2e11, 1e11]
    assert np.isnan(counter.getDataNormalized()[:, 0]).all()
    assert np.isnan(counter.getDataNormalized(rolling=False)[:, 2]).all()


def test_a_frequency_has_any_time_scale():
    tagger, counter = make()
    tagger.advance(20)
    data = counter.getDataObject()
    assert data.getFrequency()[0].tolist() == [2e11, 1e11]
    assert data.getFrequency(time_scale=1000)[0].tolist() == [200.0, 100.0]
    assert data.getFrequency(-1)[0].tolist() == [2.0, 1.0]


def test_start_for_a_whole_number_of_bins_fills_exactly_these():
    tagger, counter = make(binwidth=7, n_values=4)
    tagger.advance(3)
    counter.startFor(28)
    tagger.play()
    data = counter.getDataObject()
    assert data.getTime().tolist() == [3, 10, 17, 24]
    assert (data.size, data.dropped_bins) == (4, 0)
    assert not counter.isRunning()


def test_clear_begins_the_first_bin_anew():
    tagger, counter = make()
    tagger.advance(33)
    counter.clear()
    assert counter.getDataTotalCounts().tolist() == [0, 0]
    assert counter.getDataObject().size == 0
    tagger.advance(43)
    assert counter.getDataObject().getTime().tolist() == [33]
    assert counter.getData(rolling=False).tolist() == [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0]]


def test_a_removed_bin_is_not_given_again_and_totals_stay():
    tagger, counter = make(n_values=3)
    tagger.advance(50)
    first = counter.getDataObject(remove=True)
    assert (first.size, first.dropped_bins) == (3, 2)
    assert counter.getDataObject().size == 0
    assert not counter.getData().any()
    tagger.advance(60)
    second = counter.getDataObject(remove=True)
    assert second.getTime().tolist() == [50]
    assert second.dropped_bins == 0
    assert second.getDataTotalCounts().tolist() == [4, 1]


def test_a_data_object_is_a_snapshot():
    tagger, counter = make(n_values=2)
    tagger.advance(20)
    with counter.getDataObject() as data:
        tagger.play()
        assert data.getData()[0].tolist() == [2, 1]
        data.getTime()[:] = 7
        assert data.getTime().tolist() == [0, 10]


def test_overflows_count_what_was_missed_and_mark_every_bin_they_touch():
    rows = [
        (5, 1, TagType.TimeTag, 0),
        (15, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (35, 1, TagType.MissedEvents, 65535),
        (42, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
        (52, 1, TagType.TimeTag, 0),
    ]
    tagger, counter = make(block_of(rows, 0, 60), n_values=6)
    tagger.play()
    data = counter.getDataObject()
    assert data.getOverflowMask().tolist() == [0, 1, 1, 1, 1, 0]
    assert data.getData()[0].tolist() == [1, 0, 0, 65535, 0, 1]
    assert np.isnan(data.getDataNormalized()[0]).tolist() == [False, True, True, True, True, False]
    assert data.overflow
    assert counter.getDataTotalCounts().tolist() == [65537, 0]


def test_counts_beyond_32_bits_are_cut_in_the_data_and_whole_in_rate_and_total():
    n = 40_000
    block = TagBlock(
        0,
        10**12,
        np.arange(n),
        np.ones(n, np.int32),
        np.full(n, TagType.MissedEvents, np.uint8),
        np.full(n, 65535, np.uint16),
    )
    tagger, counter = make(block, [1], 10**12, 1)
    tagger.play()
    assert counter.getData().tolist() == [[2**31 - 1]]
    assert counter.getDataTotalCounts().tolist() == [n * 65535]
    assert counter.getDataObject().getFrequency(-1).dtype == np.float64


def test_silence_over_the_whole_time_range_costs_nothing():
    block = TagBlock(TIME_MIN, TIME_MAX, np.array([TIME_MIN, TIME_MAX - 1]), np.ones(2, np.int32))
    tagger, counter = make(block, [1], 1, 3)
    tagger.play()
    assert counter.getDataObject().getTime().tolist() == [TIME_MAX - 3, TIME_MAX - 2, TIME_MAX - 1]
    assert counter.getData().tolist() == [[0, 0, 1]]
    assert counter.getDataTotalCounts().tolist() == [2]
    assert counter.getDataObject().dropped_bins == 2**32 - 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ArgumentError, "channels is empty"),
        (([1, 1],), ArgumentError, "only once"),
        (([3],), ArgumentError, r"channels\[0\] is 3"),
        (([1], 0), ArgumentError, r"binwidth is 0, but must be within \[1, "),
        (([1], 10, 0), ArgumentError, r"n_values is 0, but must be within \[1, 134217728\]"),
        (([1, 2], 10, 2**31 - 1), ArgumentError, r"within \[1, 67108864\]"),
        (([1], 2**62, 3), ArgumentError, "binwidth"),
        (([1], 1.5), ArgumentKindError, "whole number"),
    ],
)
def test_bad_arguments_are_named_and_leave_nothing_behind(arguments, error, message):
    tagger = SteppedTagger(CLICKS, [1, 2])
    with pytest.raises(error, match=message):
        Counter(tagger, *arguments)
    assert tagger.getRegistrations(1) == 0


def test_flags_are_bools():
    _, counter = make()
    for call in (counter.getData, counter.getDataNormalized, counter.getDataObject):
        with pytest.raises(ArgumentKindError):
            call(1)


def test_data_objects_are_not_created_by_hand():
    with pytest.raises(AttributeError, match="No constructor defined"):
        CounterData()


@pytest.mark.parametrize("binwidth", [3, 1000, 12_345, 10**5])
@pytest.mark.parametrize("begin", [0, -50_000, 2**62, -(2**62)])
def test_bins_with_many_tags_are_exact(binwidth, begin):
    """Long rows of tags are counted in another way than short ones; plain NumPy is the reference."""
    rng = np.random.default_rng(1)
    time, channel = np.sort(rng.integers(0, 10**5, 20_000)), rng.integers(-3, 5, 20_000).astype(np.int32)
    tagger = SteppedTagger(TagBlock(begin, begin + 10**5, time + begin, channel), range(-3, 5))
    bins = 10**5 // binwidth
    counter = Counter(tagger, [4, -3, 1], binwidth, bins)
    tagger.play([begin + 777, begin + 50_000])
    edges = np.arange(bins + 1) * binwidth
    expected = [np.histogram(time[channel == c], edges)[0] for c in (4, -3, 1)]
    # NumPy counts a tag at the last edge into the last bin.
    for row, c in zip(expected, (4, -3, 1), strict=True):
        row[-1] -= np.count_nonzero((channel == c) & (time == edges[-1]))
    assert counter.getData().tolist() == np.array(expected).tolist()
