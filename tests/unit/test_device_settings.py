"""Settings of the instrument: values, ranges, errors, configuration."""

from __future__ import annotations

import json

import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.models import TIME_TAGGER_20, TIME_TAGGER_ULTRA, TIME_TAGGER_X, Model
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.device import DeviceChain
from tagwire.engine.instrument import Bypass
from tagwire.errors import ArgumentError, ArgumentKindError, NotSupported
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of
from tagwire.virtual.delayed import DelayedChannel


def tagger_of(model: Model | None) -> SteppedTagger:
    channels = model.channels if model else (1, 2, -1, -2)
    return SteppedTagger(TagBlock.empty(0, 100), channels, DeviceChain(model))


def settings_of(tagger: SteppedTagger) -> list[dict]:
    return tagger._chain().input_settings(tagger._hub.source.channels)


def test_input_delay_uses_the_hardware_where_it_reaches():
    tagger = tagger_of(TIME_TAGGER_ULTRA)
    tagger.setInputDelay(1, -2_000_000)
    assert (tagger.getDelayHardware(1), tagger.getDelaySoftware(1)) == (-2_000_000, 0)
    tagger.setInputDelay(1, 2_000_001)
    assert (tagger.getDelayHardware(1), tagger.getDelaySoftware(1)) == (0, 2_000_001)
    tagger.setDelayHardware(1, -1)
    assert tagger.getInputDelay(1) == 2_000_000
    assert tagger.getInputDelay(-1) == 0


@pytest.mark.parametrize("model", [TIME_TAGGER_20, None])
def test_input_delay_is_in_software_where_there_is_no_hardware_delay(model):
    tagger = tagger_of(model)
    tagger.setInputDelay(1, 1000.0)
    assert (tagger.getDelaySoftware(1), tagger.getInputDelay(1)) == (1000, 1000)
    for call in (tagger.getDelayHardware, tagger.getDelayHardwareRange, lambda c: tagger.setDelayHardware(c, 0)):
        with pytest.raises(NotSupported, match="no hardware delay"):
            call(1)


def test_ranges_of_the_models():
    assert tagger_of(TIME_TAGGER_ULTRA).getDelayHardwareRange(1) == (-2_000_000, 2_000_000)
    assert tagger_of(TIME_TAGGER_X).getDelayHardwareRange(-3) == (-2_500_000, 2_500_000)
    assert tagger_of(TIME_TAGGER_20).getDeadtimeRange(1) == (6_000, 393_000_000)
    assert tagger_of(TIME_TAGGER_X).getDeadtimeRange(1) == (1_333, 716_000_000)
    assert tagger_of(None).getDeadtimeRange(1) == (0, 10**12)


@pytest.mark.parametrize(
    ("model", "asked", "used"),
    [
        (TIME_TAGGER_20, 0, 6_000),
        (TIME_TAGGER_20, 8_999, 6_000),
        (TIME_TAGGER_20, 9_000, 12_000),
        (TIME_TAGGER_20, 393_000_000, 393_000_000),
        (TIME_TAGGER_ULTRA, 0, 2_000),
        (TIME_TAGGER_ULTRA, 2_001, 2_001),
        (TIME_TAGGER_X, 1_334, 1_334),
        (None, 0, 0),
        (None, 5.0, 5),
    ],
)
def test_the_dead_time_that_is_really_used_comes_back(model, asked, used):
    tagger = tagger_of(model)
    assert tagger.setDeadtime(-2, asked) == used
    assert tagger.getDeadtime(-2) == used
    assert tagger.getDeadtime(2) == (model.deadtime_default if model else 0)


def test_conditional_filter_lists_come_back_as_tuples():
    tagger = tagger_of(None)
    tagger.setConditionalFilter(trigger=[1, -1, 1], filtered=range(2, 3))
    assert (tagger.getConditionalFilterTrigger(), tagger.getConditionalFilterFiltered()) == ((1, -1), (2,))
    tagger.clearConditionalFilter()
    assert (tagger.getConditionalFilterTrigger(), tagger.getConditionalFilterFiltered()) == ((), ())


def test_event_divider_needs_an_instrument():
    tagger = tagger_of(TIME_TAGGER_20)
    tagger.setEventDivider(1, 65_535)
    assert (tagger.getEventDivider(1), tagger.getEventDivider(2)) == (65_535, 1)
    with pytest.raises(NotSupported, match="event divider"):
        tagger_of(None).setEventDivider(1, 2)
    assert tagger_of(None).getEventDivider(1) == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda t: t.setInputDelay(19, 0), ArgumentError, "channel is 19"),
        (lambda t: t.setInputDelay(CHANNEL_UNUSED, 0), ArgumentError, "channel"),
        (lambda t: t.setInputDelay(1, 10**18 + 1), ArgumentError, "delay is 1000000000000000001.*within"),
        (lambda t: t.setDelaySoftware(1, "5"), ArgumentKindError, "delay.*'5'"),
        (lambda t: t.setDelayHardware(1, 2_000_001), ArgumentError, r"2000001.*\[-2000000, 2000000\]"),
        (lambda t: t.setDeadtime(1, 2_147_000_001), ArgumentError, r"2147000001.*2147000000\]"),
        (lambda t: t.setDeadtime(1, -1), ArgumentError, "deadtime is -1"),
        (lambda t: t.setDeadtime(1.5, 5000), ArgumentKindError, "channel"),
        (lambda t: t.setEventDivider(1, 0), ArgumentError, r"divider is 0.*\[1, 65535\]"),
        (lambda t: t.setEventDivider(1, 65_536), ArgumentError, "65536"),
        (lambda t: t.setConditionalFilter([1, 40], [2]), ArgumentError, r"trigger\[1\] is 40"),
        (lambda t: t.setConditionalFilter([1], 2), ArgumentKindError, "filtered"),
        (lambda t: t.getDeadtime(0), ArgumentError, "channel is 0"),
    ],
)
def test_bad_values_change_nothing(call, error, words):
    tagger = tagger_of(TIME_TAGGER_ULTRA)
    before = settings_of(tagger)
    with pytest.raises(error, match=words):
        call(tagger)
    assert settings_of(tagger) == before


def test_virtual_channels_have_no_settings():
    tagger = tagger_of(None)
    copy = DelayedChannel(tagger, 1, 0)
    with pytest.raises(ArgumentError, match=r"1001.*physical channels \[-2, -1, 1, 2\]"):
        tagger.setInputDelay(copy.getChannel(), 5)


def test_settings_are_a_copy_that_json_can_hold():
    tagger = tagger_of(TIME_TAGGER_ULTRA)
    tagger.setInputDelay(-2, 7)
    tagger.setDelaySoftware(2, 8)
    tagger.setDeadtime(2, 9_000)
    tagger.setConditionalFilter([2], [-2])
    tagger.setEventDivider(-2, 3)
    settings = json.loads(json.dumps(settings_of(tagger)))
    assert [entry["channel"] for entry in settings] == [[n, -n] for n in range(1, 19)]
    assert settings[1] == {
        "channel": [2, -2],
        "conditional filter filtered": [False, True],
        "conditional filter triggers": [True, False],
        "deadtime": [9_000, 2_100],
        "delay hardware": [0, 7],
        "delay software": [8, 0],
        "event divider": [1, 3],
    }
    settings_of(tagger)[0]["deadtime"][0] = 5
    assert tagger.getDeadtime(1) == 2_100


def test_reset_brings_back_the_settings_after_start_up():
    tagger = tagger_of(TIME_TAGGER_X)
    fresh = settings_of(tagger)
    tagger.setInputDelay(1, 5)
    tagger.setDeadtime(1, 9_000)
    tagger.setConditionalFilter([1], [2])
    tagger._chain().reset()
    assert settings_of(tagger) == fresh


def test_overflows_are_counted_until_cleared():
    begin, end = TagType.OverflowBegin, TagType.OverflowEnd
    rows = [(t, CHANNEL_UNUSED, kind, 0) for t, kind in ((1, begin), (2, end), (5, begin), (6, end))]
    tagger = SteppedTagger(block_of(rows, 0, 10), (1,))
    tagger.advance(3)
    assert tagger.getOverflowsAndClear() == 1
    tagger.play()
    assert tagger.getOverflows() == 1
    tagger.clearOverflows()
    assert tagger.getOverflows() == 0


def test_a_stream_without_instrument_says_so():
    tagger = SteppedTagger(TagBlock.empty(0, 10), (1,), Bypass())
    with pytest.raises(NotSupported, match="no instrument"):
        tagger.setDeadtime(1, 5)
