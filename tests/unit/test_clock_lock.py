"""Software clock: how well it follows, what it says, and what it refuses; on simulated clock signals."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.models import TIME_TAGGER_ULTRA
from tagwire.core.tags import TagBlock, TagType, merge
from tagwire.engine.device import DeviceChain
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError, ArgumentKindError, StateError
from tagwire.measurements.stream import TimeTagStream
from tagwire.testing.simulated import simulated_tagger
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap
from tagwire.TimeTagger import createTimeTagger, freeTimeTagger

PERIOD = 100_000
JITTER = 30.0


def signal(phase: np.ndarray, jitter: float = JITTER, channel: int = 1, seed: int = 3) -> TagBlock:
    noise = np.random.default_rng(seed).normal(0, jitter, len(phase))
    times = np.sort(np.round(phase + noise)).astype(np.int64)
    return TagBlock(0, int(times[-1]) + 1, times, np.full(len(times), channel, np.int32))


def both(*blocks: TagBlock) -> TagBlock:
    return merge(0, max(b.end for b in blocks), list(blocks))


def tagger_of(block: TagBlock, channels=(1, 2, 3), device=None) -> SteppedTagger:
    return SteppedTagger(block, channels, device)


def ideal_of(tagger: TimeTaggerBase) -> int:
    return tagger.getReferenceClockState().ideal_clock_channel


def tags(tagger: TimeTaggerBase, channels) -> TimeTagStream:
    return TimeTagStream(tagger, 10**7, channels)


def times(stream: TimeTagStream, channel: int) -> np.ndarray:
    buffer = stream.getData()
    mine = (buffer.getChannels() == channel) & (buffer.getEventTypes() == 0)
    return buffer.getTimestamps()[mine]


@pytest.mark.parametrize("averaging", [10, 100, 1000])
def test_a_steady_clock_is_followed_within_the_bound_of_the_loop(averaging):
    n = 60_000
    true = 500 + np.arange(n) * PERIOD * (1 + 3e-5)
    tagger = tagger_of(both(signal(true), signal(true[::7] + 40_000, 0, 2)))
    tagger.setReferenceClock(1, 1e12 / PERIOD, averaging * PERIOD * 1e-12)
    stream = tags(tagger, [2])
    tagger.play(range(0, 6 * 10**9, 10**9))
    found = times(stream, 2)
    # Tags that share the oscillator lie on the ideal grid, but for the error of the loop and rounding.
    error = (found - 40_000 + PERIOD // 2) % PERIOD - PERIOD // 2
    bound = np.sqrt(1.25 / averaging * JITTER**2 + 1 / 6)
    settled = error[len(error) // 3 :]
    assert abs(settled.mean()) < 3 * bound * np.sqrt(averaging / len(settled)) + 0.6
    assert settled.std() < 1.25 * bound
    state = tagger.getReferenceClockState()
    assert state.period_error == pytest.approx(3, abs=30 * averaging**-1.5 * 4 + 1e-3)
    assert state.phase_error_estimation == pytest.approx(JITTER, rel=0.5 if averaging == 10 else 0.15)
    assert state.error_counter == 0


def test_a_drifting_clock_is_followed_with_the_error_of_a_loop_of_type_two():
    n, averaging, drift = 60_000, 100, 2e-3
    k = np.arange(n, dtype=float)
    tagger = tagger_of(both(signal(k * PERIOD + drift * k * k / 2)))
    tagger.setSoftwareClock(1, 1e12 / PERIOD, averaging)
    ideal = tagger.getSoftwareClockState().ideal_clock_channel
    stream = tags(tagger, [1, ideal])
    tagger.play()
    buffer = stream.getData()
    clock = buffer.getTimestamps()[(buffer.getChannels() == 1) & (buffer.getEventTypes() == 0)]
    error = (clock + PERIOD // 2) % PERIOD - PERIOD // 2
    # In the steady state: the change of the period per period over beta = (1 - theta)**2 = 1 / averaging**2.
    assert error[10_000:].mean() == pytest.approx(drift * averaging**2, rel=0.1)
    assert tagger.getSoftwareClockState().error_counter == 0
    grid = buffer.getTimestamps()[buffer.getChannels() == ideal]
    assert set(np.diff(grid).tolist()) == {PERIOD}


def test_a_divided_clock_gives_all_ideal_tags():
    block = signal(np.arange(40_000) * float(PERIOD))
    tagger = tagger_of(block, device=DeviceChain(TIME_TAGGER_ULTRA))
    tagger.setEventDivider(1, 8)
    tagger.setReferenceClock(1, 10e6, 2e-4)
    state = tagger.getReferenceClockState()
    assert (state.event_divider, state.clock_period, state.averaging_periods) == (8, PERIOD, 2000.0)
    stream = tags(tagger, [1, state.ideal_clock_channel])
    tagger.play()
    grid = times(stream, state.ideal_clock_channel)
    assert set(np.diff(grid).tolist()) == {PERIOD}
    assert len(grid) > 37_000
    assert tagger.getReferenceClockState().error_counter == 0


def test_a_change_of_the_divider_is_followed_by_the_reference_clock():
    tagger = tagger_of(signal(np.arange(40_000) * float(PERIOD)), device=DeviceChain(TIME_TAGGER_ULTRA))
    tagger.setReferenceClock(1, 10e6, 1e-5)
    tagger.advance(10**9)
    tagger.setEventDivider(1, 4)
    assert tagger.getReferenceClockState().event_divider == 4
    assert not tagger.getReferenceClockState().is_locked
    tagger.advance(3 * 10**9)
    assert tagger.getReferenceClockState().is_locked


def test_a_lost_signal_unlocks_and_a_new_one_locks_again():
    true = np.arange(20_000) * float(PERIOD)
    block = both(signal(np.concatenate([true[:8000], true[9000:]])), signal(true + 50_000, 0, 2))
    tagger = tagger_of(block)
    tagger.setReferenceClock(1, 10e6, 1e-5)
    tap = Tap(tagger)
    tagger.advance(int(true[8500]))
    lost = tagger.getReferenceClockState()
    assert (lost.is_locked, lost.error_counter, lost.enabled) == (False, 1, True)
    tagger.play()
    rows = tap.rows()
    assert tagger.getOverflows() == 2
    assert [k for _, _, k, _ in rows if k in (2, 3)] == [2, 3, 2, 3]
    missed = sum(m for _, c, k, m in rows if c == 2 and k == TagType.MissedEvents)
    assert missed + sum(c == 2 and k == 0 for _, c, k, _ in rows) == 20_000
    assert 1000 <= missed <= 1300


def test_time_goes_on_without_a_jump_when_the_clock_is_switched_off():
    true = np.arange(30_000) * PERIOD * 1.01
    tagger = tagger_of(both(signal(true), signal(true + 50_000, 0, 2)))
    tagger.setReferenceClock(1, 10e6, 1e-5)
    stream = tags(tagger, [2])
    tagger.advance(10**9)
    tagger.disableReferenceClock()
    state = tagger.getReferenceClockState()
    assert (state.enabled, state.is_locked, state.clock_channel) == (False, False, CHANNEL_UNUSED)
    tagger.play()
    steps = np.diff(times(stream, 2))
    assert set(steps[:9_000].tolist()) <= {PERIOD - 5, *range(PERIOD - 60, PERIOD + 61)}
    assert set(steps[-100:].tolist()) == {101_000}
    assert steps.min() > 0
    assert tagger.getOverflows() == 1


def test_switched_off_before_it_locked_the_overflow_ends():
    tagger = tagger_of(signal(np.arange(2000) * 70_000.0, channel=2))
    tap = Tap(tagger)
    tagger.setReferenceClock(1, 10e6)
    tagger.advance(10**8)
    tagger.disableReferenceClock()
    tagger.play()
    rows = tap.rows()
    kinds = [k for _, _, k, _ in rows if k]
    assert kinds == [2, 4, 3]
    assert sum(m for _, _, _, m in rows) + sum(k == 0 for _, _, k, _ in rows) == 2000


def test_set_and_switched_off_between_two_blocks_nothing_happens():
    tagger = tagger_of(signal(np.arange(20) * 70_000.0, channel=2))
    tap = Tap(tagger)
    tagger.setReferenceClock(1, 10e6)
    tagger.disableReferenceClock()
    tagger.play()
    assert [k for _, _, k, _ in tap.rows()] == [0] * 20


def test_captures_are_exact_in_the_new_time_base():
    true = np.arange(60_000) * PERIOD * 1.04
    tagger = tagger_of(both(signal(true, 0), signal(true + 30_000, 0, 2)))
    tagger.setReferenceClock(1, 10e6, 1e-5)
    tagger.advance(4 * 10**9)
    stream = tags(tagger, [2])
    stream.startFor(10**9)
    tagger.play()
    found = times(stream, 2)
    assert len(found) == pytest.approx(10_000, abs=1)
    assert stream.getCaptureDuration() == 10**9


def test_ideal_tags_pass_a_conditional_filter_one_after_each_trigger():
    true = np.arange(20_000) * float(PERIOD)
    tagger = tagger_of(both(signal(true), signal(np.array([10_000_123.0, 10_000_456.0, 12e8 + 50_000]), 0, 2)))
    ideal = ideal_of(tagger)
    tagger.setConditionalFilter([2], [ideal])
    assert tagger.getConditionalFilterFiltered() == (ideal,)
    tagger.setReferenceClock(1, 10e6, 1e-6)
    stream = tags(tagger, [2, ideal])
    tagger.play(range(0, 2 * 10**9, 77_777_777))
    buffer = stream.getData()
    time, channel, kind = buffer.getTimestamps(), buffer.getChannels(), buffer.getEventTypes()
    clicks = time[(channel == 2) & (kind == 0)]
    assert len(clicks) == 3
    # The first two lie in the same period.
    assert time[channel == ideal].tolist() == np.unique(-(-clicks // PERIOD) * PERIOD).tolist()
    assert len(np.unique(-(-clicks // PERIOD))) == 2


def test_the_ideal_channel_has_one_number_and_can_be_measured_before_the_clock_is_set():
    tagger = tagger_of(signal(np.arange(3000) * float(PERIOD)))
    ideal = ideal_of(tagger)
    assert tagger.getSoftwareClockState().ideal_clock_channel == ideal
    stream = tags(tagger, [ideal])
    tagger.setSoftwareClock(1, 10e6, 20)
    tagger.play()
    grid = times(stream, ideal)
    assert tagger.getSoftwareClockState().ideal_clock_channel == ideal
    assert len(grid) > 2900
    assert tagger.getSoftwareClockState().last_ideal_clock_event == grid[-1]


def test_a_pulse_per_second_puts_time_on_the_utc_second():
    true = 4_321 + np.arange(30_000) * 10**8 * (1 + 1e-6)
    seconds = 700_000_000_000 + np.arange(3) * 10**12 * (1 + 1e-6)
    block = both(signal(true, 0), signal(seconds, 0, 2, seed=1), signal(seconds + 5e8, 0, 3))
    tagger = tagger_of(block)
    chain = tagger._chain()
    chain.clock.now = lambda: 1_700_000_123.4 + tagger._hub.position * 1e-12
    tagger.setReferenceClock(1, 1e4, 0.1, synchronization_channel=2, synchronization_offset=-int(2e12))
    stream = tags(tagger, [2, 3])
    tagger.advance(3 * 10**11)
    state = tagger.getReferenceClockState()
    assert (state.is_locked, state.is_synchronized) == (True, False)
    assert (state.synchronization_channel, state.synchronization_offset) == (2, -int(2e12))
    tagger.play(range(0, block.end, 2 * 10**10))
    buffer = stream.getData()
    time, channel, kind = buffer.getTimestamps(), buffer.getChannels(), buffer.getEventTypes()
    pulses = time[(channel == 2) & (kind == 0)]
    # 123.4 s + 0.7 s, rounded, less the two seconds of the offset.
    assert pulses[0] == 122 * 10**12
    assert np.abs(np.diff(pulses) - 10**12).max() <= 2
    assert tagger.getReferenceClockState().is_synchronized


@pytest.mark.parametrize(
    ("back", "valid", "pulses"),
    [
        (300, 300, [1000]),  # the first pulse would come before what was already told: it is missed
        (499, 499, [1000]),
        (500, 10**9, [10**9, 10**9 + 1000]),  # half a second or more: the next time that has this second modulo 10**6 s
        (700, 10**9, [10**9, 10**9 + 1000]),
        (-300, 1000, [1000, 2000]),
        (-499, 1000, [1000, 2000]),
    ],
)
def test_time_waits_where_an_alignment_would_put_it_back_a_little(back, valid, pulses):
    """All in ms: how far the second of the first pulse lies back, when the stream is valid, the pulses in it."""
    ms, first = 10**9, (back if back > 0 else 1000 + back) * 10**9
    clock = signal(np.arange(10_000) * 2e8, 0)
    tagger = tagger_of(both(clock, signal(np.array([first, first + 10**12], float), 0, 2)))
    tagger._chain().clock.now = lambda: (tagger._hub.position - back * ms) * 1e-12
    tagger.setReferenceClock(1, 5e3, 0.01, synchronization_channel=2)
    tap = Tap(tagger)
    tagger.advance(first + 10**7)
    state, held = tagger.getReferenceClockState(), 0 < back < 500
    assert (state.is_locked, state.is_synchronized) == (True, not held)
    assert tagger._hub.device.present(tagger._hub.position) == (first if held else valid * ms + 10**7)
    tagger.play(range(0, clock.end, 3 * 10**10))
    rows = tap.rows()
    assert [time for time, _, kind, _ in rows if kind == TagType.OverflowEnd] == [valid * ms]
    assert [time for time, channel, kind, _ in rows if (channel, kind) == (2, TagType.TimeTag)] == [
        t * ms for t in pulses
    ]
    assert sum(missed for _, channel, _, missed in rows if channel == 2) == 2 - len(pulses)
    assert sum(1 if kind == TagType.TimeTag else missed for _, channel, kind, missed in rows if channel == 1) == 10_000
    assert tagger.getReferenceClockState().is_synchronized


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((9,), ArgumentError),
        ((1, 0), ArgumentError),
        ((1, float("nan")), ArgumentError),
        ((1, 2e9), ArgumentError),
        ((1, 1e7, -1), ArgumentError),
        ((1, 1e7, 1e6), ArgumentError),
        ((1, 1e7, 1e-3, 9), ArgumentError),
        ((1, 1e7, 1e-3, 2, 10**19), ArgumentError),
        (("1",), ArgumentKindError),
        ((1, "10e6"), ArgumentKindError),
        ((1, 1e7, 1e-3, 2, 0, 1), ArgumentKindError),
    ],
)
def test_wrong_arguments_change_nothing(arguments, error):
    tagger = tagger_of(signal(np.arange(30) * 1e5))
    with pytest.raises(error):
        tagger.setReferenceClock(*arguments)
    assert not tagger.getReferenceClockState().enabled


@pytest.mark.parametrize("periods", [0, 0.5, 1e10, float("inf")])
def test_the_older_form_refuses_averaging_out_of_range(periods):
    tagger = tagger_of(signal(np.arange(30) * 1e5))
    with pytest.raises(ArgumentError):
        tagger.setSoftwareClock(1, 1e7, periods)
    assert not tagger.getSoftwareClockState().enabled


class TestWaiting:
    """A simulated instrument that flows."""

    @pytest.fixture
    def tagger(self):
        instrument = createTimeTagger()
        yield instrument
        freeTimeTagger(instrument)

    def test_it_returns_when_locked(self, tagger):
        tagger.setTestSignal(1, True)
        tagger.setReferenceClock(1, 800e3)
        state = tagger.getReferenceClockState()
        assert state.is_locked
        assert state.clock_period == 1_250_000
        tagger.disableReferenceClock()
        assert not tagger.getReferenceClockState().enabled

    def test_no_signal_is_named(self, tagger):
        with pytest.raises(StateError, match="no signal on channel 2"):
            tagger.setReferenceClock(2, 800e3)
        assert tagger.getReferenceClockState().enabled

    def test_a_wrong_frequency_is_named(self, tagger):
        tagger.setTestSignal(1, True)
        with pytest.raises(StateError, match=r"not within 5 % of 1e\+07 Hz.*of (800|799)\d{3}"):
            tagger.setSoftwareClock(1, 10e6)

    def test_a_frequency_a_little_off_is_named(self, tagger):
        tagger.setTestSignal(1, True)
        with pytest.raises(StateError, match=r"not within 5 % of 880000 Hz.*of (800|799)\d{3}"):
            tagger.setReferenceClock(1, 880e3)


def test_a_reset_switches_the_clock_off():
    tagger = simulated_tagger()
    tagger.setTestSignal(1, True)
    tagger.setReferenceClock(1, 800e3)
    tagger.advance(10**10)
    assert tagger.getReferenceClockState().is_locked
    tagger.reset()
    assert not tagger.getReferenceClockState().enabled
