"""Clocks of simulated instruments: what they show depends on nothing but the clock and the laboratory time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.models import TIME_TAGGER_20
from tagwire.core.tags import TagBlock, join
from tagwire.sources.grid import PS_PER_S
from tagwire.sources.lab_clock import NODE, LabClock, Timebase, wiener
from tagwire.sources.light import PoissonLight
from tagwire.sources.light_pairs import PhotonPairs
from tagwire.sources.light_reference import ReferenceSignal
from tagwire.sources.light_shared import SharedLight
from tagwire.sources.simulated import SimulatedSource

errors = st.sampled_from([0.0, 1e-3, -1e-3, 3.7e-6, -2e-9])
walks = st.sampled_from([0.0, 30.0, 1e5])
starts = st.sampled_from([0, 1, 5 * NODE, 10**18])
clocks = st.builds(LabClock, errors, walks, starts, st.integers(0, 5))
PAIRS = PhotonPairs(1, 2e5, detector_dead_time=10**6, dark_rate=1e4)


@given(clocks, st.integers(-(10**15), 10**15), st.lists(st.integers(0, 5 * NODE), min_size=1, max_size=20))
def test_stamps_are_in_order_and_the_inverse_finds_the_first_time(
    clock: LabClock, origin: int, later: list[int]
) -> None:
    base = Timebase(clock, origin)
    times = clock.start + np.sort(np.array([0, *later]))
    stamps = base.stamps(times)
    assert stamps[0] == origin
    assert np.all(np.diff(stamps) >= 0)
    assert [base.stamp(int(t)) for t in times] == stamps.tolist()
    for stamp in stamps.tolist():
        for shown in (stamp, stamp + 1):
            time = base.time(shown)
            assert base.stamp(time) >= shown
            assert time == clock.start or base.stamp(time - 1) < shown


@given(errors, starts, st.integers(0, 10**16))
def test_without_a_random_walk_a_clock_gains_steadily(error: float, start: int, passed: int) -> None:
    base = Timebase(LabClock(error, start=start), 7)
    exact = passed + Fraction(error) * passed
    assert abs(base.stamp(start + passed) - 7 - exact) <= 1.5


def test_the_random_walk_has_independent_steps_of_the_variance_asked_for() -> None:
    walk = np.array([wiener(5, step) for step in range(4_001)])
    steps = np.diff(walk)
    assert walk[0] == 0.0
    assert abs(steps.var() - 1) < 5 * np.sqrt(2 / 4_000)
    assert abs(steps.mean()) < 5 / np.sqrt(4_000)
    assert abs(np.corrcoef(steps[1:], steps[:-1])[0, 1]) < 5 / np.sqrt(4_000)
    far = np.array([wiener(seed, 2**20) for seed in range(400)])
    assert abs(far.var() / 2**20 - 1) < 5 * np.sqrt(2 / 400)


def source(clock: LabClock | None, seed: int = 3) -> SimulatedSource:
    made = SimulatedSource(TIME_TAGGER_20, seed)
    made.illuminate([1], PoissonLight(5e4))
    made.illuminate([2], SharedLight(PAIRS, 2, (1,), seed=8))
    made.illuminate([3], ReferenceSignal(1e5, missing=0.1))
    if clock is not None:
        made.set_clock(clock)
    return made


def read(made: SimulatedSource, spans: list[int], total: int) -> TagBlock:
    end = made.position + total
    blocks, remaining = [], iter(spans)
    while made.position < end:
        block = made.read(min(next(remaining, total), end - made.position), {1, -1, 2, 3})
        assert block is not None
        assert np.all((block.time >= block.begin) & (block.time < block.end))
        blocks.append(block)
    return join(blocks)


@settings(max_examples=20)
@given(clocks, st.lists(st.integers(1, 60 * 10**9), max_size=8))
def test_tags_do_not_depend_on_how_they_are_pulled(clock: LabClock, spans: list[int]) -> None:
    total = 25 * 10**10
    whole, pulled = read(source(clock), [], total), read(source(clock), spans, total)
    assert np.array_equal(whole.time, pulled.time)
    assert np.array_equal(whole.channel, pulled.channel)
    assert len(whole) > 40_000
    assert whole.end == total


@settings(max_examples=10)
@given(clocks, st.integers(1, 10**10))
def test_the_tags_are_those_of_laboratory_time_as_the_clock_shows_them(clock: LabClock, before: int) -> None:
    made = source(None)
    read(made, [], before)
    made.set_clock(clock)
    assert made.laboratory_time == clock.start
    stamped = read(made, [], 5 * 10**10)
    true = SimulatedSource(TIME_TAGGER_20, 3, clock.start)
    for channel, light in ((1, PoissonLight(5e4)), (2, SharedLight(PAIRS, 2, (1,), 8)), (3, ReferenceSignal(1e5, 0.1))):
        true.illuminate([channel], light)
    happened = read(true, [], 6 * 10**10)
    expected = Timebase(clock, before).stamps(happened.time)
    inside = expected < stamped.end
    assert np.array_equal(stamped.time, expected[inside])
    assert np.array_equal(stamped.channel, happened.channel[inside])


def test_two_instruments_see_the_two_photons_of_each_pair() -> None:
    whole = SimulatedSource(TIME_TAGGER_20, 1)
    whole.illuminate([1, 2], PAIRS)
    parts = []
    for place, seed in ((0, 1), (1, 99)):
        part = SimulatedSource(TIME_TAGGER_20, seed)
        part.illuminate([5], SharedLight(PAIRS, 2, (place,), seed=1))
        block = part.read(10**10, {5})
        assert block is not None
        parts.append(block.time)
    block = whole.read(10**10, {1, 2})
    assert block is not None
    for channel, times in ((1, parts[0]), (2, parts[1])):
        # But for the jitter of the inputs, which each instrument has for itself, they are the same clicks.
        clicks = block.time[block.channel == channel]
        size = min(len(clicks), len(times))
        assert abs(len(clicks) - len(times)) <= 1
        assert np.abs(clicks[:size] - times[:size]).max() < 12 * TIME_TAGGER_20.jitter_rms


def test_a_pulse_at_each_second_of_laboratory_time() -> None:
    made = SimulatedSource(TIME_TAGGER_20, 1, begin=10**15 + 3)
    made.illuminate([4], ReferenceSignal(1.0))
    tags = read_channel(made, 4, 55 * PS_PER_S // 10)
    assert np.abs(tags - 10**15 - np.arange(1, 6) * PS_PER_S).max() < 8 * TIME_TAGGER_20.jitter_rms


def read_channel(made: SimulatedSource, channel: int, total: int) -> np.ndarray:
    end, parts = made.position + total, []
    while made.position < end:
        block = made.read(end - made.position, {channel})
        assert block is not None
        parts.append(block.time)
    return np.concatenate(parts)
