"""The figures of the vendor's manual that show virtual channels: the same inputs give the same outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of
from tagwire.testing.tap import Tap
from tagwire.virtual.combinations import Combinations
from tagwire.virtual.countrate_trigger import TriggerOnCountrate
from tagwire.virtual.generator import EventGenerator
from tagwire.virtual.multiplier import FrequencyMultiplier


def figure(recordings: Path, name: str) -> dict:
    path = recordings / "golden" / "manual_figures.json"
    if not path.is_file():
        pytest.skip("the manual's figures are not among the recordings")
    return json.loads(path.read_text())[name]


def stream(unit: int, *inputs: list[float]) -> SteppedTagger:
    """Channel 1 has the first list of times, channel 2 the second, and so on; `unit` is that of the times in ps."""
    rows = sorted((round(t * unit), c, 0, 0) for c, times in enumerate(inputs, 1) for t in times)
    return SteppedTagger(block_of(rows, 0, 100 * unit))


def times(tap: Tap, channel: int, unit: int) -> list[float]:
    return [row[0] / unit for row in tap.rows() if row[1] == channel]


@pytest.mark.parametrize("cuts", [[], range(0, 100_000, 500)])
def test_combinations(recordings, cuts):
    data = figure(recordings, "Combinations")
    tagger = stream(1000, data["CH1"], data["CH2"], data["CH3"])
    made = Combinations(tagger, [1, 2, 3], data["window"] * 1000)
    names = {"V123": [1, 2, 3], "V13": [1, 3], "V2": [2]}
    channels = {name: made.getChannel(inputs) for name, inputs in names.items()}
    others = made.getChannels([[1], [3], [1, 2], [2, 3]])
    sums = [made.getSumChannel(n) for n in (1, 2, 3)]
    tap = Tap(tagger)
    tagger.play(cuts)
    assert {name: times(tap, channel, 1000) for name, channel in channels.items()} == {k: data[k] for k in names}
    assert [times(tap, channel, 1000) for channel in others] == [[], [], [], []]
    assert [times(tap, channel, 1000) for channel in sums] == [data["V2"], data["V13"], data["V123"]]


@pytest.mark.parametrize("cuts", [[], range(0, 100_000, 500)])
def test_event_generator(recordings, cuts):
    data = figure(recordings, "EventGenerator")
    tagger = stream(1000, data["trigger"], data["stop"])
    pattern = [1000 * t for t in data["pattern"]]
    made = EventGenerator(tagger, 1, pattern, trigger_divider=data["divider"], stop_channel=2)
    tap = Tap(tagger)
    tagger.play(cuts)
    assert times(tap, made.getChannel(), 1000) == data["out"]


@pytest.mark.parametrize("cuts", [[], range(0, 100_000, 500)])
def test_frequency_multiplier(recordings, cuts):
    data = figure(recordings, "FrequencyMultiplier")
    tagger = stream(1000, data["inp"])
    made = FrequencyMultiplier(tagger, 1, data["multiplier"])
    tap = Tap(tagger)
    tagger.play(cuts)
    assert times(tap, made.getChannel(), 1000) == data["out"]


@pytest.mark.parametrize("cuts", [[], range(0, 100 * 10**6, 10**6 // 3)])
def test_trigger_on_countrate(recordings, cuts):
    """The figure's first tag stands one window after its origin, which is drawn 0.04 us beside zero."""
    data = figure(recordings, "TriggerOnCountrate")
    window = data["window_us"]
    tagger = stream(10**6, data["inp"])
    made = TriggerOnCountrate(tagger, 1, data["ref"], data["hyst"], window * 10**6)
    tap = Tap(tagger)
    tagger.play(cuts)
    first, *below = times(tap, made.getChannelBelow(), 10**6)
    assert times(tap, made.getChannelAbove(), 10**6) == data["above"]
    assert below == data["below"][1:]
    assert first == window == pytest.approx(data["below"][0], abs=0.05)
