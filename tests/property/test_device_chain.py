"""The instrument's processing: each stage and the whole, independent of block cutting, equal to the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.models import TIME_TAGGER_ULTRA
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.device import DeviceChain
from tagwire.testing.oracles.device import Settings, processed
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of, cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of

CHANNELS = (1, 2, 3, -1)
ANY_CHANNELS = st.lists(st.sampled_from(CHANNELS), max_size=4)


def per_channel(values: st.SearchStrategy[int]) -> st.SearchStrategy[dict[int, int]]:
    return st.dictionaries(st.sampled_from(CHANNELS), values)


HARDWARE = per_channel(st.one_of(st.integers(-60, 60), st.integers(-5000, 5000)))
SOFTWARE = per_channel(st.one_of(st.integers(-60, 60), st.integers(-5000, 5000), st.just(10**18)))
DEADTIME = per_channel(st.one_of(st.integers(0, 5), st.integers(0, 300)))
DIVIDER = per_channel(st.one_of(st.integers(1, 4), st.just(65_535)))
SETTINGS = {
    "nothing": st.builds(Settings),
    "hardware delay": st.builds(Settings, delay_hardware=HARDWARE),
    "dead time": st.builds(Settings, deadtime=DEADTIME),
    "conditional filter": st.builds(Settings, triggers=ANY_CHANNELS, filtered=ANY_CHANNELS),
    "event divider": st.builds(Settings, divider=DIVIDER),
    "software delay": st.builds(Settings, delay_software=SOFTWARE),
    "all": st.builds(Settings, HARDWARE, DEADTIME, ANY_CHANNELS, ANY_CHANNELS, DIVIDER, SOFTWARE),
}


def chain_of(settings: Settings) -> DeviceChain:
    chain = DeviceChain()
    for channel in CHANNELS:
        chain.hardware_delay.set(channel, settings.delay_hardware.get(channel, 0))
        chain.filters.set_deadtime(channel, settings.deadtime.get(channel, 0))
        chain.filters.set_divider(channel, settings.divider.get(channel, 1))
        chain.software_delay.set(channel, settings.delay_software.get(channel, 0))
    chain.filters.set_conditional_filter(settings.triggers, settings.filtered)
    return chain


@pytest.mark.parametrize("stage", SETTINGS)
@given(data=st.data(), block=tag_blocks(CHANNELS))
def test_a_stage(stage, data, block):
    settings = data.draw(SETTINGS[stage])
    tagger = SteppedTagger(block, CHANNELS, chain_of(settings))
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    assert tap.rows() == processed(rows_of(block), block.begin, settings)
    assert tap.block().begin == block.begin
    assert tap.block().end >= block.end


@given(st.data(), tag_blocks(CHANNELS), SETTINGS["all"])
def test_nothing_but_time_tags_is_moved_or_removed(data, block, settings):
    tagger = SteppedTagger(block, CHANNELS, chain_of(settings))
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    assert [r for r in tap.rows() if r[2] != TagType.TimeTag] == [r for r in rows_of(block) if r[2] != TagType.TimeTag]
    assert tagger.getOverflows() == sum(r[2] == TagType.OverflowBegin for r in rows_of(block))


@given(st.data(), tag_blocks(CHANNELS), SOFTWARE, SOFTWARE)
def test_new_delays_hold_for_later_tags(data, block, before, after):
    """The stream stays in order and complete but for what falls before the time already given out."""
    chain = chain_of(Settings(delay_software=before))
    tagger = SteppedTagger(block, CHANNELS, chain)
    tap = Tap(tagger)
    change = data.draw(st.integers(block.begin, block.end))
    tagger.advance(change)
    for channel in CHANNELS:
        tagger.setDelaySoftware(channel, after.get(channel, 0))
    tagger.play(data.draw(cuts(block).map(lambda times: [t for t in times if t > change])))
    rows = rows_of(block)
    given_out = max(block.begin, change + min(0, 0, *before.values()))
    early = processed([r for r in rows if r[0] < change], block.begin, Settings(delay_software=before))
    late = processed([r for r in rows if r[0] >= change], given_out, Settings(delay_software=after))
    assert tap.rows() == sorted([*early, *late], key=lambda row: row[0])
    assert len(tap.rows()) + chain.software_delay.late == len(rows)


@given(st.data(), tag_blocks(CHANNELS), SETTINGS["software delay"])
def test_reset_leaves_no_gap(data, block, settings):
    chain = chain_of(settings)
    tagger = SteppedTagger(block, CHANNELS, chain)
    tap = Tap(tagger)
    tagger.advance(data.draw(st.integers(block.begin, block.end)))
    chain.reset()
    tagger.play(data.draw(cuts(block)))
    assert len(tap.rows()) + chain.software_delay.late == len(block)
    assert tap.block().begin == block.begin
    assert [tagger.getDelaySoftware(c) for c in CHANNELS] == [0] * len(CHANNELS)


def test_a_neutral_chain_hands_the_same_block_on():
    block = TagBlock(0, 100, np.array([1, 2]), np.array([1, 2], np.int32))
    assert DeviceChain().process(block) is block


def test_overflows_that_the_delay_still_held_at_the_end_are_counted():
    rows = [
        (1, 1, TagType.TimeTag, 0),
        (8, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (9, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
    ]
    tagger = SteppedTagger(block_of(rows, 0, 10), (1,))
    tagger.setDelaySoftware(1, -100)
    tagger.play()
    assert tagger.getOverflows() == 1


def test_the_smallest_dead_time_acts_on_tags_that_are_closer():
    gap = TIME_TAGGER_ULTRA.deadtime_default
    time = np.array([0, gap - 1, gap, gap + 1, 2 * gap - 1, 2 * gap])
    tagger = SteppedTagger(TagBlock(0, 10 * gap, time, np.ones(6, np.int32)), (1, -1), DeviceChain(TIME_TAGGER_ULTRA))
    tap = Tap(tagger)
    tagger.play([gap])
    assert [row[0] for row in tap.rows()] == [0, gap, 2 * gap]


def test_the_conditional_filter_by_hand():
    """Channel 1 triggers, 2 and 3 are filtered: one event each after every trigger, none before the first."""
    channel = [2, 1, 2, 2, 3, 1, 1, 2, 3, 3]
    tagger = SteppedTagger(TagBlock(0, 20, np.arange(10), np.array(channel, np.int32)))
    tagger.setConditionalFilter(trigger=[1], filtered=[2, 3])
    tap = Tap(tagger)
    tagger.play([3, 7])
    assert [row[0] for row in tap.rows()] == [1, 2, 4, 5, 6, 7, 8]


def test_only_the_triggers_of_filtered_channels_are_wanted():
    chain = DeviceChain()
    chain.filters.set_conditional_filter([1], [2])
    assert chain.wanted(frozenset({2})) == {1, 2}
    assert chain.wanted(frozenset({3})) == {3}
