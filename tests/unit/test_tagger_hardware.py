"""Settings of the instrument: ranges, defaults, what only some models can do, and that refusals change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tagwire.core.enums import ChannelEdge, TestSignalSource
from tagwire.errors import NotSupported
from tagwire.measurements.countrate import Countrate
from tagwire.tagger.simulated import TimeTagger
from tagwire.testing.simulated import simulated_tagger


@pytest.fixture
def ultra() -> TimeTagger:
    return simulated_tagger("ultra")


@pytest.fixture
def x() -> TimeTagger:
    return simulated_tagger("x")


@pytest.fixture
def small() -> TimeTagger:
    return simulated_tagger("20")


def test_trigger_level_belongs_to_the_input_and_has_the_models_range(ultra: TimeTagger, small: TimeTagger) -> None:
    ultra.setTriggerLevel(-3, -1.25)
    assert ultra.getTriggerLevel(3) == -1.25
    assert ultra.getTriggerLevel(4) == 0.5
    assert ultra.xtra_measureTriggerLevel(3) == -1.25
    assert ultra.getTriggerLevelRange(1) == (-2.5, 2.5) == ultra.getDACRange()
    with pytest.raises(ValueError, match=r"voltage is -1, but must be within \[0, 2.5\]"):
        small.setTriggerLevel(1, -1)
    assert small.getTriggerLevel(1) == 0.5


def test_impedance_is_terminated_while_used_unless_set(x: TimeTagger) -> None:
    assert x.getInputImpedanceHigh(1)
    x.setInputImpedanceHigh(2, True)
    rate = Countrate(x, [-1, 2])
    assert not x.getInputImpedanceHigh(1)
    assert x.getInputImpedanceHigh(2)
    del rate


def test_hysteresis_has_three_values(x: TimeTagger) -> None:
    assert x.getInputHysteresis(1) == 20
    x.setInputHysteresis(1, 70)
    with pytest.raises(ValueError, match=r"2 mV.*\(1, 20, 70\)"):
        x.setInputHysteresis(1, 2)
    assert x.getInputHysteresis(-1) == 70


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda t: t.setInputHysteresis(1, 20), "hysteresis"),
        (lambda t: t.getInputHysteresis(1), "hysteresis"),
        (lambda t: t.setInputImpedanceHigh(1, True), "impedance"),
        (lambda t: t.getInputImpedanceHigh(1), "impedance"),
        (lambda t: t.setInternalClockTrim(1.0), "clock trim"),
        (lambda t: t.setTestSignalSource(TestSignalSource.Analog), "test signal source"),
    ],
)
def test_what_only_the_x_can_do(ultra: TimeTagger, call: Callable[[TimeTagger], Any], what: str) -> None:
    with pytest.raises(NotSupported, match=f"Ultra has no .*{what}.*; the Time Tagger X does"):
        call(ultra)


def test_normalization_is_on_until_switched_off(ultra: TimeTagger) -> None:
    ultra.setNormalization(np.array([1, -2]), False)
    assert [ultra.getNormalization(c) for c in (1, -1, 2, -2)] == [False, True, True, False]
    ultra.setNormalization([1], True)
    assert ultra.getNormalization(1)
    with pytest.raises(ValueError, match=r"channels\[1\] is 99"):
        ultra.setNormalization([1, 99], False)
    assert ultra.getNormalization(1)


@pytest.mark.parametrize(("model", "default", "high"), [("20", 2**23, 2**23), ("ultra", 2**26, 2**29)])
def test_buffer_size(model: str, default: int, high: int) -> None:
    tagger = simulated_tagger(model)
    assert tagger.getHardwareBufferSize() == default
    tagger.setHardwareBufferSize(32 * 1024)
    for wrong in (0, 32 * 1024 - 1, high + 1):
        with pytest.raises(ValueError, match=rf"size is {wrong}, but must be within \[32768, {high}\]"):
            tagger.setHardwareBufferSize(wrong)
    assert tagger.getHardwareBufferSize() == 32 * 1024


def test_stream_block_size_cuts_the_stream_and_refuses_as_a_whole(ultra: TimeTagger) -> None:
    assert (ultra.getStreamBlockSizeEvents(), ultra.getStreamBlockSizeLatency()) == (2**20, 20)
    ultra.setStreamBlockSize(4096, 1)
    assert ultra._hub.max_events == 4096
    for events, latency in ((4095, 5), (2**25 + 1, 5), (8192, 0), (8192, 10_001)):
        with pytest.raises(ValueError, match="must be within"):
            ultra.setStreamBlockSize(events, latency)
    assert (ultra.getStreamBlockSizeEvents(), ultra.getStreamBlockSizeLatency()) == (4096, 1)


def test_test_signal_takes_one_channel_or_several(ultra: TimeTagger) -> None:
    ultra.setTestSignal(1, True)
    ultra.setTestSignal(range(2, 4), True)
    ultra.setTestSignal(-3, False)
    assert [ultra.getTestSignal(c) for c in (1, 2, 3, -1)] == [True, True, False, True]
    with pytest.raises(TypeError, match="enabled must be True or False, not 1"):
        ultra.setTestSignal(4, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"channel\[1\] is 19"):
        ultra.setTestSignal([4, 19], True)
    assert not ultra.getTestSignal(4)


def test_test_signal_divider(ultra: TimeTagger, small: TimeTagger) -> None:
    assert (ultra.getTestSignalDivider(), small.getTestSignalDivider()) == (504, 74)
    with pytest.raises(ValueError, match=r"divider is 0, but must be within \[1, 65535\]"):
        ultra.setTestSignalDivider(0)


def test_channel_lists_by_edge_and_resolution(small: TimeTagger) -> None:
    rising, falling = tuple(range(1, 9)), tuple(range(-1, -9, -1))
    expected = {
        ChannelEdge.All: rising + falling,
        ChannelEdge.Rising: rising,
        ChannelEdge.Falling: falling,
        ChannelEdge.StandardAll: rising + falling,
        ChannelEdge.StandardRising: rising,
        ChannelEdge.StandardFalling: falling,
        ChannelEdge.HighResAll: (),
        ChannelEdge.HighResRising: (),
        ChannelEdge.HighResFalling: (),
    }
    assert {edge: small.getChannelList(edge) for edge in expected} == expected
    assert small.getChannelList() == rising + falling
    with pytest.raises(ValueError, match="type is 3, but must be a member of ChannelEdge"):
        small.getChannelList(3)  # type: ignore[arg-type]


def test_every_answer_about_identity_says_that_it_is_simulated(x: TimeTagger) -> None:
    assert x.getModel() == "Time Tagger X"
    assert x.getSerial().startswith("SIM")
    assert "simulated" in x.getFirmwareVersion()
    assert x.getPcbVersion() == "simulated"
    assert x.getDeviceLicense()["edition"] == "simulated"
    assert x.getSensorData() == {}
    assert x.getPsPerClock() == 1333


def test_clock_trim_and_clock_source(x: TimeTagger) -> None:
    x.setInternalClockTrim(-50)
    with pytest.raises(ValueError, match="frequency_offset_ppm is 51"):
        x.setInternalClockTrim(51)
    assert x.getInternalClockTrim() == -50
    assert x.xtra_getClockAutoSelect()
    x.xtra_setClockSource(2)
    assert (x.xtra_getClockSource(), x.xtra_getClockAutoSelect()) == (2, False)
    x.xtra_setClockAutoSelect(True)
    assert x.xtra_getClockSource() == -1


def test_harmless_state_is_checked_all_the_same(ultra: TimeTagger) -> None:
    ultra.setLED(0x01FF0000)
    ultra.setSoundFrequency(440)
    ultra.disableLEDs(True)
    ultra.xtra_setFanSpeed(-1)
    ultra.xtra_setClockOut(True)
    ultra.setHardwareDelayCompensationActive(False)
    ultra.xtra_setHighPrioChannel(5, True)
    assert (ultra.xtra_getHighPrioChannel(5), ultra.xtra_getHighPrioChannel(-5)) == (True, False)
    assert ultra.getHardwareDelayCompensation(1) == 0
    for wrong in (
        lambda: ultra.setLED(2**32),
        lambda: ultra.setSoundFrequency(-1),
        lambda: ultra.xtra_setFanSpeed(101),
    ):
        with pytest.raises(ValueError, match="must be within"):
            wrong()


def test_test_signal_source(x: TimeTagger) -> None:
    assert x.getTestSignalSource() is TestSignalSource.Digital
    x.setTestSignalSource(1)  # type: ignore[arg-type]
    assert x.getTestSignalSource() is TestSignalSource.Analog
    with pytest.raises(ValueError, match="source is 7"):
        x.setTestSignalSource(7)  # type: ignore[arg-type]


def test_a_fractional_channel_is_refused(ultra: TimeTagger) -> None:
    with pytest.raises(TypeError, match=r"channel must be a whole number, not 1\.5"):
        ultra.getTriggerLevel(1.5)  # type: ignore[arg-type]
    assert ultra.getTriggerLevel(1.0) == 0.5  # type: ignore[arg-type]
