"""Facts about the Time Tagger models that the simulation reproduces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """One model of instrument; times in ps, voltages in V.

    Attributes
    ----------
    inputs
        Number of inputs; each has a rising and a falling channel.
    clock_period
        Duration of a clock cycle, which is also the smallest dead time.
    deadtime_default, deadtime_max
        Dead time after start-up, and the largest one.
    deadtime_step
        Dead times are rounded to multiples of this.
    delay_hardware_max
        Largest magnitude of a delay on the device; 0 where the model has none.
    trigger_low, trigger_high
        Range of the trigger level.
    test_frequency, test_divider
        Base frequency of the test signal in Hz, and the divider after start-up.
    jitter_rms
        Timing jitter of one channel.
    buffer_default, buffer_max
        Tags in the device's buffer.
    impedance_switch
        Whether input impedance and hysteresis can be switched.
    """

    key: str
    name: str
    serial: str
    inputs: int
    clock_period: int
    deadtime_default: int
    deadtime_max: int
    deadtime_step: int
    delay_hardware_max: int
    trigger_low: float
    trigger_high: float
    test_frequency: float
    test_divider: int
    jitter_rms: float
    buffer_default: int
    buffer_max: int
    impedance_switch: bool

    @property
    def channels(self) -> tuple[int, ...]:
        """All channel numbers, rising edges first."""
        rising = range(1, self.inputs + 1)
        return (*rising, *(-c for c in rising))


TIME_TAGGER_20 = Model(
    key="20",
    name="Time Tagger 20",
    serial="SIM20-0001",
    inputs=8,
    clock_period=6_000,
    deadtime_default=6_000,
    deadtime_max=393_000_000,
    deadtime_step=6_000,
    delay_hardware_max=0,
    trigger_low=0.0,
    trigger_high=2.5,
    test_frequency=62.5e6,
    test_divider=74,
    jitter_rms=34.0,
    buffer_default=8 * 2**20,
    buffer_max=8 * 2**20,
    impedance_switch=False,
)

TIME_TAGGER_ULTRA = Model(
    key="ultra",
    name="Time Tagger Ultra",
    serial="SIMULTRA-0001",
    inputs=18,
    clock_period=2_000,
    deadtime_default=2_100,
    deadtime_max=2_147_000_000,
    deadtime_step=1,
    delay_hardware_max=2_000_000,
    trigger_low=-2.5,
    trigger_high=2.5,
    test_frequency=403.2e6,
    test_divider=504,
    jitter_rms=9.0,
    buffer_default=64 * 2**20,
    buffer_max=512 * 2**20,
    impedance_switch=False,
)

TIME_TAGGER_X = Model(
    key="x",
    name="Time Tagger X",
    serial="SIMX-0001",
    inputs=18,
    clock_period=1_333,
    deadtime_default=1_500,
    deadtime_max=716_000_000,
    deadtime_step=1,
    delay_hardware_max=2_500_000,
    trigger_low=-1.5,
    trigger_high=1.5,
    test_frequency=403.2e6,
    test_divider=504,
    jitter_rms=2.0,
    buffer_default=64 * 2**20,
    buffer_max=512 * 2**20,
    impedance_switch=True,
)

MODELS = {m.key: m for m in (TIME_TAGGER_20, TIME_TAGGER_ULTRA, TIME_TAGGER_X)}
"""Models by the name that the command line uses."""
