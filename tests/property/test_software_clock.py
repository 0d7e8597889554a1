"""Software clock: the same tags wherever the stream is cut, every loss counted, times as the oracle has them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock, TagType, merge
from tagwire.engine.clock import ClockStage
from tagwire.engine.clock_signal import ClockSignal
from tagwire.testing.oracles.clock import Timebase
from tagwire.testing.strategies import block_of, cuts
from tagwire.testing.tap import rows_of

PERIOD = 100_000
IDEAL = 1001
CLOCK, SIGNAL = 1, 2
OTHERS = (SIGNAL, -3)


def clock_tags(seed: int, count: int, begin: int, factor: float, jitter: float) -> np.ndarray:
    """Tags of a clock that is too slow by `factor`, with Gaussian jitter in ps."""
    noise = np.random.default_rng(seed).normal(0, jitter, count)
    return np.sort(begin + np.round(np.arange(count) * PERIOD * factor + noise)).astype(np.int64)


def stream(clicks: np.ndarray, rows: list[tuple[int, int, int, int]], begin: int, end: int) -> TagBlock:
    """Clock tags and other tags as one block."""
    clock = TagBlock(begin, end, clicks, np.full(len(clicks), CLOCK, np.int32))
    return merge(begin, end, [clock, block_of(sorted(rows), begin, end)])


@st.composite
def troubled(draw: st.DrawFn) -> TagBlock:
    """A clock with missing and extra tags, other tags, overflows and errors."""
    begin = draw(st.sampled_from([0, -(10**12), 10**17]))
    clicks = clock_tags(draw(st.integers(0, 9)), 120, begin + 777, draw(st.sampled_from([1.0, 1.01, 0.98])), 300.0)
    end = int(clicks[-1]) + draw(st.integers(1, 3 * PERIOD))
    keep = np.ones(len(clicks), bool)
    keep[draw(st.lists(st.integers(0, 119), max_size=2))] = False
    anywhere = st.integers(begin, end - 1)
    rows = [(t, draw(st.sampled_from(OTHERS)), 0, 0) for t in draw(st.lists(anywhere, max_size=40))]
    rows += [(t, CLOCK, 0, 0) for t in draw(st.lists(anywhere, max_size=1))]
    rows += [(t, SIGNAL, TagType.MissedEvents, 65_535) for t in draw(st.lists(anywhere, max_size=1))]
    rows += [(t, -134217728, TagType.Error, 0) for t in draw(st.lists(anywhere, max_size=1))]
    for t in draw(st.lists(anywhere, max_size=1)):
        rows += [(t, -134217728, TagType.OverflowBegin, 0), (t + 5 * PERIOD, -134217728, TagType.OverflowEnd, 0)]
    return stream(clicks[keep], rows, begin, end + 6 * PERIOD)


def play(block: TagBlock, at: list[int], averaging: float = 12.0, triggers: tuple[int, ...] | None = None):
    """The output of a clock stage that is fed in parts, and the stage."""
    stage = ClockStage(now=lambda: 0.0)
    stage.ideal_channel, stage.wanted = IDEAL, True
    stage.ideal.triggers = triggers
    stage.set(ClockSignal(CLOCK, 1e12 / PERIOD, 1, averaging), (CLOCK, *OTHERS))
    out, rest, parts = [], block, []
    for cut in at:
        part, rest = rest.split(cut)
        parts.append(part)
    for part in parts:
        out.append(stage.push(part))
    out.append(stage.finish(rest))
    for left, right in pairwise(out):
        assert left.end == right.begin
    rows = []
    for piece in out:
        times = [piece.begin, *piece.time.tolist()]
        assert times == sorted(times)
        assert times[-1] <= piece.end
        rows += rows_of(piece)
    return rows, stage


@given(st.data(), troubled(), st.sampled_from([None, (SIGNAL,)]))
@settings(max_examples=60)
def test_the_output_does_not_depend_on_the_cuts_and_every_loss_is_counted(data, block, triggers):
    whole, stage = play(block, [], triggers=triggers)
    parts, other = play(block, data.draw(cuts(block)), triggers=triggers)
    assert parts == whole
    assert vars(stage.state()) == vars(other.state())
    seen: Counter[int] = Counter()
    for _, channel, kind, missed in whole:
        seen[channel] += 1 if kind == TagType.TimeTag else missed
    came: Counter[int] = Counter()
    for _, channel, kind, missed in rows_of(block):
        came[channel] += 1 if kind == TagType.TimeTag else missed
    assert {c: seen[c] for c in (CLOCK, *OTHERS)} == {c: came[c] for c in (CLOCK, *OTHERS)}


@given(troubled())
@settings(max_examples=40)
def test_overflow_ranges_alternate_and_hold_no_time_tags(block):
    rows, _ = play(block, [])
    losing = False
    for _, _, kind, _ in rows:
        if kind in (TagType.OverflowBegin, TagType.OverflowEnd):
            assert losing == (kind == TagType.OverflowEnd)
            losing = not losing
        elif kind == TagType.TimeTag:
            assert not losing
    assert rows[0][2] == TagType.OverflowBegin
    ideal = [t for t, channel, _, _ in rows if channel == IDEAL]
    assert all(t % PERIOD == 0 for t in ideal)


@given(st.data(), st.sampled_from([1.0, 3.0, 20.0, 35.5]), st.sampled_from([1.0, 1.04, 0.96, 1 + 1e-6]))
@settings(max_examples=30)
def test_times_are_those_of_the_oracle(data, averaging, factor):
    clicks = clock_tags(data.draw(st.integers(0, 99)), 150, 12_345, factor, 200.0)
    end = int(clicks[-1]) + 1
    others = sorted(data.draw(st.lists(st.integers(0, end - 1), max_size=30)))
    block = stream(clicks, [(t, SIGNAL, 0, 0) for t in others], 0, end)
    rows, stage = play(block, data.draw(cuts(block)), averaging)
    base = Timebase(clicks.tolist(), PERIOD, PERIOD, averaging)
    assert stage.state().error_counter == 0
    assert (base.lock, -134217728, TagType.OverflowEnd, 0) in rows
    for channel, times in ((SIGNAL, others), (CLOCK, clicks.tolist())):
        expected = [at for t in times if (at := base(t)) is not None]
        mine = [t for t, c, kind, _ in rows if c == channel and kind == TagType.TimeTag]
        # A fraction that is just a half may be rounded either way, which is rare.
        assert mine[: len(expected)] == pytest.approx(expected, abs=1)
        assert np.count_nonzero(np.array(mine[: len(expected)]) != np.array(expected)) <= (
            1 if averaging > 1 else 2 + len(expected) // 20
        )


def test_two_clock_tags_at_the_same_time_end_the_lock_in_order():
    clicks = clock_tags(2, 120, 777, 0.98, 300.0)
    for extra in clicks[20:100:3].tolist():
        rows, stage = play(stream(clicks, [(extra, CLOCK, 0, 0)], 0, int(clicks[-1]) + 1), [])
        losing = False
        for _, _, kind, _ in rows:
            losing = losing != (kind in (TagType.OverflowBegin, TagType.OverflowEnd))
            assert not (losing and kind == TagType.TimeTag)
        assert stage.state().error_counter >= 1
