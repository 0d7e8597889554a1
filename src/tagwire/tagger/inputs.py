"""Settings of the inputs: what voltage makes a tag, and how it arrives."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.arguments import boolean, integer, real
from tagwire.errors import ArgumentError
from tagwire.tagger.part import HardwarePart, names_of
from tagwire.tagger.state import HYSTERESIS_DEFAULT, TRIGGER_LEVEL_DEFAULT

HYSTERESIS_VALUES = (1, 20, 70)
"""Settable input hysteresis in mV."""


class InputSettings(HardwarePart):
    """Trigger level, impedance, hysteresis, normalization and delay compensation.

    Simulated clicks have no voltage, so these are checked and kept like on the instrument but change no tag. Settings
    of an input hold for both of its edges.
    """

    def setTriggerLevel(self, channel: int, voltage: float) -> None:
        """Set the voltage at which an input fires.

        Parameters
        ----------
        channel
            Channel of either edge of the input.
        voltage
            Level in V, within `getTriggerLevelRange`.
        """
        place = self._input(channel, "channel")
        self._state.trigger_level[place] = real(voltage, "voltage", *self._trigger_range())

    def getTriggerLevel(self, channel: int) -> float:
        """Voltage in V at which the input fires."""
        return self._state.trigger_level.get(self._input(channel, "channel"), TRIGGER_LEVEL_DEFAULT)

    def getTriggerLevelRange(self, channel: int) -> tuple[float, ...]:
        """Lowest and highest trigger level of a channel in V."""
        self._input(channel, "channel")
        return self._trigger_range()

    def getDACRange(self) -> tuple[float, ...]:
        """Lowest and highest trigger level in V; `getTriggerLevelRange` is the present name."""
        return self._trigger_range()

    def setInputImpedanceHigh(self, channel: int, high_impedance: bool) -> None:
        """Choose between high impedance and 50 Ω (Time Tagger X).

        Parameters
        ----------
        channel
            Channel of either edge of the input.
        high_impedance
            True for high impedance. An input that was never set is terminated with 50 Ω while a measurement reads it,
            and high-ohmic otherwise.
        """
        self._require_analog("switchable input impedance")
        place = self._input(channel, "channel")
        self._state.impedance_high[place] = boolean(high_impedance, "high_impedance")

    def getInputImpedanceHigh(self, channel: int) -> bool:
        """Whether the input is high-ohmic (Time Tagger X)."""
        self._require_analog("switchable input impedance")
        place = self._input(channel, "channel")
        return self._state.impedance_high.get(place, self._hub.registered().isdisjoint({place, -place}))

    def setInputHysteresis(self, channel: int, value: int) -> None:
        """Set how far the signal has to fall back before the input can fire again (Time Tagger X).

        Parameters
        ----------
        channel
            Channel of either edge of the input.
        value
            1, 20 or 70 mV.
        """
        self._require_analog("switchable input hysteresis")
        place, level = self._input(channel, "channel"), integer(value, "value")
        if level not in HYSTERESIS_VALUES:
            raise ArgumentError(f"value is {level} mV, but must be one of {HYSTERESIS_VALUES}")
        self._state.hysteresis[place] = level

    def getInputHysteresis(self, channel: int) -> int:
        """Hysteresis of the input in mV (Time Tagger X)."""
        self._require_analog("switchable input hysteresis")
        return self._state.hysteresis.get(self._input(channel, "channel"), HYSTERESIS_DEFAULT)

    def setNormalization(self, channels: Sequence[int], state: bool) -> None:
        """Switch the correction of the timing error's distribution towards a Gaussian.

        Parameters
        ----------
        channels
            Physical channels.
        state
            True, which is the state after start-up, to correct.
        """
        numbers, on = self._physicals(channels, "channels"), boolean(state, "state")
        off = self._state.normalization_off
        self._state.normalization_off = off.difference(numbers) if on else off.union(numbers)

    def getNormalization(self, channel: int) -> bool:
        """Whether the timing error of the channel is corrected towards a Gaussian."""
        return self._physical(channel, "channel") not in self._state.normalization_off

    def getHardwareDelayCompensation(self, channel: int) -> int:
        """Built-in correction of the input's own delay in ps: 0, for simulated inputs are all equally long."""
        self._physical(channel, "channel")
        return 0

    def setHardwareDelayCompensationActive(self, use_compensation: bool) -> None:
        """Switch the built-in correction of the inputs' own delays, which is on after start-up.

        Parameters
        ----------
        use_compensation
            Whether to correct.
        """
        self._state.delay_compensation = boolean(use_compensation, "use_compensation")

    def _trigger_range(self) -> tuple[float, float]:
        return self._model.trigger_low, self._model.trigger_high

    def _require_analog(self, what: str) -> None:
        self._require(self._model.impedance_switch, what, names_of("impedance_switch"))
