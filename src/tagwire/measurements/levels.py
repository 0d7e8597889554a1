"""Which level inputs are at, as their rising and falling edges tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import Int64Array, TagType, UInt8Array
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.kernel import kernel

UNKNOWN, HIGH, LOW = 0, 1, 2
"""The vendor's numbers for the level of an input."""

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)


class Levels:
    """The level of some channels: high from a tag on the channel on, low from a tag on its inverted channel on.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels of it. Of a falling edge the level is that of the inverted signal.

    Attributes
    ----------
    edges : tuple of int
        All channels that are read: both edges of each input.
    index : ChannelIndex
        Places of the edges.
    signals : ndarray of int64
        Number of the input of each edge.
    levels : ndarray of uint8
        Level of the input after each edge.
    now : ndarray of uint8
        Present level of each input.
    columns : ndarray of int64
        Number of the input of each channel.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int]) -> None:
        level_after: dict[int, tuple[int, int]] = {}
        for channel in channels:
            if channel not in level_after:
                number = len({signal for signal, _ in level_after.values()})
                level_after[channel] = number, HIGH
                level_after[tagger.getInvertedChannel(channel)] = number, LOW
                level_after.pop(CHANNEL_UNUSED, None)
        self.edges = tuple(level_after)
        self.index = ChannelIndex(self.edges)
        self.signals: Int64Array = np.array([signal for signal, _ in level_after.values()], np.int64)
        self.levels: UInt8Array = np.array([level for _, level in level_after.values()], np.uint8)
        self.now: UInt8Array = np.zeros(int(self.signals.max()) + 1, np.uint8)
        self.columns: Int64Array = np.array([level_after[c][0] for c in channels], np.int64)
        self._inverted: NDArray[np.bool_] = np.array([level_after[c][1] == LOW for c in channels])

    def seen(self, levels: UInt8Array) -> UInt8Array:
        """Levels of inputs as levels of the channels; the last axis runs over them."""
        mine = levels[..., self.columns]
        return np.where(self._inverted & (mine != UNKNOWN), HIGH + LOW - mine, mine).astype(np.uint8)

    def seen_by(self, column: int, levels: UInt8Array) -> UInt8Array:
        """Levels of the input of one channel as levels of the channel."""
        return np.where(self._inverted[column] & (levels != UNKNOWN), HIGH + LOW - levels, levels).astype(np.uint8)

    def forget(self) -> None:
        """No level is known any more."""
        self.now[:] = UNKNOWN


@kernel
def change(kind: int | np.int64, place: int, signals: Int64Array, levels: UInt8Array) -> tuple[np.int64, np.int64]:
    """What a tag does: the input (-1: all, -2: none) and its new level.

    `place` is that of its channel among the edges, or -1.
    """
    if kind == TIME_TAG:
        return (signals[place], np.int64(levels[place])) if place >= 0 else (np.int64(-2), np.int64(UNKNOWN))
    if kind == MISSED_EVENTS:
        return (signals[place], np.int64(UNKNOWN)) if place >= 0 else (np.int64(-2), np.int64(UNKNOWN))
    return np.int64(-1), np.int64(UNKNOWN)
