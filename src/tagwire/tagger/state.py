"""What is set on a simulated instrument; a new object is the state after start-up."""

from __future__ import annotations

from dataclasses import dataclass, field

from tagwire.core.enums import TestSignalSource
from tagwire.core.models import Model

TRIGGER_LEVEL_DEFAULT = 0.5
"""Trigger level after start-up, in V."""

HYSTERESIS_DEFAULT = 20
"""Input hysteresis after start-up, in mV."""

BLOCK_EVENTS_DEFAULT = 2**20
"""Largest number of tags in a block after start-up."""

BLOCK_LATENCY_DEFAULT = 20
"""Longest span of a block after start-up, in ms."""

CLOCK_AUTO = -1
"""Clock source that stands for "whichever is connected"."""


@dataclass(slots=True)
class HardwareState:
    """Settings of one instrument that do not act on its tags.

    Attributes
    ----------
    trigger_level
        By input, in V; inputs without an entry have the default. The same goes for the other dictionaries.
    impedance_high
        By input, as far as set by the user.
    normalization_off, high_priority
        Channels for which it is off, and on.
    test_inputs
        Inputs that are connected to the test signal.
    """

    model: Model
    trigger_level: dict[int, float] = field(default_factory=dict)
    impedance_high: dict[int, bool] = field(default_factory=dict)
    hysteresis: dict[int, int] = field(default_factory=dict)
    normalization_off: set[int] = field(default_factory=set)
    high_priority: set[int] = field(default_factory=set)
    buffer_size: int = 0
    block_events: int = BLOCK_EVENTS_DEFAULT
    block_latency: int = BLOCK_LATENCY_DEFAULT
    test_inputs: set[int] = field(default_factory=set)
    test_divider: int = 0
    test_source: TestSignalSource = TestSignalSource.Digital
    delay_compensation: bool = True
    led_bitmask: int = 0
    leds_disabled: bool = False
    sound_frequency: int = 0
    clock_trim: float = 0.0
    clock_source: int = CLOCK_AUTO
    clock_out: bool = False
    fan_speed: float = -1.0

    def __post_init__(self) -> None:
        self.buffer_size = self.buffer_size or self.model.buffer_default
        self.test_divider = self.test_divider or self.model.test_divider
