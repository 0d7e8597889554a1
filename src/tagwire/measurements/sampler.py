"""Levels of inputs, sampled at triggers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import VALUES_MAX, integer
from tagwire.core.arrays import Int64Array2D
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt8Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.measurements.levels import TIME_TAG, Levels, change

CHANNELS_MAX = 63
"""Most channels; in a mask each has a bit, and one is left for those that are unknown."""

SAMPLED = np.array([2, 1, 0], np.int64)
"""The sampled number of each level: low 0, high 1, unknown 2."""

UNDEFINED = -(2**63)
"""Bit 63 of a mask."""


Samples = tuple[Int64Array, UInt8Array]
"""Times of triggers, and the level of each input at them."""


class Sampler(IteratorBase):
    """The levels of channels at each tag of a trigger channel.

    Parameters
    ----------
    tagger
        Time Tagger object.
    trigger
        Channel of the triggers.
    channels
        Channels to sample, at most 63.
    max_triggers
        Number of triggers that are kept until they are fetched, 1 to 2**27.

    Notes
    -----
    A channel is high from a tag on it on, and low from a tag on its inverted channel on; before the first of them its
    level is unknown. Of a falling edge (a negative channel) that is the level of the inverted signal; a channel without
    an inverted one, such as a virtual channel, stays high. Edges at the very time of a trigger count as before it.

    Overflow begin, overflow end and error tags, and a pause of the capture, make all levels unknown; missed events that
    of their input. When `max_triggers` are kept, further triggers are dropped until some are fetched.
    """

    _parts: list[Samples]

    def __init__(self, tagger: TimeTaggerBase, trigger: int, channels: Sequence[int], max_triggers: int) -> None:
        owner = require_tagger(tagger)
        self._trigger = owner._channel(trigger, "trigger")
        numbers = owner._channels(channels, "channels")
        if len(numbers) > CHANNELS_MAX:
            raise ArgumentError(f"channels has {len(numbers)} values, but must have within [1, {CHANNELS_MAX}]")
        self._room = integer(max_triggers, "max_triggers", 1, VALUES_MAX)
        self._levels = Levels(owner, numbers)
        params = {"trigger": self._trigger, "channels": numbers, "max_triggers": self._room}
        super().__init__(owner, [self._trigger, *self._levels.edges], params)
        self._launch()

    def getData(self) -> Int64Array2D:
        """Take out what is kept: trigger time in ps and level of each channel, int64, shape (triggers, channels + 1).

        0 is low, 1 high, 2 unknown.
        """
        times, levels = self._take()
        return np.column_stack([times, SAMPLED[levels]])

    def getDataAsMask(self) -> Int64Array2D:
        """Take out what is kept: trigger time in ps and a mask of the channels, int64, shape (triggers, 2).

        Bit k is set while channel k is high, and bit 63, which makes the number negative, while any is unknown.
        """
        times, levels = self._take()
        bits = np.left_shift(np.int64(1), np.arange(levels.shape[1], dtype=np.int64))
        masks = ((SAMPLED[levels] == 1) * bits).sum(axis=1, dtype=np.int64)
        unknown = (SAMPLED[levels] == 2).any(axis=1)
        return np.column_stack([times, np.where(unknown, masks | np.int64(UNDEFINED), masks)])

    def _take(self) -> Samples:
        """Times and levels of the channels, which are kept no longer."""
        with self._lock:
            parts, self._parts, self._kept = self._parts, [], 0
        times = np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)])
        inputs = np.concatenate([np.empty((0, len(self._levels.now)), np.uint8), *(part[1] for part in parts)])
        return times, self._levels.seen(inputs)

    def _process(self, block: TagBlock) -> None:
        size = min(self._room - self._kept, int(np.count_nonzero(block.channel == self._trigger)))
        times: Int64Array = np.empty(size, np.int64)
        rows: UInt8Array = np.empty((size, len(self._levels.now)), np.uint8)
        known = self._levels
        index = known.index
        size = _sample(
            block.time,
            block.channel,
            block.type,
            self._trigger,
            index.table,
            index.first,
            known.signals,
            known.levels,
            known.now,
            times,
            rows,
        )
        if size:
            self._parts.append((times[:size], rows[:size]))
            self._kept += size

    def _forget(self) -> None:
        self._levels.forget()

    def _reset(self) -> None:
        self._forget()
        self._parts = []
        self._kept = 0


@kernel
def _sample(
    time: Int64Array,
    channel: Int32Array,
    kind: UInt8Array,
    trigger: int,
    table: NDArray[np.int16],
    first: int,
    signals: Int64Array,
    levels: UInt8Array,
    now: UInt8Array,
    times: Int64Array,
    rows: UInt8Array,
) -> int:
    """Follow the levels, and note them at triggers while there is room; gives the number of triggers noted."""
    size = i = 0
    while i < len(time):
        moment, triggers = time[i], 0
        while i < len(time) and time[i] == moment:
            type_ = np.int64(kind[i]) if len(kind) else TIME_TAG
            triggers += channel[i] == trigger and type_ == TIME_TAG
            k = channel[i] - first
            place = table[k] if 0 <= k < len(table) else -1
            signal, level = change(type_, place, signals, levels)
            if signal >= 0:
                now[signal] = level
            elif signal == -1:
                now[:] = level
            i += 1
        for _ in range(min(triggers, len(times) - size)):
            times[size] = moment
            rows[size] = now
            size += 1
    return size
