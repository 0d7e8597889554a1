"""Software clock with pulses per second: time never goes back, and a small step back costs tags that are counted."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.clock import ClockStage
from tagwire.engine.clock_signal import ClockSignal
from tagwire.testing.oracles.clock import Timebase, UtcTime
from tagwire.testing.strategies import block_of, cuts
from tagwire.testing.tap import rows_of

PERIOD, COUNT = 100_000, 120
S, TURN = 10**12, 10**18
CLOCK, SIGNAL, PULSE, IDEAL = 1, 2, 3, 1001
UNUSED = -134217728
AVERAGING = 12.0

seconds = st.sampled_from([0, 1, -1, 700_000])
"""Second near which the first pulse comes by the time of the instrument."""


def play(block: TagBlock, at: list[int], utc: float, disabled: int | None = None):
    """The output of a clock stage that is fed in parts, and the stage; switched off before one of the parts."""
    stage = ClockStage(now=lambda: utc)
    stage.ideal_channel, stage.wanted = IDEAL, True
    stage.set(ClockSignal(CLOCK, S / PERIOD, 1, AVERAGING, PULSE), (CLOCK, SIGNAL, PULSE))
    parts, rest = [], block
    for cut in at:
        part, rest = rest.split(cut)
        parts.append(part)
    out = []
    for place, part in enumerate((*parts, rest)):
        if place == disabled:
            stage.disable()
        out.append(stage.push(part))
    out.append(stage.finish(TagBlock.empty(block.end, block.end)))
    for left, right in pairwise(out):
        assert left.end == right.begin
    for piece in out:
        times = [piece.begin, *piece.time.tolist(), piece.end]
        assert times == sorted(times)
    return [row for piece in out for row in rows_of(piece)], stage


def sizes(rows) -> Counter[int]:
    """Events of each input channel, missed ones too."""
    counted: Counter[int] = Counter()
    for _, channel, kind, missed in rows:
        if channel not in (UNUSED, IDEAL):
            counted[channel] += 1 if kind == TagType.TimeTag else missed
    return counted


def ranges(rows) -> list[tuple[int, int]]:
    """Overflow ranges of a stream that begins in one; none holds a time tag."""
    found, begin = [], None
    for time, _, kind, _ in rows:
        if kind == TagType.OverflowBegin:
            assert begin is None
            begin = time
        elif kind == TagType.OverflowEnd:
            assert begin is not None
            found.append((begin, time))
            begin = None
        else:
            assert kind != TagType.TimeTag or begin is None
    return found


@st.composite
def pulsed(draw: st.DrawFn, faults: bool) -> tuple[TagBlock, int]:
    """A clock, good or with faults, pulses near a second as the instrument counts it, and other tags; the second."""
    jitter = np.random.default_rng(draw(st.integers(0, 99))).integers(-300, 300, COUNT)
    clicks = (np.arange(COUNT) * PERIOD + 500 + jitter).tolist()
    end = clicks[-1] + (4 * PERIOD if faults else 1)
    anywhere = st.integers(0, end - 1)
    pulses = draw(
        st.lists(st.integers(20 * PERIOD, 110 * PERIOD), min_size=1, max_size=3 if faults else 1, unique=True)
    )
    second = draw(seconds)
    shift = S * second - min(pulses) + draw(st.one_of(st.integers(-9, 9), st.integers(-30 * PERIOD, 30 * PERIOD)))
    rows = [(t, PULSE, 0, 0) for t in pulses]
    rows += [(t, SIGNAL, 0, 0) for t in draw(st.lists(anywhere, max_size=40)) if t not in pulses]
    if faults:
        for place in draw(st.lists(st.integers(20, COUNT - 1), max_size=2, unique=True)):
            clicks[place] = draw(anywhere)
        rows += [(t, SIGNAL, TagType.MissedEvents, 9) for t in draw(st.lists(anywhere, max_size=1))]
        for t in draw(st.lists(anywhere, max_size=2)):
            rows += [(t, UNUSED, TagType.OverflowBegin, 0), (t, UNUSED, TagType.OverflowEnd, 0)]
    rows += [(t, CLOCK, 0, 0) for t in clicks]
    rows.sort(key=lambda row: row[0])
    return block_of([(t + shift, c, k, m) for t, c, k, m in rows], shift, end + shift), second


@given(st.data(), pulsed(faults=True), st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=60, deadline=None)
def test_time_never_goes_back_cuts_do_not_matter_and_every_loss_is_counted(data, made, later):
    block, second = made
    whole, stage = play(block, [], second + later)
    parts, other = play(block, data.draw(cuts(block)), second + later)
    assert parts == whole
    assert vars(other.state()) == vars(stage.state())
    assert sizes(whole) == sizes(rows_of(block))
    ranges(whole)


@given(st.data(), pulsed(faults=True))
@settings(max_examples=30, deadline=None)
def test_it_may_be_switched_off_at_any_time(data, made):
    block, second = made
    at = data.draw(cuts(block))
    rows, stage = play(block, at, second, disabled=data.draw(st.integers(0, len(at))))
    assert sizes(rows) == sizes(rows_of(block))
    ranges(rows)
    assert not stage.locked


@given(st.data(), pulsed(faults=False))
@settings(max_examples=60, deadline=None)
def test_times_are_those_of_the_oracle(data, made):
    block, second = made
    rows, stage = play(block, data.draw(cuts(block)), second)
    inputs = rows_of(block)
    base = Timebase([t for t, c, _, _ in inputs if c == CLOCK], PERIOD, PERIOD, AVERAGING)
    (pulse,) = (t for t, c, _, _ in inputs if c == PULSE)
    utc = UtcTime(base, pulse, second)
    begin = next((end for _, end in ranges(rows)), None)
    assert begin is None or abs(begin - utc.begin) <= 1  # a fraction that is just a half may be rounded either way
    assert stage.state().error_counter == 0
    for channel in (SIGNAL, PULSE):
        expected = [at for t, c, _, _ in inputs if c == channel and (at := utc(t)) is not None]
        found = [t for t, c, kind, _ in rows if c == channel and kind == TagType.TimeTag]
        clear = [t for t in expected if abs(t - utc.begin) > 1]
        mine = [t for t in found if abs(t - utc.begin) > 1]
        assert len(mine) >= len(clear)
        assert all(abs(a - b) <= 1 for a, b in zip(mine, clear, strict=False))
    ideal = [t for t, c, _, _ in rows if c == IDEAL]
    assert all(b - a == PERIOD for a, b in pairwise(ideal))
