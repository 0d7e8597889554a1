"""Virtual channels: names, numbers, life, errors, and the manual's figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.enums import CoincidenceTimestamp, GatedChannelInitial
from tagwire.core.tags import TagBlock
from tagwire.errors import ArgumentError, ArgumentKindError, StateError
from tagwire.measurements.countrate import Countrate
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of
from tagwire.testing.tap import Tap
from tagwire.virtual.coincidence import Coincidence, Coincidences
from tagwire.virtual.combiner import Combiner
from tagwire.virtual.delayed import DelayedChannel, DelayedChannels
from tagwire.virtual.gated import GatedChannel, GatedChannels

CHANNELS = (1, 2, 3, 4)


@pytest.fixture
def tagger() -> SteppedTagger:
    return SteppedTagger(TagBlock(0, 100, np.arange(0, 80, 10), np.array([1, 2] * 4, np.int32)), CHANNELS)


def figure(recordings: Path, name: str) -> dict:
    path = recordings / "golden" / "manual_figures.json"
    if not path.is_file():
        pytest.skip("the manual's figures are not among the recordings")
    return json.loads(path.read_text())[name]


def stream(*times_ns: list[float]) -> TagBlock:
    """Channel 1 has the first list of times, channel 2 the second, and so on."""
    return block_of(sorted((int(t * 1000), c, 0, 0) for c, times in enumerate(times_ns, 1) for t in times), 0, 10**6)


def test_the_coincidence_of_the_manual(recordings):
    data = figure(recordings, "Coincidence")
    tagger = SteppedTagger(stream(data["A"], data["B"], data["C"]))
    triple = Coincidence(tagger, [1, 2, 3], int(data["window"] * 1000))
    tap = Tap(tagger)
    tagger.play()
    assert [row[0] / 1000 for row in tap.rows() if row[1] == triple.getChannel()] == data["out"]


def test_the_gated_channel_of_the_manual(recordings):
    data = figure(recordings, "GatedChannel")
    tagger = SteppedTagger(stream(data["inp"], data["start"], data["stop"]))
    gate = GatedChannel(tagger, 1, 2, 3)
    tap = Tap(tagger)
    tagger.play()
    assert [row[0] / 1000 for row in tap.rows() if row[1] == gate.getChannel()] == data["out"]


def test_three_channels_must_all_be_within_the_window():
    """2 and 3 lie at 10 and 14, so 1 completes a triple up to 15, 5 after the first of them."""
    tagger = SteppedTagger(block_of([(10, 2, 0, 0), (14, 3, 0, 0), (15, 1, 0, 0), (16, 1, 0, 0)], 0, 50))
    triple = Coincidence(tagger, [3, 1, 2], 5, CoincidenceTimestamp.ListedFirst)
    tap = Tap(tagger)
    tagger.play()
    assert [row[0] for row in tap.rows() if row[1] == triple.getChannel()] == [14]


def test_numbers_are_new_and_can_be_measured(tagger):
    copies = DelayedChannels(tagger, [1, 2, 1], 5)
    single = DelayedChannel(tagger, copies.getChannels()[0], 5)
    rate = Countrate(tagger, [*copies.getChannels(), single.getChannel()])
    tagger.play()
    assert len({*copies.getChannels(), single.getChannel(), *CHANNELS}) == 8
    assert rate.getCountsTotal().tolist() == [4, 4, 4, 4]


def test_single_classes_are_their_plural(tagger):
    assert isinstance(DelayedChannel(tagger, 1, 5), DelayedChannels)
    assert isinstance(Coincidence(tagger, [1, 2]), Coincidences)
    assert isinstance(GatedChannel(tagger, 1, 2, 3), GatedChannels)


def test_parameters_by_name_and_in_the_configuration(tagger):
    made = [
        DelayedChannels(tagger=tagger, input_channels=range(1, 3), delay=1e3),
        DelayedChannel(tagger=tagger, input_channel=1, delay=7),
        Coincidences(tagger=tagger, coincidenceGroups=[(1, 2), [3]], coincidenceWindow=5, timestamp=1),
        Coincidence(tagger=tagger, channels=[1, 2]),
        Combiner(tagger=tagger, channels=np.array([1, 2])),
        GatedChannels(tagger, input_channels=[1], gate_start_channel=2, gate_stop_channel=3, initial=1),
        GatedChannel(tagger, input_channel=1, gate_start_channel=2, gate_stop_channel=3),
    ]
    gates = {"gate_start_channel": 2, "gate_stop_channel": 3}
    assert [m.getConfiguration()["params"] for m in made] == [
        {"input_channels": [1, 2], "delay": 1000},
        {"input_channel": 1, "delay": 7},
        {"coincidenceGroups": [[1, 2], [3]], "coincidenceWindow": 5, "timestamp": "Average"},
        {"channels": [1, 2], "coincidenceWindow": 1000, "timestamp": "Last"},
        {"channels": [1, 2]},
        {"input_channels": [1], **gates, "initial": "Open"},
        {"input_channel": 1, **gates, "initial": "Closed"},
    ]
    json.dumps([m.getConfiguration() for m in made])


def test_setters_change_the_configuration(tagger):
    delayed, pair = DelayedChannel(tagger, 1, 5), Coincidence(tagger, [1, 2], 5)
    delayed.setDelay(-8)
    pair.setCoincidenceWindow(9)
    assert delayed.getConfiguration()["params"]["delay"] == -8
    assert pair.getConfiguration()["params"]["coincidenceWindow"] == 9


def test_late_tags_are_counted_in_the_configuration():
    tagger = SteppedTagger(block_of([(t, 1, 0, 0) for t in range(0, 100, 10)], 0, 100))
    delayed = DelayedChannel(tagger, 1, 0)
    tagger.advance(50)
    assert delayed.getConfiguration()["late tags dropped"] == 0
    delayed.setDelay(-25)
    tagger.play()
    assert delayed.getConfiguration()["late tags dropped"] == 3
    assert tagger.getConfiguration()["measurements"] == [delayed.getConfiguration()]


@pytest.mark.parametrize(
    ("create", "error", "words"),
    [
        (lambda t: DelayedChannel(None, 1, 5), ArgumentError, "tagger is None"),
        (lambda t: DelayedChannel(t, 9, 5), ArgumentError, "input_channel is 9.*1..4"),
        (lambda t: DelayedChannel(t, CHANNEL_UNUSED, 5), ArgumentError, "input_channel"),
        (lambda t: DelayedChannels(t, [], 5), ArgumentError, "input_channels is empty"),
        (lambda t: DelayedChannels(t, [1], 1.5), ArgumentKindError, "delay.*1.5"),
        (lambda t: DelayedChannels(t, [1], 10**19), ArgumentError, "10000000000000000000.*within"),
        (lambda t: Coincidence(t, [], 5), ArgumentError, "channels is empty"),
        (lambda t: Coincidence(t, [1, 2], -1), ArgumentError, "coincidenceWindow is -1"),
        (lambda t: Coincidence(t, [1, 2], 5, 4), ArgumentError, "timestamp is 4.*Last = 0.*ListedFirst = 3"),
        (lambda t: Coincidences(t, [], 5), ArgumentError, "coincidenceGroups is empty"),
        (lambda t: Coincidences(t, 5, 5), ArgumentKindError, "coincidenceGroups"),
        (lambda t: Coincidences(t, np.array(5), 5), ArgumentKindError, "coincidenceGroups must be a sequence"),
        (lambda t: Coincidences(t, [1, 2], 5), ArgumentKindError, r"coincidenceGroups\[0\]"),
        (lambda t: Coincidences(t, [[1], [9]], 5), ArgumentError, r"coincidenceGroups\[1\]\[0\] is 9"),
        (lambda t: Combiner(t, [1, 9]), ArgumentError, r"channels\[1\] is 9"),
        (lambda t: GatedChannel(t, 1, 2, 2), ArgumentError, "both 2"),
        (lambda t: GatedChannel(t, 1, 2, 9), ArgumentError, "gate_stop_channel is 9"),
        (lambda t: GatedChannel(t, 1, 2, 3, "Open"), ArgumentKindError, "initial"),
    ],
)
def test_bad_arguments_name_value_and_range(tagger, create, error, words):
    with pytest.raises(error, match=words):
        create(tagger)
    assert tagger._hub.iterators() == []
    assert DelayedChannel(tagger, 1, 0).getChannel() == 1001


def test_more_than_64_channels_are_refused():
    tagger = SteppedTagger(TagBlock.empty(0, 10), range(1, 70))
    assert Coincidence(tagger, range(1, 65)).getChannel() == 1001
    with pytest.raises(ArgumentError, match=r"65 different channels.*64"):
        Coincidence(tagger, range(1, 66))


def test_bad_new_values_leave_the_old_ones(tagger):
    delayed, pair = DelayedChannel(tagger, 1, 5), Coincidence(tagger, [1, 2], 5)
    with pytest.raises(ArgumentError):
        delayed.setDelay(10**19)
    with pytest.raises(ArgumentError):
        pair.setCoincidenceWindow(-1)
    assert delayed.getConfiguration()["params"]["delay"] == 5
    assert pair.getConfiguration()["params"]["coincidenceWindow"] == 5


def test_a_freed_tagger_is_refused(tagger):
    tagger._free()
    with pytest.raises(StateError, match="freed"):
        Combiner(tagger, [1, 2])


def test_a_stopped_virtual_channel_is_silent_and_starts_anew(tagger):
    gate = GatedChannel(tagger, 1, 2, 3, GatedChannelInitial.Closed)
    tap = Tap(tagger)
    tagger.advance(25)
    gate.stop()
    tagger.advance(45)
    gate.start()
    tagger.play()
    assert [row[0] for row in tap.rows() if row[1] == gate.getChannel()] == [20, 60]


def test_clear_zeroes_the_counts(tagger):
    combiner = Combiner(tagger, [2, 1, 2])
    tagger.advance(30)
    assert combiner.getChannelCounts().tolist() == [1, 2, 1]
    assert combiner.getChannelCounts().dtype == np.int64
    combiner.clear()
    tagger.play()
    assert combiner.getChannelCounts().tolist() == [3, 2, 3]
