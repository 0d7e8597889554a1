"""What removes tags in the instrument: dead time, conditional filter, event divider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TIME_MIN, TagBlock, TagType, reorder
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)

LANE = np.dtype(
    [
        ("ready", np.int64),  # time from which the channel takes the next event
        ("deadtime", np.int64),
        ("opened", np.int64),  # number of trigger events when the filter last let an event pass
        ("divider", np.int32),
        ("count", np.int32),  # events since the divider last let one pass
        ("trigger", np.bool_),
        ("filtered", np.bool_),
    ],
    align=True,
)
"""Settings and state of one channel."""


class EventFilters:
    """Dead time, conditional filter and event divider, in this order, for each channel.

    Parameters
    ----------
    channels
        Channels with a dead time from the beginning.
    deadtime
        That dead time in ps.

    Notes
    -----
    Dead time: an event is dropped when it comes less than the dead time after the last event of its channel that was
    not dropped so; dropped events do not prolong it.

    Conditional filter: each event on a trigger channel lets the next event of every filtered channel pass, one for
    each; others are dropped. A channel that is both is judged by the triggers before it; it triggers even if it is
    dropped here itself. Events dropped by the dead time do not trigger.

    Event divider: of the events that got so far, the n-th, the 2 n-th and so on pass.

    Overflow and error tags and missed events pass untouched and change no state: what was lost neither triggers,
    blocks nor counts.
    """

    def __init__(self, channels: Iterable[int] = (), deadtime: int = 0) -> None:
        self.triggers: tuple[int, ...] = ()
        self.filtered: tuple[int, ...] = ()
        self._index = ChannelIndex(channels)
        self._lanes = _neutral(len(self._index))
        self._lanes["deadtime"] = deadtime
        self._trigger_count: NDArray[np.int64] = np.zeros(1, np.int64)
        self._active = self._is_active()

    def deadtime(self, channel: int) -> int:
        """Dead time of a channel in ps."""
        return self._get(channel, "deadtime", 0)

    def set_deadtime(self, channel: int, deadtime: int) -> None:
        """Choose the dead time in ps that follows each later event."""
        self._set(channel, "deadtime", deadtime)

    def divider(self, channel: int) -> int:
        """Every how many events of a channel one passes."""
        return self._get(channel, "divider", 1)

    def set_divider(self, channel: int, divider: int) -> None:
        """Choose the divider; its count begins anew."""
        self._set(channel, "divider", divider)
        self._set(channel, "count", 0)

    def set_conditional_filter(self, triggers: Iterable[int], filtered: Iterable[int]) -> None:
        """Choose trigger and filtered channels; all filtered ones then wait for a trigger."""
        self.triggers, self.filtered = tuple(dict.fromkeys(triggers)), tuple(dict.fromkeys(filtered))
        self._lanes["trigger"] = self._lanes["filtered"] = False
        for channel in self.triggers:
            self._set(channel, "trigger", True)
        for channel in self.filtered:
            self._set(channel, "filtered", True)
        self._trigger_count[0] = 0
        self._lanes["opened"] = 0
        self._active = self._is_active()

    def push(self, block: TagBlock) -> TagBlock:
        """The block without the tags that are removed; the block itself when all pass."""
        if not self._active:
            return block
        index = self._index
        places = _sift(
            block.time, block.channel, block.type, index.table, index.first, self._lanes, self._trigger_count
        )
        return block if len(places) == len(block) else reorder(block, places)

    def _is_active(self) -> bool:
        lanes = self._lanes
        return bool(np.any((lanes["deadtime"] > 0) | lanes["filtered"] | (lanes["divider"] > 1)))

    def _get(self, channel: int, field: str, neutral: int) -> int:
        known = channel in self._index.channels
        return int(self._lanes[field][self._index.channels.index(channel)]) if known else neutral

    def _set(self, channel: int, field: str, value: int) -> None:
        if channel not in self._index.channels:
            self._index = ChannelIndex((*self._index.channels, channel))
            self._lanes = np.concatenate([self._lanes, _neutral(1)])
        self._lanes[field][self._index.channels.index(channel)] = value
        self._active = self._is_active()


def _neutral(count: int) -> NDArray[Any]:
    lanes = np.zeros(count, LANE)
    lanes["ready"], lanes["divider"] = TIME_MIN, 1
    return lanes


@kernel
def _sift(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    table: NDArray[np.int16],
    first: int,
    lanes: NDArray[Any],
    trigger_count: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Places of the tags that pass; state is carried in `lanes` and ``trigger_count[0]``."""
    places = np.empty(len(time), np.int64)
    count = 0
    size = len(table)
    plain = len(kind) == 0
    for i in range(len(time)):
        places[count] = i
        k = channel[i] - first
        if k < 0 or k >= size or table[k] < 0 or not (plain or kind[i] == TIME_TAG):
            count += 1
            continue
        lane = lanes[table[k]]
        if time[i] < lane.ready:
            continue
        lane.ready = time[i] + lane.deadtime
        passes = not lane.filtered or lane.opened < trigger_count[0]
        if passes:
            lane.opened = trigger_count[0]
            lane.count += 1
            passes = lane.count >= lane.divider
            if passes:
                lane.count = 0
        if lane.trigger:
            trigger_count[0] += 1
        count += passes
    return places[:count]
