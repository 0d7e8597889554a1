"""SyntheticSingleTag and OverflowInjector: what they put into the stream, their life, and their arguments."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.countrate import Countrate
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap
from tagwire.virtual.coincidence import Coincidence
from tagwire.virtual.delayed import DelayedChannel
from tagwire.virtual.overflow import OverflowInjector
from tagwire.virtual.synthetic import SyntheticSingleTag

B, E, M = TagType.OverflowBegin, TagType.OverflowEnd, TagType.MissedEvents


@pytest.fixture
def tagger() -> SteppedTagger:
    return SteppedTagger(TagBlock(0, 100, np.arange(0, 80, 10), np.array([1, 2] * 4, np.int32)), (1, 2))


def times(tap, channel):
    return [row[0] for row in tap.rows() if row[1] == channel]


def test_a_tag_for_each_call_at_the_present_stream_time(tagger):
    made = SyntheticSingleTag(tagger)
    tap = Tap(tagger)
    made.trigger()
    tagger.advance(25)
    made.trigger()
    made.trigger()
    tagger.advance(30)
    tagger.advance(40)
    made.trigger()
    tagger.play()
    assert times(tap, made.getChannel()) == [0, 25, 25, 40]
    assert [row[1] for row in tap.rows() if row[0] == 40] == [1, made.getChannel()]


def test_a_tag_on_an_existing_channel_is_seen_behind_only(tagger):
    before = Countrate(tagger, [1])
    made = SyntheticSingleTag(tagger=tagger, base_channel=1)
    after = Countrate(tagger, [1])
    made.trigger()
    tagger.play()
    assert made.getChannel() == 1
    assert made.getConfiguration()["virtual channels"] == []
    assert (before.getCountsTotal()[0], after.getCountsTotal()[0]) == (4, 5)


def test_a_stream_that_is_held_back_gets_the_tag_at_its_time(tagger):
    earlier = DelayedChannel(tagger, 1, -15)
    made = SyntheticSingleTag(tagger)
    tap = Tap(tagger)
    tagger.advance(50)
    made.trigger()
    tagger.play([52, 70])
    assert times(tap, made.getChannel()) == [50]
    assert times(tap, earlier.getChannel()) == [5, 25, 45]


def test_a_stopped_one_makes_none(tagger):
    made = SyntheticSingleTag(tagger)
    tap = Tap(tagger)
    made.trigger()
    made.stop()
    made.trigger()
    tagger.advance(50)
    made.start()
    made.trigger()
    tagger.play()
    assert times(tap, made.getChannel()) == [50]


def kinds(tap):
    """Rows that are no time tags, and the time tags around."""
    return [(time, kind, missed) for time, _, kind, missed in tap.rows() if kind]


INJECTED = [(15, B, 0), (20, M, 1), (30, M, 1), (40, E, 0)]


@pytest.mark.parametrize("cut", [[], [15], [20, 40], [16, 35, 39]])
def test_an_overflow_swallows_and_counts(tagger, cut):
    injector = OverflowInjector(tagger, 15, 25)
    tap = Tap(tagger)
    tagger.play(cut)
    assert kinds(tap) == INJECTED
    assert [row[0] for row in tap.rows() if not row[2]] == [0, 10, 40, 50, 60, 70]
    assert injector.isRunning()


def test_what_stands_before_it_is_swallowed_with_the_rest_and_what_stands_behind_sees_the_gap(tagger):
    copy = DelayedChannel(tagger, 1, 2)
    injector = OverflowInjector(tagger, 15, 25)
    pair = Coincidence(tagger, [1, 2], 35)
    rate = Countrate(tagger, [copy.getChannel()])
    tap = Tap(tagger)
    tagger.play()
    assert times(tap, pair.getChannel()) == [10, 50, 60, 70]
    assert times(tap, copy.getChannel()) == [2, 22, 42, 62]
    assert rate.getCountsTotal().tolist() == [4]
    assert injector.getConfiguration()["params"] == {"delay": 15, "length": 25}


def test_it_ends_with_the_capture_and_every_capture_has_one(tagger):
    injector = OverflowInjector(tagger, 15, 25)
    tap = Tap(tagger)
    tagger.advance(22)
    injector.stop()
    tagger.advance(30)
    injector.startFor(25)
    tagger.play()
    assert kinds(tap) == [(15, B, 0), (20, M, 1), (22, E, 0), (45, B, 0), (50, M, 1), (55, E, 0)]
    assert not injector.isRunning()


def test_clear_in_the_midst_begins_anew(tagger):
    injector = OverflowInjector(tagger, 15, 25)
    tap = Tap(tagger)
    tagger.advance(22)
    injector.clear()
    tagger.play()
    assert kinds(tap) == [
        (15, B, 0),
        (20, M, 1),
        (22, E, 0),
        (37, B, 0),
        (40, M, 1),
        (50, M, 1),
        (60, M, 1),
        (62, E, 0),
    ]


def test_it_ends_when_the_injector_goes(tagger):
    injector = OverflowInjector(tagger, 15, 25)
    tap = Tap(tagger)
    tagger.advance(22)
    del injector
    tagger.play()
    assert kinds(tap) == [(15, B, 0), (20, M, 1), (22, E, 0)]


def test_one_that_would_begin_at_the_end_of_the_capture_is_none(tagger):
    injector = OverflowInjector(tagger, 15, 0)
    tap = Tap(tagger)
    injector.startFor(15)
    tagger.advance(20)
    injector.startFor(16)
    tagger.play()
    assert kinds(tap) == [(35, B, 0), (35, E, 0)]


@pytest.mark.parametrize(
    ("create", "error", "words"),
    [
        (lambda t: SyntheticSingleTag(t, 9), ArgumentError, "base_channel is 9"),
        (lambda t: SyntheticSingleTag(None), ArgumentError, "tagger is None"),
        (lambda t: OverflowInjector(t, -1, 5), ArgumentError, "delay is -1"),
        (lambda t: OverflowInjector(t, 1, -5), ArgumentError, "length is -5"),
        (lambda t: OverflowInjector(t, 1, 0.5), ArgumentKindError, "length.*0.5"),
    ],
)
def test_bad_arguments_name_value_and_range(tagger, create, error, words):
    with pytest.raises(error, match=words):
        create(tagger)
    assert tagger._hub.iterators() == []
    assert SyntheticSingleTag(tagger, CHANNEL_UNUSED).getChannel() == 1001
