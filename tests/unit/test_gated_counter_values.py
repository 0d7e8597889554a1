"""GatedCounter: shapes, rows, arguments, life. What a gate counts is tested with CountBetweenMarkers."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.gatedcounter import GatedCounter
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

ROWS = [(10, 3), (11, 1), (12, 2), (13, 1), (20, 4), (21, 1), (30, 3), (31, 2), (40, 4), (50, 3)]


@pytest.fixture
def tagger() -> SteppedTagger:
    return SteppedTagger(block_of([(t, c, 0, 0) for t, c in ROWS], 0, 100), [1, 2, 3, 4])


def test_a_row_for_each_channel_and_a_column_for_each_gate(tagger):
    measured = GatedCounter(tagger, [2, 1, 2], 3, 4, 3)
    tagger.play()
    assert measured.getData().tolist() == [[1, 1, 0], [2, 0, 0], [1, 1, 0]]
    assert measured.getIndex().tolist() == [0, 20, 0]
    assert measured.getBinWidths().tolist() == [10, 10, 0]


def test_without_an_end_channel_begin_markers_step_on(tagger):
    measured = GatedCounter(tagger=tagger, click_channels=(1, 2), begin_channel=3, n_values=2)
    tagger.play()
    assert measured.getData().tolist() == [[3, 0], [1, 1]]
    assert measured.ready()
    assert not measured.isRunning()
    assert measured.getCaptureDuration() == 50


def test_shapes_types_and_configuration_are_the_vendors(tagger):
    measured = GatedCounter(tagger, [1, 2], 3)
    arrays = measured.getData(), measured.getIndex(), measured.getBinWidths()
    assert [(a.dtype, a.shape) for a in arrays] == [(np.int32, (2, 1000)), (np.int64, (1000,)), (np.int64, (1000,))]
    assert measured.getConfiguration()["params"] == {
        "click_channels": [1, 2],
        "begin_channel": 3,
        "end_channel": CHANNEL_UNUSED,
        "n_values": 1000,
    }


def test_results_are_copies(tagger):
    measured = GatedCounter(tagger, [1], 3)
    measured.getData()[:] = 7
    assert not measured.getData().any()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], 3), ArgumentError, "click_channels is empty"),
        ((1, 3), ArgumentKindError, "click_channels"),
        (([1, 9], 3), ArgumentError, r"click_channels\[1\] is 9"),
        (([1], CHANNEL_UNUSED), ArgumentError, "begin_channel"),
        (([1], 3, 9), ArgumentError, "end_channel is 9"),
        (([1], 3, 4, 0), ArgumentError, "n_values is 0"),
        (([1, 2], 3, 4, 2**31 - 1), ArgumentError, "n_values is 2147483647, but must be within \\[1, 67108864\\]"),
    ],
)
def test_bad_arguments_are_named(tagger, arguments, error, message):
    with pytest.raises(error, match=message):
        GatedCounter(tagger, *arguments)
    assert tagger._hub.iterators() == []
