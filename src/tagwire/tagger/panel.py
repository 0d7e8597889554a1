"""Lights, buzzer and clock: settings that nobody but their getters can tell."""

from __future__ import annotations

from tagwire.core.arguments import boolean, integer, real
from tagwire.core.models import TIME_TAGGER_X
from tagwire.tagger.part import HardwarePart

UINT32_MAX = 2**32 - 1
CLOCK_TRIM_MAX = 50.0


class PanelSettings(HardwarePart):
    """LEDs, sound and the trim of the internal clock, all kept as mere state."""

    def disableLEDs(self, disabled: bool) -> None:
        """Darken all LEDs.

        Parameters
        ----------
        disabled
            True to darken, False for normal operation.
        """
        self._state.leds_disabled = boolean(disabled, "disabled")

    def setLED(self, bitmask: int) -> None:
        """Override single LEDs.

        Parameters
        ----------
        bitmask
            Unsigned 32-bit number: bits 0-8 switch the colours of status, power and clock LED, bits 16-24 say which of
            them are overridden; 0 is normal operation.
        """
        self._state.led_bitmask = integer(bitmask, "bitmask", 0, UINT32_MAX)

    def setSoundFrequency(self, freq_hz: int) -> None:
        """Let the buzzer sound.

        Parameters
        ----------
        freq_hz
            Frequency in Hz, unsigned 32-bit; 0 is silence.
        """
        self._state.sound_frequency = integer(freq_hz, "freq_hz", 0, UINT32_MAX)

    def setInternalClockTrim(self, frequency_offset_ppm: float) -> None:
        """Shift the frequency of the internal clock (Time Tagger X).

        Parameters
        ----------
        frequency_offset_ppm
            Relative shift in ppm, -50 to 50. The simulated clock keeps its pace.
        """
        self._require_trim()
        self._state.clock_trim = real(frequency_offset_ppm, "frequency_offset_ppm", -CLOCK_TRIM_MAX, CLOCK_TRIM_MAX)

    def getInternalClockTrim(self) -> float:
        """Relative shift of the internal clock in ppm (Time Tagger X)."""
        self._require_trim()
        return self._state.clock_trim

    def _require_trim(self) -> None:
        self._require(self._model.key == TIME_TAGGER_X.key, "clock trim", f"the {TIME_TAGGER_X.name}")
