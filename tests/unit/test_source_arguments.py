"""Bad values for the simulated light are refused, with name, value and range, and change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tagwire.core.models import TIME_TAGGER_20
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.sources.light import PoissonLight, PulsedEmitter
from tagwire.sources.simulated import SimulatedSource


@pytest.mark.parametrize("rate", [-1, 1.1e9, float("nan"), float("inf")])
def test_poisson_rate(rate: float) -> None:
    with pytest.raises(ArgumentError, match=r"rate is .*\[0, 1e\+09\]"):
        PoissonLight(rate)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"repetition_rate": 0}, r"repetition_rate is 0.*\[1000"),
        ({"lifetime": -1}, r"lifetime is -1.*\[0"),
        ({"lifetime": 13_000}, r"lifetime is 13000 ps.*period 12500"),
        ({"emission_efficiency": 1.1}, r"emission_efficiency is 1.1.*\[0, 1\]"),
        ({"collection_efficiency": -0.1}, r"collection_efficiency is -0.1.*\[0, 1\]"),
        ({"detector_efficiency": 2}, r"detector_efficiency is 2.*\[0, 1\]"),
        ({"detector_efficiency": (0.5, 2)}, r"detector_efficiency\[1\] is 2.*\[0, 1\]"),
        ({"timing_jitter": 1e6}, r"timing_jitter is 1e\+06.*\[0, 500000\]"),
        ({"detector_dead_time": -1}, r"detector_dead_time is -1.*\[0, 1000000000\]"),
        ({"dark_rate": 1e8}, r"dark_rate is 1e\+08.*\[0, 1e\+07\]"),
        ({"second_photon_probability": 2}, r"second_photon_probability is 2.*\[0, 1\]"),
        ({"delays": (0, -5)}, r"delays\[1\] is -5.*\[0, 1000000000\]"),
    ],
)
def test_emitter(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        PulsedEmitter(**values)


@pytest.mark.parametrize("values", [{"lifetime": "1"}, {"delays": 5}, {"detector_dead_time": 1.5}, {"sync": "8"}])
def test_emitter_kinds(values: dict[str, Any]) -> None:
    with pytest.raises(ArgumentKindError):
        PulsedEmitter(**values)


@pytest.mark.parametrize(
    ("channels", "light", "text"),
    [
        ([], PoissonLight(1), "at least one"),
        ([1, 1], PoissonLight(1), "none twice"),
        ([9], PoissonLight(1), "names 9, but the Time Tagger 20 has the inputs 1 to 8"),
        ([-1], PoissonLight(1), "names -1"),
        ([1, 2], PulsedEmitter(delays=(5,)), "delays has 1 values, but there are 2 detectors"),
        ([1, 2], PulsedEmitter(detector_efficiency=(1, 1, 1)), "detector_efficiency has 3 values"),
        ([1, 2], PulsedEmitter(sync=2), "sync is 2"),
        ([1, 2], PulsedEmitter(sync=9), "names 9"),
    ],
)
def test_illuminate(channels: list[int], light: PoissonLight | PulsedEmitter, text: str) -> None:
    source = SimulatedSource(TIME_TAGGER_20)
    with pytest.raises(ArgumentError, match=text):
        source.illuminate(channels, light)
    assert all(source.light(c) is None for c in range(1, 9))


def test_the_rest() -> None:
    source = SimulatedSource(TIME_TAGGER_20)
    with pytest.raises(ArgumentKindError, match="PoissonLight"):
        source.illuminate([1], 5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="channel is 9"):
        source.set_test_signal(9, True)
    with pytest.raises(ArgumentKindError):
        source.set_test_signal(1, 1)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"divider is 0.*\[1, 65535\]"):
        source.test_divider = 0
    with pytest.raises(ArgumentError, match="span is 0"):
        source.read(0, ())
    assert source.test_divider == 74
    assert not source.test_signal(1)
    assert source.position == 0


def test_a_listener_to_nothing_gets_silence_of_any_length() -> None:
    source = SimulatedSource(TIME_TAGGER_20)
    block = source.read(1 << 62, {1, 2})
    assert block is not None
    assert len(block) == 0
    assert source.position == 1 << 62
