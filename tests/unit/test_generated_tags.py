"""EventGenerator, FrequencyMultiplier, TriggerOnCountrate: by hand, their life, and their arguments."""

from __future__ import annotations

from math import isnan

import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of
from tagwire.testing.tap import Tap
from tagwire.virtual.countrate_trigger import TriggerOnCountrate
from tagwire.virtual.generator import EventGenerator
from tagwire.virtual.multiplier import FrequencyMultiplier

X, B, E, M = CHANNEL_UNUSED, TagType.OverflowBegin, TagType.OverflowEnd, TagType.MissedEvents


def tagger_of(rows, end=200, channels=(1, 2, 3)):
    return SteppedTagger(block_of([row if len(row) == 4 else (*row, 0, 0) for row in rows], 0, end), channels)


def times(tap, channel):
    return [row[0] for row in tap.rows() if row[1] == channel]


CUTS = [[], [11], [20, 21], [5, 15, 25, 35]]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    ("rows", "arguments", "expected"),
    [
        ([(10, 1), (20, 1)], ([5, 0, 15],), [10, 15, 20, 25, 25, 35]),  # patterns overlap, in any order
        ([(10, 1), (20, 1)], ([0, 10], 1, 0, 1), [10, 20, 30]),  # the trigger stops: 20 comes once
        ([(10, 1), (15, 2)], ([0, 4, 5, 6], 1, 0, 2), [10, 14]),  # a stop takes the tag of its own time
        ([(10, 2), (10, 1)], ([0, 1], 1, 0, 2), [10, 11]),  # in the order of the stream
        ([(10, 1), (10, 2)], ([0, 1], 1, 0, 2), []),
        ([(10, 1), (20, 1), (30, 1), (40, 1)], ([1], 3, 1), [21]),  # triggers 1, 4, 7 ...
        ([(10, 1), (20, 1), (30, 1), (40, 1), (50, 1)], ([1], 2, 2), [31, 51]),  # two are passed over at first
        ([(10, 1), (20, 1)], ([1], 1, 5), [11, 21]),  # an offset means something with a divider only
        ([(10, 1), (20, 1), (30, 1)], ([-5, 5], 2), [5, 15, 25, 35]),
        ([(10, 1), (12, X, B, 0), (14, 1, M, 2), (16, X, E, 0), (20, 1)], ([1, 9], 3), [11, 21, 29]),  # phase is kept
    ],
)
def test_patterns_by_hand(rows, arguments, expected, cut):
    tagger = tagger_of(rows)
    made = EventGenerator(tagger, 1, *arguments)
    tap = Tap(tagger)
    tagger.play(cut)
    assert times(tap, made.getChannel()) == expected


def test_stop_ends_patterns_and_start_begins_a_new_count():
    tagger = tagger_of([(10, 1), (20, 1), (30, 1), (40, 1)])
    made = EventGenerator(tagger, 1, [0, 15], 2)
    tap = Tap(tagger)
    tagger.advance(22)
    made.stop()
    made.start()
    tagger.play()
    assert times(tap, made.getChannel()) == [10, 30, 45]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    ("rows", "multiplier", "expected"),
    [
        ([(10, 1), (20, 1)], 3, [20, 23, 26]),  # rounded down
        ([(10, 1), (20, 1), (23, 1)], 2, [20, 23, 24, 25]),  # the longer period goes on
        ([(10, 1), (10, 1)], 2, [10, 10]),
        ([(10, 1), (20, 1), (25, X, B, 0), (26, X, E, 0), (30, 1), (34, 1)], 2, [20, 34, 36]),
        ([(10, 1), (20, 1)], 1, [20]),
    ],
)
def test_multiples_by_hand(rows, multiplier, expected, cut):
    tagger = tagger_of(rows)
    made = FrequencyMultiplier(tagger, 1, multiplier)
    tap = Tap(tagger)
    tagger.play(cut)
    assert times(tap, made.getChannel()) == expected
    assert made.getMultiplier() == multiplier


def test_a_large_multiplier_is_exact():
    """Two events 10**18 ps apart give a tag each 465661287 ps or one more; only those up to the end are made."""
    apart, factor = 10**18, 2**31 - 1
    tagger = SteppedTagger(block_of([(0, 1, 0, 0), (apart, 1, 0, 0)], 0, apart + 10**12))
    made = FrequencyMultiplier(tagger, 1, factor)
    tap = Tap(tagger)
    tagger.play([apart + 5 * 10**11])
    expected = [apart + k * apart // factor for k in range(3000) if k * apart // factor < 10**12]
    assert times(tap, made.getChannel()) == expected


RATE = 1e12
"""One event for each ps."""


def test_crossings_by_hand():
    """Window 10: 3 or more are above, 1 or less below; the first tag tells the state after the first 10 ps."""
    tagger = tagger_of([(t, 1) for t in (5, 20, 22, 24, 30)])
    made = TriggerOnCountrate(tagger, 1, 0.2 * RATE, 0.1 * RATE, 10)
    tap = Tap(tagger)
    states = []
    for now in (10, 11, 24, 25, 34, 35):
        tagger.advance(now)
        states.append((made.isAbove(), made.isBelow()))
    tagger.play()
    assert (times(tap, made.getChannelAbove()), times(tap, made.getChannelBelow())) == ([24], [10, 34])
    assert states == [(False, False), (False, True), (False, True), (True, False), (True, False), (False, True)]
    assert made.getChannels() == (made.getChannelAbove(), made.getChannelBelow())


def test_the_rate_is_unknown_until_the_window_has_passed_and_in_overflows():
    tagger = tagger_of([(5, 1), (8, 1), (20, X, B, 0), (40, X, E, 0), (45, 1)])
    made = TriggerOnCountrate(tagger, 1, 0.5 * RATE, 0.0, 10)
    rates = []
    for now in (10, 11, 15, 16, 21, 39, 50, 51):
        tagger.advance(now)
        rates.append(made.getCurrentCountrate() / RATE)
    assert [None if isnan(r) else r for r in rates] == [None, 0.2, 0.2, 0.1, None, None, None, 0.1]


def test_the_state_is_told_on_request():
    tagger = tagger_of([(20, 1), (60, X, B, 0), (62, X, E, 0)])
    made = TriggerOnCountrate(tagger, 1, 0.5 * RATE, 0.0, 10)
    tap = Tap(tagger)
    answers = [made.injectCurrentState()]
    for now in (30, 61, 65, 80):
        tagger.advance(now)
        answers.append(made.injectCurrentState())
    tagger.advance(90)
    made.stop()
    answers.append(made.injectCurrentState())
    tagger.play()
    assert answers == [False, True, False, False, True, False]
    assert times(tap, made.getChannelBelow()) == [10, 30, 72, 80]


def test_clear_begins_a_new_window():
    tagger = tagger_of([(20, 1), (25, 1)])
    made = TriggerOnCountrate(tagger, 1, 0.1 * RATE, 0.0, 10)
    tap = Tap(tagger)
    tagger.advance(21)
    made.clear()
    tagger.play()
    assert times(tap, made.getChannelBelow()) == [10, 35]
    assert times(tap, made.getChannelAbove()) == [20, 31]


def test_many_events_in_the_window():
    """The store of events grows, and what has left the window makes room for what comes."""
    tagger = tagger_of([(t, 1) for t in range(5000)], 6000)
    made = TriggerOnCountrate(tagger, 1, 0.9 * RATE, 0.0, 100)
    tap = Tap(tagger)
    tagger.play(range(7, 6000, 7))
    assert times(tap, made.getChannelAbove()) == [100]
    assert times(tap, made.getChannelBelow()) == [5009]
    assert len(made._recent) < 1000


def test_parameters_by_name_and_in_the_configuration():
    tagger = tagger_of([])
    made = [
        EventGenerator(tagger=tagger, trigger_channel=1, pattern=range(2)),
        FrequencyMultiplier(tagger=tagger, input_channel=1, multiplier=4),
        TriggerOnCountrate(tagger=tagger, input_channel=1, reference_countrate=5, hysteresis=1, time_window=1e3),
    ]
    divider = {"trigger_divider": 1, "divider_offset": 0, "stop_channel": CHANNEL_UNUSED}
    assert [m.getConfiguration()["params"] for m in made] == [
        {"trigger_channel": 1, "pattern": [0, 1], **divider},
        {"input_channel": 1, "multiplier": 4},
        {"input_channel": 1, "reference_countrate": 5.0, "hysteresis": 1.0, "time_window": 1000},
    ]


@pytest.mark.parametrize(
    ("create", "error", "words"),
    [
        (lambda t: EventGenerator(t, 9, [0]), ArgumentError, "trigger_channel is 9"),
        (lambda t: EventGenerator(t, 1, []), ArgumentError, "pattern is empty"),
        (lambda t: EventGenerator(t, 1, 5), ArgumentKindError, "pattern"),
        (lambda t: EventGenerator(t, 1, [0, 0.5]), ArgumentKindError, r"pattern\[1\].*0.5"),
        (lambda t: EventGenerator(t, 1, [2**60]), ArgumentError, r"pattern\[0\] is 1152921504606846976"),
        (lambda t: EventGenerator(t, 1, [0], 0), ArgumentError, "trigger_divider is 0"),
        (lambda t: EventGenerator(t, 1, [0], 2, -1), ArgumentError, "divider_offset is -1"),
        (lambda t: EventGenerator(t, 1, [0], 1, 0, 9), ArgumentError, "stop_channel is 9"),
        (lambda t: FrequencyMultiplier(t, 1, 0), ArgumentError, "multiplier is 0"),
        (lambda t: FrequencyMultiplier(t, 1, 2**31), ArgumentError, "multiplier is 2147483648"),
        (lambda t: TriggerOnCountrate(t, 1, -1, 0, 5), ArgumentError, "reference_countrate is -1"),
        (lambda t: TriggerOnCountrate(t, 1, 1, float("nan"), 5), ArgumentError, "hysteresis is nan"),
        (lambda t: TriggerOnCountrate(t, 1, 1, 0, 0), ArgumentError, "time_window is 0"),
    ],
)
def test_bad_arguments_name_value_and_range(create, error, words):
    tagger = tagger_of([])
    with pytest.raises(error, match=words):
        create(tagger)
    assert tagger._hub.iterators() == []
