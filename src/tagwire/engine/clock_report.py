"""What a software clock says of itself, from its settings and the state of its loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from tagwire.engine.clock_layout import LOCKED
from tagwire.engine.clock_signal import PS_PER_S, ClockSignal
from tagwire.engine.clock_state import ReferenceClockState


def report(signal: ClockSignal | None, clock: Any) -> ReferenceClockState:
    """Everything but the ideal clock tags; `clock` is a record of the layout `CLOCK`."""
    state = ReferenceClockState()
    if signal is None:
        return state
    state.enabled = True
    state.clock_period, state.clock_channel = signal.period, signal.channel
    state.synchronization_channel, state.synchronization_offset = signal.second_channel, signal.second_offset
    state.averaging_periods, state.event_divider = signal.averaging, signal.divider
    state.is_locked, state.is_synchronized = bool(clock["mode"] == LOCKED), bool(clock["synced"])
    state.error_counter = int(clock["errors"])
    if clock["period"]:
        state.period_error = float(clock["period"]) / signal.divider - signal.period
        state.phase_error_estimation = float(np.sqrt(clock["mean_square"]))
    return state


def fault(signal: ClockSignal | None, clock: Any) -> str:
    """Why there is no lock, in words."""
    if signal is None:
        return "the clock was switched off"
    if clock["seen"] == 0:
        return f"there is no signal on channel {signal.channel}"
    if clock["mode"] == LOCKED:
        return f"there is no pulse per second on channel {signal.second_channel}"
    if clock["measured"] == 0:
        return f"channel {signal.channel} has too few tags: {int(clock['seen'])}"
    hertz = PS_PER_S / float(clock["measured"]) * signal.divider
    return (
        f"the signal on channel {signal.channel} is not within 5 % of {signal.frequency:g} Hz, or irregular: "
        f"its last distance that did not fit is that of {hertz:g} Hz"
    )
