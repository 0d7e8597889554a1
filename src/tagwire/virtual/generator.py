"""A channel with a pattern of tags after each trigger."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, integer, sequence
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TIME_MAX, TagBlock, TagType
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)

Ints = NDArray[np.int64]


class EventGenerator(VirtualChannelBase):
    """A channel that fires in a given pattern after each trigger.

    Parameters
    ----------
    tagger
        Time Tagger object.
    trigger_channel
        Time tags on it begin patterns.
    pattern
        Times of the tags relative to the trigger in ps, within ±10**18, in any order; at least one.
    trigger_divider
        Only every so many-th trigger begins a pattern; at least 1.
    divider_offset
        Number of triggers to pass over before the first one that does, at least 0; with a `trigger_divider` of 1 all
        do, and it is not looked at.
    stop_channel
        Time tags on it end all patterns that are running; `CHANNEL_UNUSED`: none does. With the trigger channel
        itself, patterns never overlap.

    Raises
    ------
    ArgumentError
        (ValueError) A channel does not exist, there is no pattern, or a number is out of its range.

    Notes
    -----
    Tags act in the order of the stream, also at equal times, and a tag that is both first stops and then triggers. A
    stop takes away the tags of running patterns that lie at its own time or later; whether a trigger counts for the
    divider does not depend on it. Patterns of several triggers may overlap. Negative times in the pattern lie before
    the trigger; they hold the stream back by as much for everything created after this object.

    Missed events on the trigger channel count for the divider and begin no pattern. OverflowBegin, OverflowEnd and
    Error end running patterns as a stop does, since a stop may have been lost. `stop` ends them as well.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        trigger_channel: int,
        pattern: Sequence[int],
        trigger_divider: int = 1,
        divider_offset: int = 0,
        stop_channel: int = CHANNEL_UNUSED,
    ) -> None:
        self._trigger = require_tagger(tagger)._channel(trigger_channel, "trigger_channel")
        values = enumerate(sequence(pattern, "pattern", "integers"))
        times = [integer(value, f"pattern[{i}]", -DELAY_MAX, DELAY_MAX) for i, value in values]
        if not times:
            raise ArgumentError("pattern is empty, but must have at least one time")
        self._divider = integer(trigger_divider, "trigger_divider", 1, INT32_MAX)
        self._offset = integer(divider_offset, "divider_offset", 0, INT32_MAX)
        self._stop = tagger._optional_channel(stop_channel, "stop_channel")
        params = {
            "trigger_channel": self._trigger,
            "pattern": times,
            "trigger_divider": self._divider,
            "divider_offset": self._offset,
            "stop_channel": self._stop,
        }
        inputs = [self._trigger] if self._stop == CHANNEL_UNUSED else [self._trigger, self._stop]
        super().__init__(tagger, inputs, params, 1)
        self._pattern: Ints = np.array(sorted(times), np.int64)
        self._phase: Ints = np.zeros(1, np.int64)
        self._launch()

    def getChannel(self) -> int:
        """Number of the generated channel."""
        return self._outputs[0]

    @property
    def _lookback(self) -> int:
        return max(0, -int(self._pattern[0]))

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._phase[0] = -self._offset if self._divider > 1 else 0
        self._begins: Ints = np.empty(0, np.int64)
        self._played: Ints = np.empty(0, np.int64)

    def _generate(self, block: TagBlock) -> TagBlock | None:
        begins, ends = _run(
            block.time,
            block.channel,
            block.type,
            block.missed,
            self._trigger,
            self._stop,
            self._divider,
            self._phase,
            self._begins,
        )
        played = np.append(self._played, np.zeros(len(begins) - len(self._played), np.int64))
        time = np.sort(_play(begins, ends, played, self._pattern, block.end), kind="stable")
        running = (ends == TIME_MAX) & (played < len(self._pattern))
        self._begins, self._played = begins[running], played[running]
        return TagBlock(block.begin, block.end, time, np.full(len(time), self._outputs[0], np.int32))


@kernel
def _run(
    time: Ints,
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    trigger: int,
    stop: int,
    divider: int,
    phase: Ints,
    running: Ints,
) -> tuple[Ints, Ints]:
    """Begin of all patterns, those that run already first, and when they were ended.

    ``phase[0]`` counts the triggers since a pattern began, and below zero those that are to be passed over at first.
    """
    count = len(running)
    begins = np.empty(count + len(time), np.int64)
    begins[:count] = running
    ends = np.full(count + len(time), TIME_MAX)
    alive = 0
    for i in range(len(time)):
        event = len(kind) == 0 or kind[i] == TIME_TAG
        lost = not event and kind[i] == MISSED_EVENTS
        if (event and channel[i] == stop) or not (event or lost):
            ends[alive:count] = time[i]
            alive = count
        if channel[i] == trigger and lost:
            phase[0] = _after(phase[0] + missed[i], divider)
        elif channel[i] == trigger and event:
            if phase[0] == 0:
                begins[count] = time[i]
                count += 1
            phase[0] = _after(phase[0] + 1, divider)
    return begins[:count], ends[:count]


@kernel
def _after(phase: int, divider: int) -> int:
    return phase % divider if phase > 0 else phase


@kernel
def _play(begins: Ints, ends: Ints, played: Ints, pattern: Ints, now: int) -> Ints:
    """Times of the tags of each pattern before its end and before `now`, from ``pattern[played]`` on."""
    total = 0
    upto = np.empty(len(begins), np.int64)
    for p in range(len(begins)):
        upto[p] = max(played[p], np.searchsorted(pattern, min(ends[p], now) - begins[p]))
        total += upto[p] - played[p]
    time = np.empty(total, np.int64)
    count = 0
    for p in range(len(begins)):
        for n in range(played[p], upto[p]):
            time[count] = begins[p] + pattern[n]
            count += 1
        played[p] = upto[p]
    return time
