"""Channels that tell when the middle of a pulse was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer
from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.virtual.routes import Routes

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)


class ConstantFractionDiscriminator(VirtualChannelBase):
    """Channels that fire at the mean of a pulse's first and second edge, which does not move with its height.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        The edges with which the pulses begin, usually rising; those with which they end are read as well. A channel
        named twice gives two equal channels.
    search_window
        Longest pulse in ps, included; at least 1. Longer ones give no tag.

    Raises
    ------
    ArgumentError
        (ValueError) No channel, one that does not exist or has no other edge, or a window below 1.

    Notes
    -----
    A second edge makes a pulse with the first edge directly before it, in the order of the stream. The mean is rounded
    down to a whole ps. It lies before the second edge, so the stream is held back by half the window, rounded up, for
    everything created after this object.

    Time tags are looked at. OverflowBegin, OverflowEnd and Error end a pulse that has begun, without a tag. Missed
    events change nothing.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int], search_window: int) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        seconds = [_second_edge(tagger, c, f"channels[{i}]") for i, c in enumerate(numbers)]
        self._window = integer(search_window, "search_window", 1, DELAY_MAX)
        params = {"channels": numbers, "search_window": self._window}
        super().__init__(tagger, [*numbers, *seconds], params, len(numbers))
        self._routes = Routes(numbers, self._outputs)
        self._seconds = ChannelIndex(dict.fromkeys(seconds))
        self._begins: NDArray[np.int64] = np.zeros(len(self._seconds), np.int64)
        self._begun: NDArray[np.bool_] = np.zeros(len(self._seconds), np.bool_)
        self._launch()

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the new channels, in the order of the inputs."""
        return self._outputs

    @property
    def _lookback(self) -> int:
        return (self._window + 1) // 2

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._begun[:] = False

    def _generate(self, block: TagBlock) -> TagBlock | None:
        firsts, seconds = self._routes.index, self._seconds
        time, place = _pulses(
            block.time,
            block.channel,
            block.type,
            firsts.table,
            firsts.first,
            seconds.table,
            seconds.first,
            self._window,
            self._begins,
            self._begun,
        )
        order = np.argsort(time, kind="stable")
        edges = np.array(firsts.channels, np.int32)[place[order]]
        return self._routes.relay(TagBlock(block.begin, block.end, time[order], edges), np.arange(len(order)))


def _second_edge(tagger: TimeTaggerBase, channel: int, name: str) -> int:
    other = tagger.getInvertedChannel(channel)
    if other == CHANNEL_UNUSED:
        raise ArgumentError(f"{name} is {channel}, which has no channel for its other edge")
    return other


@kernel
def _pulses(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    first_table: NDArray[np.int16],
    first_first: int,
    second_table: NDArray[np.int16],
    second_first: int,
    window: int,
    begins: NDArray[np.int64],
    begun: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Middle and place of the pulses, in order of their ends; begins of open pulses are carried."""
    centres = np.empty(len(time), np.int64)
    places = np.empty(len(time), np.int64)
    count = 0
    plain = len(kind) == 0
    for i in range(len(time)):
        if not (plain or kind[i] == TIME_TAG):
            if kind[i] != MISSED_EVENTS:
                begun[:] = False
            continue
        k = channel[i] - second_first
        if 0 <= k < len(second_table) and second_table[k] >= 0:
            place = second_table[k]
            if begun[place] and time[i] - begins[place] <= window:
                centres[count] = begins[place] + (time[i] - begins[place]) // 2
                places[count] = place
                count += 1
            begun[place] = False
        k = channel[i] - first_first
        if 0 <= k < len(first_table) and first_table[k] >= 0:
            begun[first_table[k]], begins[first_table[k]] = True, time[i]
    return centres[:count], places[:count]
