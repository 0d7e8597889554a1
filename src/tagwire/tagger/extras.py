"""Settings that only the instrument at hand has, not one behind a network."""

from __future__ import annotations

from tagwire.core.arguments import boolean, integer, member, real
from tagwire.core.enums import TestSignalSource
from tagwire.core.models import TIME_TAGGER_X
from tagwire.tagger.part import HardwarePart
from tagwire.tagger.state import CLOCK_AUTO, TRIGGER_LEVEL_DEFAULT

CLOCK_SOURCES = (0, 2)
FAN_SPEED_MAX = 100.0


class ExtraSettings(HardwarePart):
    """Test signal source, priorities, clock source and fan, all kept as mere state."""

    def setTestSignalSource(self, source: TestSignalSource) -> None:
        """Choose the generator of the test signal (Time Tagger X); the simulated ones are alike.

        Parameters
        ----------
        source
            Digital, which is the state after start-up, or Analog.
        """
        self._require_source()
        self._state.test_source = member(source, "source", TestSignalSource)

    def getTestSignalSource(self) -> TestSignalSource:
        """Generator of the test signal (Time Tagger X)."""
        self._require_source()
        return self._state.test_source

    def xtra_setHighPrioChannel(self, channel: int, enable: bool) -> None:
        """Choose whether tags of a channel pass through overflows, which simulated light never causes.

        Parameters
        ----------
        channel
            Physical channel.
        enable
            True for high priority.
        """
        number, on = self._physical(channel, "channel"), boolean(enable, "enable")
        before = self._state.high_priority
        self._state.high_priority = before | {number} if on else before - {number}

    def xtra_getHighPrioChannel(self, channel: int) -> bool:
        """Whether tags of the channel pass through overflows."""
        return self._physical(channel, "channel") in self._state.high_priority

    def xtra_measureTriggerLevel(self, channel: int) -> float:
        """Voltage in V found at the input's comparator: exactly the trigger level that was set."""
        return self._state.trigger_level.get(self._input(channel, "channel"), TRIGGER_LEVEL_DEFAULT)

    def xtra_setClockSource(self, source: int) -> None:
        """Choose the clock; the simulated one keeps its pace.

        Parameters
        ----------
        source
            0 for the internal clock, 1 for 10 MHz and 2 for 500 MHz from outside.
        """
        self._state.clock_source = integer(source, "source", *CLOCK_SOURCES)

    def xtra_getClockSource(self) -> int:
        """Chosen clock: -1 for whichever is connected, else as for `xtra_setClockSource`."""
        return self._state.clock_source

    def xtra_setClockAutoSelect(self, enabled: bool) -> None:
        """Let the instrument take whichever clock is connected, which is the state after start-up.

        Parameters
        ----------
        enabled
            False fixes the internal clock.
        """
        self._state.clock_source = CLOCK_AUTO if boolean(enabled, "enabled") else 0

    def xtra_getClockAutoSelect(self) -> bool:
        """Whether the instrument takes whichever clock is connected."""
        return self._state.clock_source == CLOCK_AUTO

    def xtra_setClockOut(self, enabled: bool) -> None:
        """Switch the 10 MHz output.

        Parameters
        ----------
        enabled
            Whether to give the clock out.
        """
        self._state.clock_out = boolean(enabled, "enabled")

    def xtra_setFanSpeed(self, percentage: float = -1) -> None:
        """Set the speed of the fan.

        Parameters
        ----------
        percentage
            0 is off, 100 is full speed, negative leaves it to the instrument.
        """
        self._state.fan_speed = real(percentage, "percentage", high=FAN_SPEED_MAX)

    def _require_source(self) -> None:
        self._require(
            self._model.key == TIME_TAGGER_X.key, "choice of test signal sources", f"the {TIME_TAGGER_X.name}"
        )
