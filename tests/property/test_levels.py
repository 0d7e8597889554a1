"""Sampler and Scope against their oracles, wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.measurements.sampler import Sampler
from tagwire.measurements.scope import Scope
from tagwire.testing.oracles.levels import sampler, scope_triggers, trace
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, -1, 2, -2, 3)
blocks = st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]).flatmap(
    lambda begin: tag_blocks(channels=CHANNELS, begin=begin)
)
lists = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5)
triggers = st.sampled_from([3, 1, -2])


@given(st.data(), blocks, triggers, lists, st.one_of(st.integers(1, 9), st.just(10**6)))
def test_samples_do_not_depend_on_the_cuts(data, block, trigger, channels, max_triggers):
    tagger = SteppedTagger(block, CHANNELS)
    measured, masks = (Sampler(tagger, trigger, channels, max_triggers) for _ in range(2))
    tagger.play(data.draw(cuts(block)))
    expected = sampler(block, trigger, channels, max_triggers)
    assert measured.getData().tolist() == expected
    assert measured.getData().shape == (0, len(channels) + 1)
    assert masks.getDataAsMask().tolist() == [[t, mask(states)] for t, *states in expected]


@given(st.data(), blocks, triggers, lists)
def test_every_trigger_is_fetched_once(data, block, trigger, channels):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Sampler(tagger, trigger, channels, 10**8)
    rows = []
    for cut in data.draw(cuts(block)):
        tagger.advance(cut)
        rows += measured.getData().tolist()
    tagger.play()
    assert rows + measured.getData().tolist() == sampler(block, trigger, channels, 10**8)


@given(st.data(), blocks, triggers, lists, st.integers(1, 200), st.integers(1, 4), st.integers(1, 9))
def test_traces_do_not_depend_on_the_cuts(data, block, trigger, channels, window, n_traces, n_max_events):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Scope(tagger, channels, trigger, window, n_traces, n_max_events)
    tagger.play(data.draw(cuts(block)))
    begins = scope_triggers(block, trigger, window)[:n_traces]
    traces = [trace(block, c, t, window, n_max_events) for t in begins for c in channels]
    missing = [[] for _ in range((n_traces - len(begins)) * len(channels))]
    assert values(measured) == traces + missing
    assert measured.triggered() == len(begins)
    complete = len(begins) == n_traces and begins[-1] + window <= block.end
    assert (measured.ready(), measured.isRunning()) == (complete, not complete)
    end = begins[-1] + window if complete else block.end
    assert measured.getCaptureDuration() == end - block.begin


@given(st.data(), blocks, triggers, lists, st.integers(1, 200))
def test_without_an_end_the_latest_complete_trace_is_kept(data, block, trigger, channels, window):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Scope(tagger, channels, trigger, window, data.draw(st.integers(-3, 0)))
    tagger.play(data.draw(cuts(block)))
    begins = scope_triggers(block, trigger, window)
    complete = [t for t in begins if t + window <= block.end]
    shown = complete[-1:] or begins[:1]
    expected = [trace(block, c, t, window, 1000) for t in shown for c in channels]
    assert values(measured) == (expected or [[] for _ in channels])
    assert measured.triggered() == len(begins)
    assert not measured.ready()
    assert measured.isRunning()


def mask(states: list[int]) -> int:
    bits = sum(1 << k for k, state in enumerate(states) if state == 1)
    return bits - (2**63 if 2 in states else 0)


def values(measured: Scope) -> list[list[tuple[int, int]]]:
    return [[(e.time, e.state) for e in events] for events in measured.getData()]
