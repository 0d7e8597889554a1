"""Delays per channel: tags are shifted, and the stream is put back in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock, TagType, in_order, merge, retime
from tagwire.engine.backlog import Backlog
from tagwire.kernel import kernel

DELAY_MAX = 10**18
"""Largest magnitude of any delay in ps (11.6 days)."""

TIME_TAG = int(TagType.TimeTag)


class DelayStage:
    """Shifts the time tags of some channels.

    Attributes
    ----------
    late : int
        Time tags that were dropped because their shifted time had been given out already.

    Notes
    -----
    Blocks go in at ``[begin, end)`` and come out up to ``end`` less the most negative delay, since a later tag may
    still be shifted there; nothing more is held back than what lies beyond. Tags of equal time keep the order in which
    they came in. Overflow and error tags and missed events are never shifted and never dropped.

    A time tag is dropped only where it would lie before the stream's begin, or, after a delay was reduced, in time
    that has been given out. Tags shifted beyond the end of the stream come with `flush`.
    """

    def __init__(self) -> None:
        self.late = 0
        self._delays: dict[int, int] = {}
        self._index = ChannelIndex(())
        self._shifts: NDArray[np.int64] = np.empty(0, np.int64)
        self._held = Backlog()
        self._position = 0
        self._end = 0
        self._started = False

    def get(self, channel: int) -> int:
        """Delay of a channel in ps."""
        return self._delays.get(channel, 0)

    def set(self, channel: int, delay: int) -> None:
        """Choose the delay in ps for all later tags of a channel."""
        others = {c: d for c, d in self._delays.items() if c != channel}
        self._set({**others, channel: delay} if delay else others)

    def clear(self) -> None:
        """Delay no later tag."""
        self._set({})

    def _set(self, delays: dict[int, int]) -> None:
        self._delays = delays
        self._index = ChannelIndex(self._delays)
        self._shifts = np.array(list(self._delays.values()), np.int64)

    def push(self, block: TagBlock) -> TagBlock:
        """Take the next block; give what is now complete."""
        if not self._started:
            self._started, self._position = True, block.begin
        self._end = block.end
        if not self._delays and not self._held:
            ready = retime(block, self._position, block.end) if self._position != block.begin else block
            self._position = block.end
            return ready
        self._held.add(self._on_time(self._shifted(block)))
        return self._release(max(self._position, block.end + min(0, 0, *self._delays.values())))

    def flush(self) -> TagBlock:
        """Give all that is held at the end of the stream; a block pushed later begins a new stream."""
        self._started = False
        return self._release(max(self._position, self._end, self._held.end))

    def _shifted(self, block: TagBlock) -> TagBlock:
        time = _shift(block.time, block.channel, block.type, self._index.table, self._index.first, self._shifts)
        return TagBlock(block.begin, block.end, time, block.channel, block.type, block.missed)

    def _on_time(self, shifted: TagBlock) -> TagBlock:
        """The tags in order, without those before the present position."""
        late, rest = retime(in_order(shifted), TIME_MIN, TIME_MAX).split(self._position)
        self.late += len(late)
        return rest

    def _release(self, watermark: int) -> TagBlock:
        begin, self._position = self._position, watermark
        return merge(begin, watermark, self._held.take(watermark))


@kernel
def _shift(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    table: NDArray[np.int16],
    first: int,
    shifts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Times with the shift of each time tag's channel added."""
    shifted = np.empty_like(time)
    size = len(table)
    plain = len(kind) == 0
    for i in range(len(time)):
        k = channel[i] - first
        moves = 0 <= k < size and table[k] >= 0 and (plain or kind[i] == TIME_TAG)
        shifted[i] = time[i] + (shifts[table[k]] if moves else 0)
    return shifted
