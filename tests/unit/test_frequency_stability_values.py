"""FrequencyStability: published values, slopes of known noise, traces, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.frequency_stability import FrequencyStability, FrequencyStabilityData
from tagwire.testing.stepped import SteppedTagger


def measure(times, steps, average=1, trace_len=1000) -> FrequencyStabilityData:
    times = np.asarray(times, np.int64)
    tagger = SteppedTagger(TagBlock(0, int(times[-1]) + 1, times, np.ones(len(times), np.int32)), (1,))
    measured = FrequencyStability(tagger, 1, steps, average, trace_len)
    tagger.play()
    return measured.getDataObject()


def test_the_published_values_of_the_thousand_point_test_suite():
    """NIST SP 1065: frequencies n(i + 1) = 16807 n(i) mod 2147483647 from n(0) = 1234567890."""
    n, frequency = 1234567890, []
    for _ in range(1000):
        frequency.append(n / 2147483647)
        n = 16807 * n % 2147483647
    # A clock with a period of 1 ms that gains a billionth of each value: the metrics come out in billionths.
    tau, unit = 10**15, 1e-9
    phase = np.concatenate([[0.0], np.cumsum(np.array(frequency))]) * tau * unit
    data = measure(np.arange(1001) * tau + np.round(phase).astype(np.int64), [1, 10, 100])
    assert data.getADEV() / unit == pytest.approx([2.922319e-01, 9.159953e-02, 3.241343e-02], rel=2e-6)
    assert data.getMDEV() / unit == pytest.approx([2.922319e-01, 6.172376e-02, 2.170921e-02], rel=2e-6)
    assert data.getHDEV() / unit == pytest.approx([2.943883e-01, 9.581083e-02, 3.237638e-02], rel=2e-6)
    # There tau is 1 s, here it is 1000 s.
    assert data.getTDEV() / unit / 1e3 == pytest.approx([1.687202e-01, 3.563623e-01, 1.253382e00], rel=2e-6)


def test_white_phase_noise_has_the_standard_deviation_in_every_scaled_metric():
    noise = np.random.default_rng(5).normal(0, 500, 100_000)
    data = measure(np.round(np.arange(100_000) * 1e6 + noise + 10_000), [1, 4, 16])
    assert data.getADEVScaled() * 1e12 == pytest.approx(500, rel=0.02)
    assert data.getHDEVScaled() * 1e12 == pytest.approx(500, rel=0.02)
    assert data.getTDEV() * 1e12 == pytest.approx(500 / np.sqrt([1, 4, 16]), rel=0.05)
    assert data.getSTDD() * 1e12 == pytest.approx(500 * np.sqrt(2), rel=0.02)


def test_white_frequency_noise_falls_with_the_root_of_tau():
    steps = np.random.default_rng(6).normal(1e6, 100, 200_000)
    data = measure(np.round(np.cumsum(steps)), [1, 16, 64])
    assert data.getADEV() == pytest.approx(1e-4 / np.sqrt([1, 16, 64]), rel=0.06)
    assert data.getHDEV() == pytest.approx(1e-4 / np.sqrt([1, 16, 64]), rel=0.06)


def test_a_steady_drift_is_seen_by_allan_and_not_by_hadamard():
    k = np.arange(10_000)
    data = measure(k * 10**6 + 20 * k * k, [10, 100])
    # Second differences are 40 m**2 ps; divided by sqrt(2) tau.
    assert data.getADEV() == pytest.approx(40 * np.array([10, 100]) / np.sqrt(2) / (10**6 + 20 * 9999), rel=1e-9)
    assert data.getHDEV().tolist() == [0, 0]


def test_averages_are_taken_before_the_steps():
    data = measure(np.arange(1000) * 1000, [1, 5], average=10)
    assert data.getTau() == pytest.approx([1e-8, 5e-8])
    assert data.getADEV().tolist() == [0, 0]
    assert len(data.getTraceIndex()) == 99


def test_traces_show_the_latest_samples():
    periods = np.array([100, 100, 100, 110, 100, 100])
    data = measure(np.concatenate([[0], np.cumsum(periods)]), [1], trace_len=4)
    mean = 102.5
    assert data.getTraceFrequency() == pytest.approx([mean / 100 - 1, mean / 110 - 1, mean / 100 - 1, mean / 100 - 1])
    assert data.getTraceFrequencyAbsolute() == pytest.approx([1e10, 1e12 / 110, 1e10, 1e10])
    assert data.getTraceFrequencyAbsolute(1e10)[0] == pytest.approx(0)
    assert data.getTracePhase().sum() == pytest.approx(0, abs=1e-20)
    assert data.getTraceIndex()[1] == pytest.approx(periods.mean() * 1e-12)


def test_too_few_samples_are_not_numbers():
    data = measure([0, 10, 20], [1, 2, 3])
    assert np.isnan(data.getADEV()).tolist() == [False, True, True]
    assert np.isnan(data.getMDEV()).tolist() == [False, True, True]
    assert np.isnan(data.getHDEV()).tolist() == [True, True, True]
    assert np.isnan(data.getSTDD()).tolist() == [False, True, True]
    with measure([5], [1]) as nothing:
        assert np.isnan(nothing.getTau()).all()
        assert len(nothing.getTracePhase()) == len(nothing.getTraceFrequency()) == 0


def test_sums_beyond_64_bits_are_right():
    # A jump of an hour within each modified sample of 300 terms, 1000 tags each: 10**21 ps.
    times = np.arange(1_000_000) * 1000
    times[500_000:] += 36 * 10**14
    data = measure(times, [300], average=1000)
    x = times.reshape(-1, 1000).mean(axis=1)
    m, tau = 300, 300 * (x[-1] - x[0]) / 999
    second = x[2 * m :] - 2 * x[m:-m] + x[: -2 * m]
    sums = np.convolve(second, np.ones(m), "valid") / m
    assert data.getMDEV()[0] == pytest.approx(np.sqrt(np.mean(sums**2) / 2) / tau, rel=1e-9)


def test_no_difference_spans_a_gap():
    time = np.array([0, 10, 20, 25, 26, 1000, 1010, 1020])
    kind = np.array([0, 0, 0, TagType.OverflowBegin, TagType.OverflowEnd, 0, 0, 0], np.uint8)
    channel = np.where(kind > 0, -134217728, 1).astype(np.int32)
    tagger = SteppedTagger(TagBlock(0, 2000, time, channel, kind, np.zeros(8, np.uint16)), (1,))
    measured = FrequencyStability(tagger, 1, [1], 1)
    tagger.play()
    assert measured.getDataObject().getADEV().tolist() == [0]
    assert measured.getDataObject().getTau() == pytest.approx([1e-11])
    measured.clear()
    assert np.isnan(measured.getDataObject().getADEV()).all()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((7, [1]), ArgumentError),
        ((1, []), ArgumentError),
        ((1, [0]), ArgumentError),
        ((1, [2**26 + 1]), ArgumentError),
        ((1, [1.5]), ArgumentKindError),
        ((1, [1], 0), ArgumentError),
        ((1, [1], 1, 0), ArgumentError),
        ((1, [1], 1, 2**30), ArgumentError),
        ((1, 5), ArgumentKindError),
    ],
)
def test_wrong_arguments_are_refused(arguments, error):
    tagger = SteppedTagger(TagBlock.empty(0, 10), (1,))
    with pytest.raises(error):
        FrequencyStability(tagger, *arguments)
    assert tagger.getRegistrations(1) == 0


def test_data_objects_come_from_the_measurement_only():
    with pytest.raises(AttributeError):
        FrequencyStabilityData()
