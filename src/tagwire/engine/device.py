"""The instrument's own processing: what happens to a tag between the input and everyone who listens.

In this order, each stage as its class says: hardware delay (`DelayStage`), dead time, conditional filter and event
divider (`EventFilters`), software clock (`ClockStage`), software delay (`DelayStage`). A stage whose settings are all
neutral hands blocks on untouched.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.models import Model
from tagwire.core.tags import TagBlock, concatenate
from tagwire.engine.clock import ClockStage
from tagwire.engine.device_delay import DelayStage
from tagwire.engine.device_filters import EventFilters

DEADTIME_MAX = 10**12
"""Largest dead time in ps where no model sets a limit."""


class DeviceChain:
    """The processing of one instrument; a `tagwire.engine.hub.Device`.

    Parameters
    ----------
    model
        The instrument, for its limits and the dead time after start-up. `None` stands for a stream without
        hardware (a replay): it has no hardware delay, no event divider, and any dead time from zero on.

    Notes
    -----
    Settings are changed between two blocks, under the hub's lock, and hold for the tags of the next block.
    Overflow and error tags and missed events pass every stage untouched, at their own time.
    """

    def __init__(self, model: Model | None = None) -> None:
        self.model = model
        self.hardware_delay = DelayStage()
        self.filters = self._fresh_filters()
        self.clock = ClockStage()
        self.software_delay = DelayStage()

    def reset(self) -> None:
        """All settings as after start-up; tags that the delays hold still come."""
        self.hardware_delay.clear()
        self.filters = self._fresh_filters()
        self.clock.reset()
        self.software_delay.clear()

    def _fresh_filters(self) -> EventFilters:
        return EventFilters(self.model.channels, self.model.deadtime_default) if self.model else EventFilters()

    def process(self, block: TagBlock) -> TagBlock:
        """The block as it leaves the device; with negative delays it lags behind."""
        return self.software_delay.push(self.clock.push(self.filters.push(self.hardware_delay.push(block))))

    def flush(self) -> TagBlock:
        """What the delays still hold at the end of the stream."""
        late = self.clock.finish(self.filters.push(self.hardware_delay.flush()))
        if late.begin == late.end:
            return self.software_delay.flush()
        shifted, rest = self.software_delay.push(late), self.software_delay.flush()
        return concatenate(shifted.begin, rest.end, [shifted, rest])

    @property
    def late(self) -> int:
        """Time tags that the delays dropped, because their time had been given out or lies before the stream."""
        return self.hardware_delay.late + self.software_delay.late

    def wanted(self, channels: frozenset[int]) -> frozenset[int]:
        """The channels, what the software clock needs, and the triggers if any of these channels is filtered."""
        self.clock.wanted = self.clock.ideal_channel in channels
        channels = channels | self.clock.inputs
        return channels | frozenset(self.filters.triggers) if channels & {*self.filters.filtered} else channels

    def set_conditional_filter(self, triggers: Collection[int], filtered: Collection[int]) -> None:
        """Choose trigger and filtered channels; the ideal clock channel may be one of the filtered ones."""
        ideal = self.clock.ideal_channel
        self.filters.set_conditional_filter(triggers, [c for c in filtered if c != ideal])
        self.clock.ideal.triggers = tuple(triggers) if ideal in filtered else None

    @property
    def filtered(self) -> tuple[int, ...]:
        """Channels to which the conditional filter applies."""
        return self.filters.filtered + (self.outputs if self.clock.ideal.triggers is not None else ())

    def set_divider(self, channel: int, divider: int) -> None:
        """Choose the event divider of a channel."""
        self.filters.set_divider(channel, divider)
        self.clock.follow_divider(channel, divider)

    def present(self, position: int) -> int:
        """Stream time, as those who listen see it, when the source has come to `position`."""
        return self.clock.present(position)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Channels that the device adds: that of ideal clock tags, once it has a number."""
        ideal = self.clock.ideal_channel
        return () if ideal == CHANNEL_UNUSED else (ideal,)

    def set_delays(self, channel: int, hardware: int, software: int) -> None:
        """Choose both delays of a channel, in ps."""
        self.hardware_delay.set(channel, hardware)
        self.software_delay.set(channel, software)

    @property
    def has_divider(self) -> bool:
        """Whether events can be divided."""
        return self.model is not None

    @property
    def delay_hardware_range(self) -> tuple[int, int] | None:
        """Smallest and largest hardware delay in ps, or `None` where there is none."""
        limit = self.model.delay_hardware_max if self.model else 0
        return (-limit, limit) if limit else None

    @property
    def deadtime_range(self) -> tuple[int, int]:
        """Smallest and largest dead time in ps."""
        return (self.model.clock_period, self.model.deadtime_max) if self.model else (0, DEADTIME_MAX)

    def deadtime_used(self, deadtime: int) -> int:
        """The dead time in ps that comes true when `deadtime` is asked for: rounded to the model's step, halves up."""
        step = self.model.deadtime_step if self.model else 1
        low, high = self.deadtime_range
        return min(max((deadtime + step // 2) // step * step, low), high)

    def input_settings(self, channels: Collection[int]) -> list[dict[str, Any]]:
        """Settings of each input as `getConfiguration` reports them, in fresh lists with one value for each edge."""
        inputs = [c for c in channels if c > 0]
        return [self._input(tuple(e for e in (c, -c) if e in channels)) for c in inputs]

    def _input(self, edges: tuple[int, ...]) -> dict[str, Any]:
        return {
            "channel": list(edges),
            "conditional filter filtered": [e in self.filters.filtered for e in edges],
            "conditional filter triggers": [e in self.filters.triggers for e in edges],
            "deadtime": [self.filters.deadtime(e) for e in edges],
            "delay hardware": [self.hardware_delay.get(e) for e in edges],
            "delay software": [self.software_delay.get(e) for e in edges],
            "event divider": [self.filters.divider(e) for e in edges],
        }
