"""What a software clock says of itself: values, taken at one moment."""

from __future__ import annotations

from tagwire.core.channels import CHANNEL_UNUSED


class ReferenceClockState:
    """Settings and state of the reference clock at one moment, from `TimeTaggerSource.getReferenceClockState`.

    Attributes
    ----------
    clock_period : int
        Distance of ideal clock tags: the period of the frequency given, rounded to ps.
    clock_channel : int
        Channel of the clock signal.
    synchronization_channel : int
        Channel of the pulse per second, or `CHANNEL_UNUSED`.
    ideal_clock_channel : int
        Channel of the ideal clock tags; the same for the whole life of a Time Tagger.
    averaging_periods : float
        Time constant in periods of the clock signal.
    synchronization_offset : int
        What is added to the computer's time, in ps.
    enabled : bool
        Whether a clock is set.
    event_divider : int
        How many periods of the clock signal lie between two tags of the clock channel.
    is_locked : bool
        Whether the loop follows the signal.
    is_synchronized : bool
        Whether stream time is aligned to the pulse per second, and no longer waits for a time that was set back.
    error_counter : int
        How often the lock was lost, or could not be found in the signal, since the clock was set.
    last_ideal_clock_event : int
        Stream time in ps of the last ideal clock tag; 0 before the first.
    period_error : float
        Measured period less `clock_period` in ps, in the time of the instrument.
    phase_error_estimation : float
        Root mean square in ps of the distances of clock tags from their ideal times, averaged over the time constant.
        The jitter of the inputs is part of it.
    """

    clock_period: int
    clock_channel: int
    synchronization_channel: int
    ideal_clock_channel: int
    averaging_periods: float
    synchronization_offset: int
    enabled: bool
    event_divider: int
    is_locked: bool
    is_synchronized: bool
    error_counter: int
    last_ideal_clock_event: int
    period_error: float
    phase_error_estimation: float

    def __init__(self) -> None:
        self.clock_period = 0
        self.clock_channel = CHANNEL_UNUSED
        self.synchronization_channel = CHANNEL_UNUSED
        self.ideal_clock_channel = CHANNEL_UNUSED
        self.averaging_periods = 0.0
        self.synchronization_offset = 0
        self.enabled = False
        self.event_divider = 1
        self.is_locked = False
        self.is_synchronized = False
        self.error_counter = 0
        self.last_ideal_clock_event = 0
        self.period_error = 0.0
        self.phase_error_estimation = 0.0


class SoftwareClockState:
    """Settings and state of the software clock at one moment, from `TimeTaggerBase.getSoftwareClockState`.

    Attributes
    ----------
    clock_period : int
        Distance of ideal clock tags: the period of the frequency given, rounded to ps.
    input_channel : int
        Channel of the clock signal.
    ideal_clock_channel : int
        Channel of the ideal clock tags; the same for the whole life of a Time Tagger.
    averaging_periods : float
        Time constant in periods of the frequency given.
    enabled, is_locked, error_counter, last_ideal_clock_event, period_error, phase_error_estimation
        As for `ReferenceClockState`.
    """

    clock_period: int
    input_channel: int
    ideal_clock_channel: int
    averaging_periods: float
    enabled: bool
    is_locked: bool
    error_counter: int
    last_ideal_clock_event: int
    period_error: float
    phase_error_estimation: float

    def __init__(self) -> None:
        self.clock_period = 0
        self.input_channel = CHANNEL_UNUSED
        self.ideal_clock_channel = CHANNEL_UNUSED
        self.averaging_periods = 0.0
        self.enabled = False
        self.is_locked = False
        self.error_counter = 0
        self.last_ideal_clock_event = 0
        self.period_error = 0.0
        self.phase_error_estimation = 0.0


def as_software_clock(state: ReferenceClockState) -> SoftwareClockState:
    """The same state under the names of the older interface."""
    older = SoftwareClockState()
    for name in vars(older).keys() & vars(state).keys():
        setattr(older, name, getattr(state, name))
    older.input_channel = state.clock_channel
    return older
