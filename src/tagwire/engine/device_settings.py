"""Settings of the instrument that act on its tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tagwire.core.arguments import integer, integers
from tagwire.engine.clock_settings import ReferenceClockSettings
from tagwire.engine.device import DeviceChain
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.hub import Hub
from tagwire.errors import ArgumentError, NotSupported

DIVIDER_MAX = 65_535


class TimeTaggerSource(ReferenceClockSettings):
    """Settings that every Time Tagger object has.

    Notes
    -----
    The order in which they act on a tag is: hardware delay, dead time, conditional filter, event divider, reference
    clock, software delay, and then virtual channels and measurements. A change holds from the next block of tags on,
    for everybody who uses this Time Tagger. Channels are physical ones; a rising and a falling edge have settings of
    their own.

    All methods raise ArgumentError (ValueError) for a channel that does not exist or a value outside its range, and
    then change nothing; NotSupported (RuntimeError) where the instrument cannot do it.
    """

    _hub: Hub

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - class is abstract")

    # --- delays ------------------------------------------------------------------------------------------------

    def setInputDelay(self, channel: int, delay: int) -> None:
        """Delay a channel, in hardware if the model can do so by this much, else in software.

        The other of the two delays becomes zero, so that `getInputDelay` gives what was set.

        Parameters
        ----------
        channel
            Physical channel.
        delay
            Delay in ps, positive for later, within ±10**18.
        """
        number, shift = self._physical(channel), integer(delay, "delay", -DELAY_MAX, DELAY_MAX)
        limits = self._chain().delay_hardware_range
        in_hardware = limits is not None and limits[0] <= shift <= limits[1]
        hardware, software = (shift, 0) if in_hardware else (0, shift)
        self._change(lambda chain: chain.set_delays(number, hardware, software))

    def getInputDelay(self, channel: int) -> int:
        """Sum of the hardware and the software delay of a channel, in ps."""
        number, chain = self._physical(channel), self._chain()
        return chain.hardware_delay.get(number) + chain.software_delay.get(number)

    def setDelayHardware(self, channel: int, delay: int) -> None:
        """Delay a channel in the instrument, before dead time and conditional filter.

        Parameters
        ----------
        channel
            Physical channel.
        delay
            Delay in ps, positive for later, within `getDelayHardwareRange`.
        """
        number, (low, high) = self._physical(channel), self._delay_hardware_range()
        shift = integer(delay, "delay", low, high)
        self._change(lambda chain: chain.hardware_delay.set(number, shift))

    def getDelayHardware(self, channel: int) -> int:
        """Hardware delay of a channel in ps; not on models without one."""
        number = self._physical(channel)
        self._delay_hardware_range()
        return self._chain().hardware_delay.get(number)

    def getDelayHardwareRange(self, channel: int) -> tuple[int, int]:
        """Smallest and largest hardware delay of a channel in ps; not on models without one."""
        self._physical(channel)
        return self._delay_hardware_range()

    def setDelaySoftware(self, channel: int, delay: int) -> None:
        """Delay a channel in the computer, after all filters.

        A negative delay holds the whole stream back by as much; when it becomes more negative while tags flow, tags
        of the channel for times that were handed on already are dropped.

        Parameters
        ----------
        channel
            Physical channel.
        delay
            Delay in ps, positive for later, within ±10**18.
        """
        number, shift = self._physical(channel), integer(delay, "delay", -DELAY_MAX, DELAY_MAX)
        self._change(lambda chain: chain.software_delay.set(number, shift))

    def getDelaySoftware(self, channel: int) -> int:
        """Software delay of a channel in ps."""
        return self._chain().software_delay.get(self._physical(channel))

    # --- filters -----------------------------------------------------------------------------------------------

    def setDeadtime(self, channel: int, deadtime: int) -> int:
        """Choose for how long a channel takes no event after one that it took.

        Parameters
        ----------
        channel
            Physical channel.
        deadtime
            Dead time in ps, at least 0 and at most the upper end of `getDeadtimeRange`.

        Returns
        -------
        int
            The dead time in ps that is really used: smaller ones are raised to the lower end of the range, and the
            Time Tagger 20 rounds to multiples of its clock period of 6 ns.
        """
        number, chain = self._physical(channel), self._chain()
        used = chain.deadtime_used(integer(deadtime, "deadtime", 0, chain.deadtime_range[1]))
        self._change(lambda chain: chain.filters.set_deadtime(number, used))
        return used

    def getDeadtime(self, channel: int) -> int:
        """Dead time of a channel in ps."""
        return self._chain().filters.deadtime(self._physical(channel))

    def getDeadtimeRange(self, channel: int) -> tuple[int, int]:
        """Smallest and largest dead time of a channel in ps."""
        self._physical(channel)
        return self._chain().deadtime_range

    def setConditionalFilter(self, trigger: Sequence[int], filtered: Sequence[int]) -> None:
        """Let events of some channels pass only after a trigger: one per filtered channel for each trigger event.

        The filtered channels begin closed. Two empty lists switch the filter off; filtered channels without any
        trigger stay silent.

        Parameters
        ----------
        trigger
            Channels whose events open the filter.
        filtered
            Channels that are filtered; a channel may be in both lists and is then judged by the triggers before it.
            The ideal clock channel may be among them: then only the next ideal clock tag at or after each trigger
            event comes.
        """
        triggers, ideal = self._physicals(trigger, "trigger"), self._chain().outputs
        targets = [
            number if number in ideal else self._physical(number, f"filtered[{i}]")
            for i, number in enumerate(integers(filtered, "filtered"))
        ]
        self._change(lambda chain: chain.set_conditional_filter(triggers, targets))

    def clearConditionalFilter(self) -> None:
        """Switch the conditional filter off."""
        self.setConditionalFilter([], [])

    def getConditionalFilterTrigger(self) -> tuple[int, ...]:
        """Trigger channels of the conditional filter."""
        return self._chain().filters.triggers

    def getConditionalFilterFiltered(self) -> tuple[int, ...]:
        """Channels to which the conditional filter applies."""
        return self._chain().filtered

    def setEventDivider(self, channel: int, divider: int) -> None:
        """Let only every n-th event of a channel pass; the count begins anew.

        Parameters
        ----------
        channel
            Physical channel.
        divider
            n, within 1..65535; 1 lets all pass. Not available on streams without an instrument.
        """
        number, n = self._physical(channel), integer(divider, "divider", 1, DIVIDER_MAX)
        if not self._chain().has_divider:
            raise NotSupported("a stream without an instrument has no event divider")
        self._change(lambda chain: chain.set_divider(number, n))

    def getEventDivider(self, channel: int) -> int:
        """Event divider of a channel; 1 when all events pass."""
        return self._chain().filters.divider(self._physical(channel))

    # --- overflows ---------------------------------------------------------------------------------------------

    def getOverflows(self) -> int:
        """Number of overflow ranges since start-up or the last clear."""
        return self._hub.overflows

    def getOverflowsAndClear(self) -> int:
        """The number of overflow ranges, which begins at zero again."""
        counted: list[int] = []
        self._hub.command(lambda now: counted.append(self._forget_overflows()))
        return counted[0]

    def clearOverflows(self) -> None:
        """Count overflow ranges from zero again."""
        self._hub.command(lambda now: self._forget_overflows())

    # --- inside ------------------------------------------------------------------------------------------------

    def _forget_overflows(self) -> int:
        counted, self._hub.overflows = self._hub.overflows, 0
        return counted

    def _chain(self) -> DeviceChain:
        device = self._hub.device
        if not isinstance(device, DeviceChain):
            raise NotSupported("this stream has no instrument whose settings could be read or changed")
        return device

    def _change(self, action: Callable[[DeviceChain], None]) -> None:
        """Change a setting between two blocks."""
        chain = self._chain()
        self._hub.command(lambda now: action(chain))

    def _delay_hardware_range(self) -> tuple[int, int]:
        limits = self._chain().delay_hardware_range
        if limits is None:
            raise NotSupported("this instrument has no hardware delay; use setDelaySoftware")
        return limits

    def _physical(self, value: Any, name: str = "channel") -> int:
        number, channels = integer(value, name), self._hub.source.channels
        if number not in channels:
            raise ArgumentError(f"{name} is {number}, but must be one of the physical channels {sorted(channels)}")
        return number

    def _physicals(self, values: Any, name: str) -> list[int]:
        return [self._physical(number, f"{name}[{i}]") for i, number in enumerate(integers(values, name))]
