"""HistogramLogBins, HistogramCustomBins and ChannelGate as a user meets them: edges, values, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.enums import GatedChannelInitial
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.gates import ChannelGate
from tagwire.measurements.lags import LagCounter
from tagwire.measurements.logbins import HistogramCustomBins, HistogramLogBins
from tagwire.measurements.logbins_data import HistogramLogBinsData
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of


def played(*tags: tuple[int, int], end: int = 1000) -> SteppedTagger:
    return SteppedTagger(block_of([(t, c, 0, 0) for t, c in tags], 0, end), (1, 2, 3, 4))


def test_edges_are_powers_of_ten_in_ps():
    edges = HistogramLogBins(played(), 1, 2, -9, -6, 3).getBinEdges()
    assert edges.dtype == np.int64
    assert edges.tolist() == [10**3, 10**4, 10**5, 10**6]


def test_bins_without_width_are_left_out():
    measured = HistogramLogBins(played(), 1, 2, -13, -11, 20)
    assert measured.getBinEdges().tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 10]
    assert measured.getData().shape == (8,)


def test_types():
    measured = HistogramCustomBins(played((5, 2), (9, 1)), 1, 2, np.array([0, 4, 10]))
    data = measured.getDataObject()
    assert (data.getCounts().dtype, data.getG2().dtype, data.getG2Normalization().dtype) == (
        np.uint64,
        np.float64,
        np.float64,
    )
    assert measured.getData().dtype == np.uint64
    assert measured.getDataNormalizedCountsPerPs().dtype == np.float64
    with data as same:
        assert same is data
    assert isinstance(measured, HistogramLogBins)


def test_data_come_from_a_measurement_only():
    with pytest.raises(AttributeError, match="No constructor defined"):
        HistogramLogBinsData()


def test_values_by_hand():
    """One start, two clicks, T = 1000: I of a bin [a, b) is 1000 (b - a) - (b² - a²) / 2."""
    tagger = played((100, 2), (100, 1), (150, 1))
    measured = HistogramCustomBins(tagger, 1, 2, [0, 50, 100])
    tagger.play()
    data = measured.getDataObject()
    assert data.getCounts().tolist() == [1, 1]
    assert (data.accumulation_time_click, data.accumulation_time_start, data.capture_duration) == (1000, 1000, 1000)
    normal = np.array([50_000 - 1250, 50_000 - 3750]) * (2 / 1000) * (1 / 1000)
    np.testing.assert_allclose(data.getG2Normalization(), normal, rtol=1e-14)
    np.testing.assert_allclose(data.getG2(), 1 / normal, rtol=1e-14)
    np.testing.assert_allclose(measured.getDataNormalizedG2(), 1 / normal, rtol=1e-14)
    assert measured.getDataNormalizedCountsPerPs().tolist() == [0.02, 0.02]


def test_nothing_is_defined_before_time_has_passed():
    data = HistogramCustomBins(played(), 1, 2, [0, 50]).getDataObject()
    assert np.isnan(data.getG2()).all()
    assert np.isnan(data.getG2Normalization()).all()


@pytest.mark.parametrize("gated", ["click_gate", "start_gate"])
def test_light_that_is_switched_by_a_gate_is_still_uncorrelated(gated):
    """Poisson light through gates of half the time has g2 = 1, at lags of less and of more than a gate."""
    rng = np.random.default_rng(3)
    clicks = np.cumsum(rng.exponential(500, 100_000)).astype(np.int64)
    gate = np.arange(20_000, clicks[-1], 20_000)
    time = np.concatenate([clicks, gate])
    channel = np.concatenate([rng.integers(1, 3, len(clicks)), np.arange(len(gate)) % 2 + 3]).astype(np.int32)
    order = np.argsort(time, kind="stable")
    tagger = SteppedTagger(TagBlock(0, int(time.max()) + 1, time[order], channel[order]))
    measured = HistogramCustomBins(tagger, 1, 2, [0, 5000, 15_000, 25_000, 100_000], **{gated: ChannelGate(3, 4)})
    tagger.play(range(0, int(time.max()), 10**6))
    data = measured.getDataObject()
    np.testing.assert_allclose(data.getG2(), 1, atol=6 / np.sqrt(data.getCounts().min()))
    assert data.accumulation_time_click + data.accumulation_time_start == pytest.approx(1.5 * time.max(), rel=0.01)


def test_an_overflow_is_a_closed_gate_and_resets_the_others():
    rows = [
        (10, 2, TagType.TimeTag, 0),
        (20, 4, TagType.TimeTag, 0),
        (30, 1, TagType.TimeTag, 0),
        (40, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (50, 1, TagType.MissedEvents, 7),
        (60, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
        (70, 1, TagType.TimeTag, 0),
    ]
    tagger = SteppedTagger(block_of(rows, 0, 100), (1, 2, 3, 4))
    measured = HistogramCustomBins(tagger, 1, 2, [0, 100], ChannelGate(3, 4))
    tagger.play()
    data = measured.getDataObject()
    assert data.getCounts().tolist() == [1], "only the click at 70, across the overflow"
    assert (data.accumulation_time_click, data.accumulation_time_start) == (20 + 40, 40 + 40)


def test_clear_gives_the_state_after_creation():
    tagger = played((5, 2), (9, 1), (100, 1), (200, 2), (210, 1))
    measured = HistogramCustomBins(tagger, 1, 2, [0, 1000])
    tagger.advance(90)
    measured.clear()
    assert measured.getData().tolist() == [0]
    tagger.play()
    assert measured.getData().tolist() == [1]
    assert measured.getDataObject().accumulation_time_click == 910


def test_only_starts_within_reach_are_kept():
    """A million starts, of which a thousand are within the last bin, take the room of a few thousand."""
    lags = LagCounter(np.array([0, 10, 1000]))
    for begin in range(0, 10**6, 500):
        lags.add(np.empty(0, np.int64), np.arange(begin, begin + 500), begin + 500)
    lags.add(np.array([10**6]), np.empty(0, np.int64), 10**6 + 1)
    assert lags.counts.tolist() == [9, 990]
    assert len(lags._starts) < 8000


def test_a_gate_is_a_value():
    gate = ChannelGate(3, 4)
    assert (gate.gate_open_channel, gate.gate_close_channel, gate.initial) == (3, 4, GatedChannelInitial.Open)
    assert ChannelGate(3, 4, 0).initial is GatedChannelInitial.Closed
    with pytest.raises(AttributeError):
        gate.initial = GatedChannelInitial.Closed


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((3, 3), ArgumentError, "both 3, but must differ"),
        ((3, 4, 2), ArgumentError, "Closed = 0, Open = 1"),
        ((3.5, 4), ArgumentKindError, "3.5"),
    ],
)
def test_a_gate_refuses(arguments, error, told):
    with pytest.raises(error, match=told):
        ChannelGate(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((-6, -6, 1), ArgumentError, "exp_stop is -6, but must be more than exp_start, -6"),
        ((-20, -13, 5), ArgumentError, "1 ps must lie between"),
        ((-6, 7, 5), ArgumentError, r"exp_stop is 7, but must be within \[-300, 6.36"),
        ((-6, 0, 0), ArgumentError, r"n_bins is 0, but must be within \[1, "),
        ((-6, 0, 10**9), ArgumentError, "n_bins is 1000000000"),
        (("a", 0, 1), ArgumentKindError, "exp_start must be a number"),
        ((-6, 0, 1, 5), ArgumentKindError, "click_gate must be a ChannelGate or None, not 5"),
        ((-6, 0, 1, None, ChannelGate(1, 9)), ArgumentError, "start_gate.gate_close_channel is 9"),
    ],
)
def test_log_bins_refuse(arguments, error, told):
    tagger = played()
    with pytest.raises(error, match=told):
        HistogramLogBins(tagger, 1, 2, *arguments)
    assert not tagger.isChannelRegistered(1)


@pytest.mark.parametrize(
    ("edges", "error", "told"),
    [
        ([5], ArgumentError, "binedges has 1 values"),
        ([5, 5], ArgumentError, r"binedges\[1\] is 5, but must be more than binedges\[0\], 5"),
        ([-1, 5], ArgumentError, r"binedges\[0\] is -1, but must be within \[0, "),
        ([0, 2**62], ArgumentError, r"binedges\[1\] is 4611686018427387904"),
        (5, ArgumentKindError, "must be a sequence"),
        ([0, 1.5], ArgumentKindError, "1.5"),
    ],
)
def test_custom_bins_refuse(edges, error, told):
    with pytest.raises(error, match=told):
        HistogramCustomBins(played(), 1, 2, edges)


def test_configuration_is_json_like():
    measured = HistogramLogBins(played(), 1, 2, -6, 0, 10, start_gate=ChannelGate(3, 4))
    params = measured.getConfiguration()["params"]
    assert params["click_gate"] is None
    assert params["start_gate"] == {"gate_open_channel": 3, "gate_close_channel": 4, "initial": "Open"}
    assert measured.getConfiguration()["registered channels"] == [1, 2, 3, 4]
