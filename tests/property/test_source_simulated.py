"""The simulated stream is a pure function of seed, configuration and stream time."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.models import MODELS, TIME_TAGGER_20, TIME_TAGGER_ULTRA
from tagwire.core.tags import TagBlock, join
from tagwire.sources.light import PoissonLight, PulsedEmitter
from tagwire.sources.simulated import SimulatedSource

TOTAL = 35 * 10**9
ALL = (1, -1, 2, -2, 3, 4, -4, 5, 8)

spans = st.lists(st.integers(1, 15 * 10**9), max_size=8)
listeners = st.lists(st.sets(st.sampled_from(ALL)), min_size=1, max_size=4)
begins = st.integers(-(10**13), 10**15)


def source(seed: int, begin: int) -> SimulatedSource:
    made = SimulatedSource(TIME_TAGGER_20, seed, begin)
    made.illuminate([1], PoissonLight(20e3))
    made.illuminate([2, 3], PulsedEmitter(1e6, 50_000.0, dark_rate=1e4, detector_dead_time=10**6, sync=8))
    made.set_test_signal(4, True)
    made.set_test_signal(5, True)
    return made


def read(made: SimulatedSource, spans: list[int], total: int, wanted: Collection[int] = ALL) -> TagBlock:
    """`total` ps, pulled in the given spans and then in one go."""
    end = made.position + total
    blocks = []
    remaining = iter(spans)
    while made.position < end:
        block = made.read(min(next(remaining, total), end - made.position), wanted)
        assert block is not None
        blocks.append(block)
    return join(blocks)


def same(a: TagBlock, b: TagBlock) -> bool:
    return np.array_equal(a.time, b.time) and np.array_equal(a.channel, b.channel)


@settings(max_examples=25)
@given(st.integers(-(2**62), 2**62), begins, spans)
def test_tags_do_not_depend_on_how_they_are_pulled(seed: int, begin: int, spans: list[int]) -> None:
    whole = read(source(seed, begin), [], TOTAL)
    assert same(read(source(seed, begin), spans, TOTAL), whole)
    assert len(whole) > 10_000
    assert np.all(np.diff(whole.time) >= 0)
    assert begin <= whole.time[0]
    assert whole.time[-1] < begin + TOTAL


@settings(max_examples=25)
@given(st.integers(0, 99), begins, spans, listeners)
def test_tags_do_not_depend_on_who_listens(seed: int, begin: int, spans: list[int], listeners: list[set[int]]) -> None:
    whole = read(source(seed, begin), [], TOTAL)
    made = source(seed, begin)
    cuts = [*spans, 3 * 10**9, 10**9, 14 * 10**9]
    for place, span in enumerate(cuts):
        wanted = listeners[place % len(listeners)]
        block = read(made, [], span, wanted)
        expected = whole.take(block.begin, block.end)
        if block.end > whole.end:
            return
        heard = np.isin(expected.channel, list(wanted))
        assert np.array_equal(block.time, expected.time[heard])
        assert np.array_equal(block.channel, expected.channel[heard])


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(1, 25 * 10**9), spans, spans)
def test_a_change_acts_from_the_next_block_on_and_changes_nothing_else(
    seed: int, at: int, before: list[int], after: list[int]
) -> None:
    first, second = source(seed, 0), source(seed, 0)
    untouched = read(source(seed, 0), [], TOTAL)
    blocks = []
    for made, spans in ((first, []), (second, [s for s in before if s < at])):
        head = read(made, spans, at)
        made.darken([1])
        made.set_test_signal(5, False)
        made.illuminate([4], PoissonLight(1e5))
        made.set_test_signal(4, False)
        blocks.append((head, read(made, after if made is second else [], TOTAL - at)))
    (head, tail), (head_again, tail_again) = blocks
    assert same(head, head_again)
    assert same(tail, tail_again)
    assert same(head, untouched.take(0, at))
    assert not np.isin(tail.channel, [1, -1, 5]).any()
    kept = [2, -2, 3, 8]
    old, new = untouched.take(at, TOTAL), tail
    assert np.array_equal(old.time[np.isin(old.channel, kept)], new.time[np.isin(new.channel, kept)])


def test_a_saturated_detector_remembers_its_dead_time_when_nobody_listens() -> None:
    light = PulsedEmitter(
        1e6, 0.0, collection_efficiency=1.0, detector_efficiency=1.0, emission_efficiency=1.0,
        timing_jitter=0.0, detector_dead_time=2_500_000, dark_rate=0.0,
    )  # fmt: skip
    made, silent = (SimulatedSource(TIME_TAGGER_ULTRA, 1) for _ in range(2))
    made.illuminate([1], light)
    silent.illuminate([1], light)
    whole = read(made, [], 60 * 10**9, {1})
    read(silent, [], 50 * 10**9, ())
    late = read(silent, [], 10 * 10**9, {1})
    assert np.array_equal(late.time, whole.take(50 * 10**9, 60 * 10**9).time)
    assert len(whole) == 20_000


def test_other_seeds_give_other_tags() -> None:
    assert not same(read(source(1, 0), [], TOTAL), read(source(2, 0), [], TOTAL))


def test_much_light_cuts_blocks_short_without_losing_a_tag() -> None:
    made = SimulatedSource(TIME_TAGGER_ULTRA)
    made.illuminate([1], PoissonLight(100e6))
    block = made.read(10**11, {1})
    assert block is not None
    assert block.end < 10**11
    rest = read(made, [], 30 * 10**9 - block.end, {1})
    whole = join([block, rest])
    assert abs(len(whole) - 3e6) < 6 * np.sqrt(3e6)


def test_every_model_offers_its_channels() -> None:
    for model in MODELS.values():
        assert SimulatedSource(model).channels == model.channels
