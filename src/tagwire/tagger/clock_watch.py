"""Watches the pulses per second of several servers: how well their clocks agree."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from tagwire.core.tags import Int64Array, TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError
from tagwire.network.offsets import ClockOffset, offset_from_pulses

MOST_PULSES = 1_000
"""Pulses of each server that are remembered, the latest ones."""


class ClockWatch(IteratorBase):
    """Remembers the latest pulses of some channels.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels of the pulses, that of the reference first.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int]) -> None:
        super().__init__(tagger, channels, {"channels": list(channels)})
        self._came = threading.Condition(self._lock)
        self._launch()

    def offsets(self, timeout: float) -> list[ClockOffset | None]:
        """Offset of the clock behind each channel but the first; waits at most `timeout` s for the first pulses."""
        deadline = time.monotonic() + timeout
        with self._came:
            while True:
                found = [self._offset(channel) for channel in self._inputs[1:]]
                left = deadline - time.monotonic()
                if all(found) or left <= 0:
                    return found
                self._came.wait(min(left, 0.1))

    def _offset(self, channel: int) -> ClockOffset | None:
        try:
            return offset_from_pulses(self._times(self._inputs[0]), self._times(channel), around=0)
        except ArgumentError:
            return None  # fewer than three pulses

    def _times(self, channel: int) -> Int64Array:
        return np.array(self._pulses[channel], np.int64)

    def _process(self, block: TagBlock) -> None:
        plain = block.types == TagType.TimeTag
        for channel, pulses in self._pulses.items():
            times = block.time[plain & (block.channel == channel)]
            pulses.extend(times[-MOST_PULSES:].tolist())
            if len(times):
                self._came.notify_all()

    def _reset(self) -> None:
        self._pulses = {channel: deque[int](maxlen=MOST_PULSES) for channel in self._inputs}
