"""Histogram2D, HistogramND, TimeDifferencesND and CorrelationPairs as a user meets them."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.correlationpairs import CorrelationPairs, CorrelationPairsData
from tagwire.measurements.histogramnd import Histogram2D, HistogramND
from tagwire.measurements.timedifferencesnd import TimeDifferencesND
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of


def played(*tags: tuple[int, int]) -> SteppedTagger:
    return SteppedTagger(block_of([(t, c, 0, 0) for t, c in tags], 0, 1000), (1, 2, 3, 4))


def test_the_first_stop_of_each_axis_counts():
    tagger = played((10, 1), (12, 2), (15, 2), (34, 3), (40, 1), (99, 2))
    measured = Histogram2D(tagger, 1, 2, 3, 1, 10, 5, 4)
    tagger.play()
    data = measured.getData()
    assert (data.dtype, data.shape) == (np.int32, (5, 4))
    assert np.argwhere(data).tolist() == [[2, 2]]


def test_a_later_start_replaces_the_one_that_waits():
    tagger = played((10, 1), (12, 2), (20, 1), (21, 3), (22, 2))
    measured = HistogramND(tagger, 1, [2, 3], [1, 1], [5, 5])
    tagger.play()
    assert np.argwhere(measured.getData().reshape(5, 5)).tolist() == [[2, 1]]


def test_stops_at_the_time_of_a_start_belong_to_it():
    tagger = played((10, 2), (10, 1), (13, 3))
    measured = HistogramND(tagger, 1, [2, 3], [1, 1], [5, 5])
    tagger.play()
    assert np.argwhere(measured.getData().reshape(5, 5)).tolist() == [[0, 3]]


def test_indices_of_two_dimensions():
    measured = Histogram2D(played(), 1, 2, 3, 5, 10, 2, 3)
    assert measured.getIndex_1().tolist() == [0, 5]
    assert measured.getIndex_2().tolist() == [0, 10, 20]
    index = measured.getIndex()
    assert (index.dtype, index.shape) == (np.int64, (2, 3, 2))
    assert index[1, 2].tolist() == [5, 20]


def test_index_of_an_axis():
    measured = HistogramND(played(), 1, [2, 3], [5, 10], [2, 3])
    assert measured.getIndex().tolist() == [0, 5]
    assert measured.getIndex(1).tolist() == [0, 10, 20]
    with pytest.raises(ArgumentError, match=r"dim is 2, but must be within \[0, 1\]"):
        measured.getIndex(2)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (([], [], []), ArgumentError, "stop_channels is empty"),
        (([2, 3], [1], [1, 1]), ArgumentError, "binwidths has 1 values, but must have one for each of 2"),
        (([2], [0], [1]), ArgumentError, r"binwidths\[0\] is 0"),
        (([2], [1], [0]), ArgumentError, r"n_bins\[0\] is 0"),
        (([2], [2**60], [3]), ArgumentError, r"binwidth \* n_bins is"),
        (([2, 3], [1, 1], [2**20, 2**20]), ArgumentError, "product of n_bins is 1099511627776"),
        (([2], 1, [1]), ArgumentKindError, "binwidths must be a sequence"),
        (([9], [1], [1]), ArgumentError, "is 9, but this tagger has the channels 1..4"),
    ],
)
def test_histogram_nd_refuses(arguments, error, told):
    tagger = played()
    with pytest.raises(error, match=told):
        HistogramND(tagger, 1, *arguments)
    assert not tagger.isChannelRegistered(1)


def test_the_first_dimension_runs_fastest():
    tagger = played((1, 3), (2, 4), (3, 3), (5, 2), (7, 1))
    measured = TimeDifferencesND(tagger, 1, 2, [3, 4], [CHANNEL_UNUSED] * 2, [2, 3], 1, 5)
    tagger.play()
    data = measured.getData()
    assert (data.dtype, data.shape) == (np.int32, (6, 5))
    assert np.argwhere(data).tolist() == [[1, 2]]
    assert np.argwhere(data.reshape(3, 2, 5)).tolist() == [[0, 1, 2]]
    assert (measured.getHistogramIndex().dtype, measured.getRollovers().dtype) == (np.int32, np.uint64)
    assert measured.getHistogramIndex().tolist() == [1, 0]
    assert measured.getIndex().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"next_channels": []}, "next_channels is empty"),
        ({"sync_channels": [4]}, "sync_channels has 1 values, but must have one for each of 2"),
        ({"sync_channels": [4, 9]}, r"sync_channels\[1\] is 9"),
        ({"n_histograms": [2, 0]}, r"n_histograms\[1\] is 0"),
        ({"n_histograms": [2]}, "n_histograms has 1 values"),
        ({"n_histograms": [2**16, 2**16]}, "at most 134217728 bins together"),
        ({"binwidth": 0}, "binwidth is 0"),
        ({"n_bins": 0}, "n_bins is 0"),
    ],
)
def test_time_differences_nd_refuse(change, told):
    arguments = {"next_channels": [3, 4], "sync_channels": [4, 3], "n_histograms": [2, 2], "binwidth": 1, "n_bins": 5}
    with pytest.raises(ArgumentError, match=told):
        TimeDifferencesND(played(), 1, 2, **(arguments | change))


def test_max_rollovers_are_one_for_each_dimension():
    measured = TimeDifferencesND(played(), 1, 2, [3, 4], [4, 3], [2, 2], 1, 5)
    with pytest.raises(ArgumentError, match="max_rollovers has 1 values"):
        measured.setMaxRollovers([1])
    with pytest.raises(ArgumentError, match=r"max_rollovers\[1\] is -1"):
        measured.setMaxRollovers([1, -1])


def test_start_is_the_first_index_and_stop_the_second():
    tagger = played((10, 1), (13, 2))
    measured = CorrelationPairs(tagger, [1, 2], 1, 11)
    tagger.play()
    data = measured.getDataObject()
    assert (data.getCounts().dtype, data.getG2().dtype) == (np.int32, np.float64)
    assert np.argwhere(data.getCounts()).tolist() == [[0, 1, 8], [1, 0, 2]]
    assert np.argwhere(data.getCounts(exclude_self_coincidences=False)).tolist() == [
        [0, 0, 5],
        [0, 1, 8],
        [1, 0, 2],
        [1, 1, 5],
    ]
    assert data.getIndex().tolist() == measured.getIndex().tolist() == list(range(-5, 6))
    assert data.getG2()[0, 1, 8] == 1000


def test_a_data_object_is_a_snapshot():
    tagger = played((10, 1), (13, 2), (500, 1), (501, 2))
    measured = CorrelationPairs(tagger, [1, 2], 1, 11)
    tagger.advance(100)
    before = measured.getDataObject()
    tagger.play()
    assert (before.getCounts().sum(), measured.getDataObject().getCounts().sum()) == (2, 4)
    measured.clear()
    assert measured.getDataObject().getCounts().sum() == 0
    with pytest.raises(ArgumentKindError, match="must be True or False"):
        before.getCounts(1)
    with pytest.raises(AttributeError, match="No constructor defined"):
        CorrelationPairsData()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([],), "channels is empty"),
        (([1, 1],), "only once"),
        (([1, 2], 0), "binwidth is 0"),
        (([1, 2], 1, 0), "n_bins is 0"),
        (([1, 2], 1, 2**30), r"n_bins is 1073741824, but must be within \[1, 33554432\]"),
        (([1, 2], 2**60, 3), r"binwidth \* n_bins is"),
    ],
)
def test_correlation_pairs_refuse(arguments, told):
    with pytest.raises(ArgumentError, match=told):
        CorrelationPairs(played(), *arguments)
