"""CountBetweenMarkers: ties, tags that are several things at once, overflows, and the end when it is full."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.errors import ArgumentError
from tagwire.measurements.markers import CountBetweenMarkers
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

CLICK, BEGIN, END = 1, 2, 3


def run(rows, *arguments, end=1000):
    rows = [(*row, TagType.TimeTag, 0) if len(row) == 2 else row for row in rows]
    tagger = SteppedTagger(block_of(rows, 0, end), [CLICK, BEGIN, END])
    measured = CountBetweenMarkers(tagger, *arguments)
    tagger.play()
    return measured


def values(measured, n):
    return [a.tolist()[:n] for a in (measured.getData(), measured.getIndex(), measured.getBinWidths())]


def test_without_an_end_channel_each_begin_marker_steps_on():
    measured = run([(5, 1), (10, 2), (12, 1), (13, 1), (20, 2), (35, 2), (36, 1)], CLICK, BEGIN)
    assert values(measured, 3) == [[2, 0, 0], [0, 10, 0], [10, 15, 0]]
    assert not measured.ready()


def test_with_an_end_channel_only_the_gates_count_and_begin_markers_within_change_nothing():
    measured = run([(10, 2), (11, 1), (12, 2), (13, 1), (20, 3), (21, 1), (22, 3), (30, 2), (33, 3)], CLICK, BEGIN, END)
    assert values(measured, 3) == [[2, 0, 0], [0, 20, 0], [10, 3, 0]]


def test_equal_times_act_in_the_order_of_the_stream():
    measured = run([(10, 1), (10, 2), (10, 1), (20, 1), (20, 3), (20, 1)], CLICK, BEGIN, END)
    assert values(measured, 1) == [[2], [0], [10]]


def test_a_click_that_is_the_marker_counts_in_the_gate_it_opens():
    assert values(run([(10, 2), (20, 2), (30, 2)], BEGIN, BEGIN), 2) == [[1, 1], [0, 10], [10, 10]]
    assert values(run([(10, 2), (20, 3)], END, BEGIN, END), 1) == [[0], [0], [10]]


def test_equal_begin_and_end_channels_are_the_same_as_no_end_channel():
    rows = [(10, 2), (12, 1), (20, 2), (30, 2)]
    assert values(run(rows, CLICK, BEGIN, BEGIN), 3) == values(run(rows, CLICK, BEGIN, CHANNEL_UNUSED), 3)


def test_missed_clicks_count_and_a_missed_closing_marker_gives_the_gate_up():
    missed = TagType.MissedEvents
    rows = [(10, 2), (15, 1, missed, 300), (20, 3), (30, 2), (31, 1), (35, 3, missed, 1), (40, 3), (50, 2), (60, 3)]
    assert values(run(rows, CLICK, BEGIN, END), 3) == [[300, 0, 0], [0, 40, 0], [10, 10, 0]]


def test_it_stops_exactly_at_the_marker_that_fills_it():
    measured = run([(10, 2), (12, 1), (20, 2), (25, 1), (30, 2), (40, 2)], CLICK, BEGIN, CHANNEL_UNUSED, 2)
    assert measured.ready()
    assert not measured.isRunning()
    assert measured.getCaptureDuration() == 30
    assert values(measured, 2) == [[1, 1], [0, 10], [10, 10]]


def test_clear_and_start_begin_anew_and_start_alone_stops_again():
    rows = [(t, BEGIN, TagType.TimeTag, 0) for t in range(10, 100, 10)]
    tagger = SteppedTagger(block_of(rows, 0, 100), [CLICK, BEGIN])
    measured = CountBetweenMarkers(tagger, CLICK, BEGIN, n_values=2)
    tagger.advance(45)
    measured.start()
    assert measured.isRunning()
    tagger.advance(55)
    assert not measured.isRunning()
    assert measured.getCaptureDuration() == 30
    measured.clear()
    assert not measured.ready()
    measured.start()
    tagger.advance(85)
    assert measured.ready()
    assert measured.getIndex().tolist() == [0, 10]


def test_a_gate_cut_by_stop_is_given_up():
    rows = [(10, 2, 0, 0), (12, 1, 0, 0), (40, 2, 0, 0), (50, 2, 0, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 100), [CLICK, BEGIN])
    measured = CountBetweenMarkers(tagger, CLICK, BEGIN)
    tagger.advance(20)
    measured.stop()
    measured.start()
    tagger.play()
    assert values(measured, 2) == [[0, 0], [30, 0], [10, 0]]


def test_shapes_and_types_are_the_vendors():
    measured = run([], CLICK, BEGIN)
    arrays = measured.getData(), measured.getIndex(), measured.getBinWidths()
    assert [(a.dtype, a.shape) for a in arrays] == [(np.int32, (1000,)), (np.int64, (1000,)), (np.int64, (1000,))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((7, 2), "click_channel is 7"),
        ((1, CHANNEL_UNUSED), "begin_channel is -134217728"),
        ((1, 2, 7), "end_channel is 7"),
        ((1, 2, 3, 0), r"n_values is 0, but must be within \[1, 134217728\]"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        run([], *arguments)
