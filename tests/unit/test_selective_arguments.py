"""Combinations, ConditionalFilterChannel, ConstantFractionDiscriminator: numbers, life, and arguments."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tagwire.core.tags import TagBlock
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.countrate import Countrate
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap
from tagwire.virtual.combinations import Combinations
from tagwire.virtual.conditional import ConditionalFilterChannel
from tagwire.virtual.discriminator import ConstantFractionDiscriminator


@pytest.fixture
def tagger() -> SteppedTagger:
    return SteppedTagger(TagBlock(0, 100, np.arange(0, 80, 10), np.array([1, 2] * 4, np.int32)), (1, 2, 3, -1))


def test_channels_of_combinations_are_made_when_asked_for(tagger):
    made = Combinations(tagger, [3, 1, 2], 5)
    assert made.getConfiguration()["virtual channels"] == []
    pair, single = made.getChannels([[1, 3, 1], [2]])
    assert (made.getChannel((3, 1)), made.getChannelByMask(0b011), made.getChannelByMask(0b100)) == (pair, pair, single)
    both = made.getSumChannel(2)
    assert len({pair, single, both}) == 3
    assert (made.getCombination(pair), made.getCombination(single)) == ((3, 1), (2,))
    assert made.getConfiguration()["virtual channels"] == [pair, single, both]
    alone = Countrate(tagger, [single])
    tagger.play()
    assert alone.getCountsTotal().tolist() == [4]


def test_thirty_two_channels_are_watched_at_most():
    tagger = SteppedTagger(TagBlock(0, 100, np.arange(1, 33), np.arange(1, 33, dtype=np.int32)), range(1, 40))
    made = Combinations(tagger, range(1, 33), 40)
    everyone = made.getChannelByMask(2**32 - 1)
    tap = Tap(tagger)
    tagger.play()
    assert made.getCombination(everyone) == tuple(range(1, 33))
    assert [row[0] for row in tap.rows() if row[1] == everyone] == [32]
    with pytest.raises(ArgumentError, match=r"33 channels.*32"):
        Combinations(tagger, range(1, 34), 40)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda c: c.getChannel([]), ArgumentError, "input_channels is empty"),
        (lambda c: c.getChannel(1), ArgumentKindError, "input_channels"),
        (lambda c: c.getChannel([1, 3]), ArgumentError, r"input_channels has 3.*\[1, 2\]"),
        (lambda c: c.getChannels([[1], [9]]), ArgumentError, r"list_of_input_channel_sets\[1\]\[0\] is 9"),
        (lambda c: c.getChannels([1]), ArgumentKindError, r"list_of_input_channel_sets\[0\]"),
        (lambda c: c.getChannelByMask(0), ArgumentError, r"input_mask is 0.*\[1, 3\]"),
        (lambda c: c.getChannelByMask(4), ArgumentError, "input_mask is 4"),
        (lambda c: c.getSumChannel(0), ArgumentError, "n_channels is 0"),
        (lambda c: c.getSumChannel(3), ArgumentError, r"n_channels is 3.*\[1, 2\]"),
        (lambda c: c.getCombination(1), ArgumentError, "virtual_channel is 1"),
    ],
)
def test_bad_questions_name_value_and_range_and_make_nothing(tagger, ask, error, words):
    made = Combinations(tagger, [1, 2], 5)
    with pytest.raises(error, match=words):
        ask(made)
    assert made.getConfiguration()["virtual channels"] == []


def test_stopped_ones_forget_what_they_wait_for(tagger):
    first = ConditionalFilterChannel(tagger, [1], [2])
    alone = Combinations(tagger, [1, 2], 5)
    single = alone.getSumChannel(1)
    tap = Tap(tagger)
    tagger.advance(12)
    for made in (first, alone):
        made.stop()
        made.start()
    tagger.play()
    assert [row[0] for row in tap.rows() if row[1] == first.getChannel()] == [40, 60]
    assert [row[0] for row in tap.rows() if row[1] == single] == [0, 20, 30, 40, 50, 60, 70]


def test_one_filtered_channel_or_several(tagger):
    one, two = ConditionalFilterChannel(tagger, 1, [2]), ConditionalFilterChannel(tagger, (1, 3), [2])
    assert one.getChannels() == (one.getChannel(),)
    assert two.getChannels()[0] == two.getChannel()
    assert len(two.getChannels()) == 2


def test_both_edges_are_read(tagger):
    made = ConstantFractionDiscriminator(tagger, [1], 50)
    assert made.getConfiguration()["registered channels"] == [-1, 1]
    assert tagger.isChannelRegistered(-1)


def test_parameters_by_name_and_in_the_configuration(tagger):
    made = [
        Combinations(tagger=tagger, channels=range(1, 3), window_size=1e3),
        ConditionalFilterChannel(tagger=tagger, filter_channels=1, trigger_channels=np.array([2])),
        ConstantFractionDiscriminator(tagger=tagger, channels=[1, -1], search_window=7),
    ]
    assert [json.loads(json.dumps(m.getConfiguration()))["params"] for m in made] == [
        {"channels": [1, 2], "window_size": 1000},
        {"filter_channels": [1], "trigger_channels": [2]},
        {"channels": [1, -1], "search_window": 7},
    ]


@pytest.mark.parametrize(
    ("create", "error", "words"),
    [
        (lambda t: Combinations(t, [], 5), ArgumentError, "channels is empty"),
        (lambda t: Combinations(t, [1, 2, 1], 5), ArgumentError, r"twice.*\[1, 2, 1\]"),
        (lambda t: Combinations(t, [1, 2], 0), ArgumentError, "window_size is 0"),
        (lambda t: ConditionalFilterChannel(t, 9, [2]), ArgumentError, r"filter_channels\[0\] is 9"),
        (lambda t: ConditionalFilterChannel(t, [], [2]), ArgumentError, "filter_channels is empty"),
        (lambda t: ConditionalFilterChannel(t, "1", [2]), ArgumentKindError, "filter_channels"),
        (lambda t: ConditionalFilterChannel(t, 1, []), ArgumentError, "trigger_channels is empty"),
        (lambda t: ConstantFractionDiscriminator(t, [1, 2], 5), ArgumentError, r"channels\[1\] is 2.*other edge"),
        (lambda t: ConstantFractionDiscriminator(t, [1], 0), ArgumentError, "search_window is 0"),
    ],
)
def test_bad_arguments_name_value_and_range(tagger, create, error, words):
    with pytest.raises(error, match=words):
        create(tagger)
    assert tagger._hub.iterators() == []
