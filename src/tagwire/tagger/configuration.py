"""All settings of an instrument as one JSON object, with the keys that the vendor's recordings carry."""

from __future__ import annotations

import time
from typing import Any

from tagwire.engine.tagger import TimeTaggerBase
from tagwire.tagger.hardware import TimeTaggerHardware
from tagwire.tagger.library import getVersion

FORMAT_VERSION = 1
CHANNEL_NUMBER_SCHEME = 2
"""Number under which the vendor files channels that count from 1."""


class Instrument(TimeTaggerBase, TimeTaggerHardware):
    """A tagger with hardware settings, which can describe itself."""

    def getConfiguration(self) -> dict[str, Any]:
        """All settings, measurements and virtual channels, as values that JSON can hold."""
        return _describe(self) | super().getConfiguration()


def _describe(tagger: Instrument) -> dict[str, Any]:
    """Settings of `tagger`, without its measurements."""
    state = tagger._state
    return {
        "channel number scheme": CHANNEL_NUMBER_SCHEME,
        "configure version": FORMAT_VERSION,
        "current time": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "devices": [
            {"PCB version": tagger.getPcbVersion(), "model": tagger.getModel(), "serial": tagger.getSerial()},
        ],
        "firmware version": tagger.getFirmwareVersion(),
        "hardware buffer size": state.buffer_size,
        "inputs": [_describe_input(tagger, i) for i in tagger._chain().input_settings(tagger._pins())],
        "late tags dropped": tagger._chain().late,
        "led bitmask": state.led_bitmask,
        "led disable": state.leds_disabled,
        "resolution": "Standard",
        "serial": tagger.getSerial(),
        "software clock": _describe_clock(tagger),
        "software version": getVersion(),
        "stream block size events": state.block_events,
        "stream block size latency": state.block_latency,
        "test signal divider": state.test_divider,
    }


def _describe_clock(tagger: Instrument) -> dict[str, Any] | None:
    """Settings of the reference clock, if one is set."""
    signal = tagger._chain().clock.signal
    if signal is None:
        return None
    return {
        "averaging periods": signal.averaging,
        "clock channel": signal.channel,
        "clock frequency": signal.frequency,
        "event divider": signal.divider,
        "synchronization channel": signal.second_channel,
        "synchronization offset": signal.second_offset,
    }


def _describe_input(tagger: Instrument, acting: dict[str, Any]) -> dict[str, Any]:
    """Settings of one input: those that act on its tags, and the others."""
    edges = acting["channel"]
    rest = {
        "hardware delay compensation": [tagger.getHardwareDelayCompensation(e) for e in edges],
        "normalization": [tagger.getNormalization(e) for e in edges],
        "resolution": "Standard",
        "resolution rms": tagger._model.jitter_rms,
        "test signal": [tagger.getTestSignal(e) for e in edges],
        "trigger level": tagger.getTriggerLevel(edges[0]),
    }
    if tagger._model.impedance_switch:
        rest["input hysteresis"] = tagger.getInputHysteresis(edges[0])
        rest["input impedance high"] = tagger.getInputImpedanceHigh(edges[0])
    return acting | rest
