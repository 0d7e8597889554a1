"""FrequencyCounter: values that can be checked by eye, the reference clock's grid, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.frequency_counter import FrequencyCounter
from tagwire.measurements.frequency_counter_data import FrequencyCounterData
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

PERIOD = 100


def regular(count=1000, period=PERIOD, begin=30) -> TagBlock:
    times = begin + np.arange(count) * period
    return TagBlock(0, count * period, times, np.ones(count, np.int32))


def measure(block=None, *arguments, channels=(1,)):
    tagger = SteppedTagger(block or regular(), (1, 2))
    return tagger, FrequencyCounter(tagger, channels, *(arguments or (1000, 1000)))


def test_a_steady_signal():
    tagger, counter = measure()
    tagger.play()
    data = counter.getDataObject()
    assert (data.size, data.sampling_interval, data.sample_offset) == (99, 1000, 1)
    assert (data.overflow_samples, data.align_to_reference, data.channels_last_dim) == (0, False, False)
    assert data.getIndex()[:3].tolist() == [1, 2, 3]
    assert data.getTime()[:3].tolist() == [1000, 2000, 3000]
    # The tag at 30 ps has phase 1, so at 0 the phase is 0.7.
    assert data.getPeriodsCount()[0, :3].tolist() == [10, 20, 30]
    assert data.getPeriodsFraction()[0] == pytest.approx(0.7)
    assert data.getPhase(1e10)[0] == pytest.approx(0.7)
    assert data.getPhase()[0, 1] == pytest.approx(20.7)
    assert data.getFrequencyInstantaneous()[0] == pytest.approx(1e10)
    frequency = data.getFrequency()
    assert np.isnan(frequency[0, 0])
    assert frequency[0, 1:] == pytest.approx(1e10)
    assert data.getFrequency(1000)[0, 1:] == pytest.approx(10)
    assert data.getFrequency(time_scale=-1)[0, 1:] == pytest.approx(10)


@pytest.mark.parametrize("frequency", [1.1e12, -1.1e12, 1e30])
def test_a_reference_has_no_more_than_a_period_per_ps(frequency: float):
    tagger, counter = measure()
    tagger.play()
    data = counter.getDataObject()
    with pytest.raises(ValueError, match=r"reference_frequency is .*, but must be within \[-1e\+12, 1e\+12\]"):
        data.getPhase(frequency)


def test_the_fastest_reference_is_subtracted_exactly():
    tagger, counter = measure()
    tagger.play()
    data = counter.getDataObject()
    assert (data.getPhase() - data.getPhase(1e12)).tolist() == [data.getTime().tolist()]


def test_shapes_and_types_are_the_vendors():
    tagger, counter = measure(channels=(1, 2))
    tagger.advance(3600)
    for last, shape in ((False, (2, 3)), (True, (3, 2))):
        with counter.getDataObject(channels_last_dim=last) as data:
            found = {
                "getPeriodsCount": np.int64,
                "getPeriodsFraction": np.float64,
                "getPhase": np.float64,
                "getFrequency": np.float64,
                "getFrequencyInstantaneous": np.float64,
                "getOverflowMask": np.int8,
            }
            for name, dtype in found.items():
                array = getattr(data, name)()
                assert (array.dtype, array.shape) == (dtype, shape)
            assert data.getIndex().dtype == data.getTime().dtype == np.int64
            assert data.getIndex().shape == data.getTime().shape == (3,)


def test_a_divider_multiplies_phases_and_frequencies():
    tagger, counter = measure()
    tagger.play()
    data = counter.getDataObject(event_divider=3)
    assert data.getPeriodsCount()[0, :2].tolist() == [32, 62]
    assert data.getPeriodsFraction()[0, 0] == pytest.approx(0.1)
    assert data.getFrequency()[0, 1] == pytest.approx(3e10)
    assert data.getFrequencyInstantaneous()[0, 1] == pytest.approx(3e10)


def test_removed_samples_do_not_come_again_and_frequencies_go_on():
    tagger, counter = measure()
    tagger.advance(5600)
    assert counter.getDataObject(remove=True).size == 5
    empty = counter.getDataObject()
    assert (empty.size, empty.sample_offset) == (0, 6)
    tagger.advance(7600)
    data = counter.getDataObject()
    assert (data.getIndex().tolist(), data.sample_offset) == ([6, 7], 6)
    assert data.getFrequency()[0] == pytest.approx(1e10)


def test_only_the_latest_samples_are_kept():
    tagger, counter = measure(None, 1000, 1000, 4)
    tagger.play(range(0, 100_000, 777))
    assert counter.getDataObject().getIndex().tolist() == [96, 97, 98, 99]


def test_the_phase_keeps_its_digits_over_a_long_time():
    # 10 MHz over 11 days: 10**13 periods.
    times = np.concatenate([np.arange(10) * 100_000 + 10**18 + 25_000])
    block = block_of(
        [(0, 1, TagType.MissedEvents, 1), *((int(t), 1, TagType.TimeTag, 0) for t in times)], 0, 10**18 + 10**6
    )
    tagger, counter = measure(block, 10**17 // 2, 10**6)
    tagger.advance(10)
    # As if that many tags had been counted.
    counter._lanes["cycles"] = 10**13
    tagger.play()
    data = counter.getDataObject()
    assert data.getIndex()[-1] == 20
    assert data.getPhase(10e6)[0, -1] == pytest.approx(0.75, abs=1e-9)


def test_windows_without_two_tags_have_no_value():
    tagger, counter = measure(regular(10, 1000), 1000, 500)
    tagger.play()
    data = counter.getDataObject()
    assert np.isnan(data.getPeriodsFraction()).all()
    assert data.getPeriodsCount().tolist() == [[0] * data.size]
    assert not data.getOverflowMask().any()


def test_an_overflow_marks_what_it_touches_and_missed_events_keep_the_phase():
    rows = [(t, 1, 0, 0) for t in range(30, 10_000, 100) if not 3000 < t < 5000]
    rows += [(3000, -134217728, TagType.OverflowBegin, 0), (4990, 1, TagType.MissedEvents, 20)]
    rows += [(5000, -134217728, TagType.OverflowEnd, 0)]
    tagger, counter = measure(block_of(sorted(rows), 0, 10_000), 1000, 400)
    tagger.play()
    data = counter.getDataObject()
    assert data.getOverflowMask()[0].tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert data.overflow_samples == 3
    assert data.getPhase(1e10)[0, [0, 1, 5, 6, 7, 8]] == pytest.approx(0.7)
    assert np.isnan(data.getFrequency()[0]).tolist() == [True, False, True, True, True, True, False, False, False]


def test_after_a_stop_the_samples_go_on_at_the_same_grid():
    tagger, counter = measure(None, 1000, 400)
    tagger.advance(3100)
    counter.stop()
    tagger.advance(5900)
    counter.start()
    tagger.advance(9500)
    data = counter.getDataObject()
    assert data.getIndex().tolist() == [1, 2, 7, 8, 9]
    assert np.isnan(data.getFrequency()[0]).tolist() == [True, False, True, False, False]
    counter.clear()
    tagger.advance(12_000)
    assert counter.getDataObject().getTime().tolist() == [10_500, 11_500]


def test_the_samples_lie_on_the_grid_of_the_reference_clock():
    times = np.arange(20_000) * 101_000 + 700
    block = TagBlock(0, int(times[-1]) + 1, times, np.ones(len(times), np.int32))
    tagger = SteppedTagger(block, (1,))
    tagger.setReferenceClock(1, 10e6, 1e-6)
    tagger.advance(10**7 + 12_345)
    counter = FrequencyCounter(tagger, [1], 10**7, 10**6)
    tagger.play()
    data = counter.getDataObject()
    assert data.align_to_reference
    assert set((data.getTime() % 100_000).tolist()) == {0}
    assert data.getFrequency()[0, 1:] == pytest.approx(10e6)
    # Clock tags lie on the grid too, so their phase is a whole number there.
    assert np.abs((data.getPeriodsFraction() + 0.5) % 1 - 0.5).max() < 1e-3


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([], 1000, 100), ArgumentError),
        (([1, 1], 1000, 100), ArgumentError),
        (([3], 1000, 100), ArgumentError),
        (([1], 0, 100), ArgumentError),
        (([1], 1000, 0), ArgumentError),
        (([1], 1, 10_001), ArgumentError),
        (([1], 10**18, 1), ArgumentError),
        (([1], 1000, 100, -1), ArgumentError),
        (([1], 1000.5, 100), ArgumentKindError),
        ((1, 1000, 100), ArgumentKindError),
    ],
)
def test_wrong_arguments_are_refused(arguments, error):
    tagger = SteppedTagger(regular(), (1, 2))
    with pytest.raises(error):
        FrequencyCounter(tagger, *arguments)
    assert tagger.getRegistrations(1) == 0


def test_wrong_arguments_of_getters_are_refused():
    tagger, counter = measure()
    tagger.play()
    for divider in (0, 65_536):
        with pytest.raises(ArgumentError):
            counter.getDataObject(divider)
    with pytest.raises(ArgumentKindError):
        counter.getDataObject(1, 1)
    with pytest.raises(ArgumentError):
        counter.getDataObject().getPhase(float("inf"))
    with pytest.raises(AttributeError):
        FrequencyCounterData()
