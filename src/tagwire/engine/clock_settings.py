"""Settings of the software clock: the vendor's calls, in the newer and the older form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagwire.core.arguments import boolean, integer, real
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.clock_signal import ClockSignal
from tagwire.engine.clock_state import ReferenceClockState, SoftwareClockState, as_software_clock
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.hub import Hub
from tagwire.errors import ArgumentError, StateError

if TYPE_CHECKING:
    from tagwire.engine.device import DeviceChain

FREQUENCY_MIN, FREQUENCY_MAX = 1.0, 1e9
AVERAGING_MAX = 1e9
"""Longest time constant in transferred clock tags."""

OFFSET_MAX = 10**18


class ReferenceClockSettings:
    """The reference clock of a stream; part of `TimeTaggerSource`."""

    _hub: Hub

    def setReferenceClock(
        self,
        clock_channel: int,
        clock_frequency: float = 10e6,
        time_constant: float = 1e-3,
        synchronization_channel: int = CHANNEL_UNUSED,
        synchronization_offset: int = 0,
        wait_until_locked: bool = True,
    ) -> None:
        """Put all time tags on the time base of a periodic signal.

        A phase-locked loop follows the tags of the clock channel, and rescales all times so that the signal has exactly
        the period `ReferenceClockState.clock_period`. The ideal clock tags, exactly this far apart, come on
        `ReferenceClockState.ideal_clock_channel`, also those that an event divider takes out of the signal.

        Parameters
        ----------
        clock_channel
            Physical channel of the signal.
        clock_frequency
            Frequency in Hz of the signal before the event divider of its channel, 1 to 1e9; at most 5 % off.
        time_constant
            Time over which the loop averages, in s: a longer one suppresses the jitter of single tags, a shorter one
            follows a drifting signal better. At least one period of the divided signal is used.
        synchronization_channel
            Physical channel with one pulse at each UTC second: stream time is aligned to the first of them. Its second
            is the one nearest to the computer's time, and stream time becomes that second modulo 10**6 s. Where this
            lies back by less than half a second, as it may when the lock was lost meanwhile, stream time waits: the
            overflow goes on until the new time has come to where stream time was, and events before, that pulse among
            them, are counted as missed. Where stream time has gone further already, it becomes later by a whole
            multiple of 10**6 s. So stream time never goes back.
        synchronization_offset
            Added to the computer's time in ps, within ±10**18, where that is more than half a second off.
        wait_until_locked
            Return when the clock is locked, and aligned if that was asked for. While no tags flow there is nothing to
            wait for.

        Raises
        ------
        ArgumentError
            (ValueError) A channel that does not exist, or a value outside its range; nothing is changed.
        StateError
            (RuntimeError) No lock within about 1 s of stream time (more for long time constants), for the reason that
            is named. The clock stays set, and locks as soon as the signal is good.

        Notes
        -----
        While the clock is set and not locked, the stream is in overflow and lost events are counted. A change of the
        event divider of the clock channel is taken into account and begins a new search.

        With the ideal clock channel among the filtered channels of `setConditionalFilter` there is only one ideal clock
        tag after each trigger event, instead of all.
        """
        channel = self._physical(clock_channel, "clock_channel")
        frequency = real(clock_frequency, "clock_frequency", FREQUENCY_MIN, FREQUENCY_MAX)
        second = integer(synchronization_channel, "synchronization_channel")
        if second != CHANNEL_UNUSED:
            second = self._physical(second, "synchronization_channel")
        offset = integer(synchronization_offset, "synchronization_offset", -OFFSET_MAX, OFFSET_MAX)
        constant, wait = real(time_constant, "time_constant", 0.0), boolean(wait_until_locked, "wait_until_locked")
        divider = self._chain().filters.divider(channel)
        if not constant * frequency / divider <= AVERAGING_MAX:
            longest = AVERAGING_MAX * divider / frequency
            raise ArgumentError(f"time_constant is {constant:g} s, but must be within [0, {longest:g}] s here")
        averaging = max(constant * frequency, float(divider))
        self._set_clock(ClockSignal(channel, frequency, divider, averaging, second, offset, follows=True), wait)

    def disableReferenceClock(self) -> None:
        """Let time go on at the pace of the instrument's own clock, without a jump."""
        chain = self._chain()
        self._hub.command(lambda now: chain.clock.disable())

    def getReferenceClockState(self) -> ReferenceClockState:
        """Settings and state of the clock at this moment.

        The ideal clock channel that it names is the same for the whole life of this Time Tagger, also while no clock is
        set.
        """
        self._number_ideal_clock()
        chain, states = self._chain(), []
        self._hub.command(lambda now: states.append(chain.clock.state()))
        return states[0]

    # --- inside ------------------------------------------------------------------------------------------------

    def _set_clock(self, signal: ClockSignal, wait: bool) -> None:
        if wait and self._hub.flowing:
            self._hub.check_wait()
        self._number_ideal_clock()
        chain, begun = self._chain(), []

        def begin(now: int) -> None:
            chain.clock.set(signal, self._hub.source.channels)
            begun.append(self._hub.position)

        self._hub.command(begin)
        if wait:
            self._wait_for_clock(chain, signal, begun[0] + signal.patience)

    def _wait_for_clock(self, chain: DeviceChain, signal: ClockSignal, deadline: int) -> None:
        """Wait block by block until the clock is ready, for at most the stream time up to `deadline`."""
        while self._hub.flowing and chain.clock.signal is signal:
            if self._hub.passed(self._hub.fence(), WAIT_SLICE):
                if chain.clock.ready:
                    return
                if self._hub.position > deadline:
                    raise StateError(f"the clock does not lock: {chain.clock.fault()}. It stays set and goes on trying")

    def _number_ideal_clock(self) -> None:
        clock = self._chain().clock
        if clock.ideal_channel == CHANNEL_UNUSED:
            (number,) = self._hub.allocate(1)
            clock.ideal_channel = number

    def _chain(self) -> DeviceChain:
        raise NotImplementedError(type(self).__name__)

    def _physical(self, value: Any, name: str = "channel") -> int:
        raise NotImplementedError(type(self).__name__)


class SoftwareClockSettings(ReferenceClockSettings):
    """The older form of the reference clock; part of `TimeTaggerBase`."""

    def setSoftwareClock(
        self,
        input_channel: int,
        input_frequency: float = 10e6,
        averaging_periods: float = 1000,
        wait_until_locked: bool = True,
    ) -> None:
        """Put all time tags on the time base of a periodic signal, as `setReferenceClock` does, which is its heir.

        Parameters
        ----------
        input_channel
            Physical channel of the signal.
        input_frequency
            Frequency in Hz of the tags, after the event divider, 1 to 1e9; at most 5 % off. Ideal clock tags have
            this frequency too.
        averaging_periods
            Number of these tags over which the loop averages, 1 to 1e9.
        wait_until_locked
            As for `setReferenceClock`, and with the same errors.

        Notes
        -----
        The event divider of the channel must not be changed afterwards.
        """
        channel = self._physical(input_channel, "input_channel")
        frequency = real(input_frequency, "input_frequency", FREQUENCY_MIN, FREQUENCY_MAX)
        averaging = real(averaging_periods, "averaging_periods", 1.0, AVERAGING_MAX)
        wait = boolean(wait_until_locked, "wait_until_locked")
        self._set_clock(ClockSignal(channel, frequency, 1, averaging), wait)

    def disableSoftwareClock(self) -> None:
        """The same as `disableReferenceClock`, under its older name."""
        self.disableReferenceClock()

    def getSoftwareClockState(self) -> SoftwareClockState:
        """Settings and state of the clock at this moment, under the older names."""
        return as_software_clock(self.getReferenceClockState())
