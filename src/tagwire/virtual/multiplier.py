"""A channel with a multiple of another's frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, integer
from tagwire.core.tags import TIME_MAX, TagBlock, TagType
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)

Ints = NDArray[np.int64]


class FrequencyMultiplier(VirtualChannelBase):
    """A channel that fires several times for each event of a periodic signal, as after an event divider.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel with the periodic signal.
    multiplier
        Number of tags for each event, at least 1.

    Notes
    -----
    From the second event on, each event at t, the one before it at t - d, gives the tags t + k d / m for
    k = 0 ... m - 1, with the multiplier m; they are rounded down to a whole ps. The next event changes nothing about
    them, so where the period shrinks, tags of two events mix, always in order of time.

    Time tags are looked at. After OverflowBegin, OverflowEnd and Error the second event is waited for again, and tags
    that would lie at their time or later are not made, nor are those after `stop`. Missed events change nothing.
    """

    def __init__(self, tagger: TimeTaggerBase, input_channel: int, multiplier: int) -> None:
        self._input = require_tagger(tagger)._channel(input_channel, "input_channel")
        self._multiplier = integer(multiplier, "multiplier", 1, INT32_MAX)
        super().__init__(tagger, [self._input], {"input_channel": self._input, "multiplier": self._multiplier}, 1)
        self._latest: Ints = np.zeros(2, np.int64)
        self._launch()

    def getChannel(self) -> int:
        """Number of the new channel."""
        return self._outputs[0]

    def getMultiplier(self) -> int:
        """Number of tags for each event."""
        return self._multiplier

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._latest[:] = 0
        self._begins: Ints = np.empty(0, np.int64)
        self._periods: Ints = np.empty(0, np.int64)
        self._played: Ints = np.empty(0, np.int64)

    def _generate(self, block: TagBlock) -> TagBlock | None:
        begins, periods, ends = _run(
            block.time, block.channel, block.type, self._input, self._latest, self._begins, self._periods
        )
        played = np.append(self._played, np.zeros(len(begins) - len(self._played), np.int64))
        time = np.sort(_play(begins, periods, ends, played, self._multiplier, block.end), kind="stable")
        running = (ends == TIME_MAX) & (played < self._multiplier)
        self._begins, self._periods, self._played = begins[running], periods[running], played[running]
        return TagBlock(block.begin, block.end, time, np.full(len(time), self._outputs[0], np.int32))


@kernel
def _run(
    time: Ints,
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    source: int,
    latest: Ints,
    begins_before: Ints,
    periods_before: Ints,
) -> tuple[Ints, Ints, Ints]:
    """Begins and periods, those that run already first, and when a gap ended them.

    The latest event is carried in `latest`: whether there is one, and its time.
    """
    count = len(begins_before)
    begins = np.empty(count + len(time), np.int64)
    periods = np.empty(count + len(time), np.int64)
    begins[:count], periods[:count] = begins_before, periods_before
    ends = np.full(count + len(time), TIME_MAX)
    alive = 0
    for i in range(len(time)):
        if len(kind) and kind[i] != TIME_TAG:
            if kind[i] != MISSED_EVENTS:
                ends[alive:count] = time[i]
                alive = count
                latest[0] = 0
        elif channel[i] == source:
            if latest[0]:
                begins[count], periods[count] = time[i], time[i] - latest[1]
                count += 1
            latest[0], latest[1] = 1, time[i]
    return begins[:count], periods[:count], ends[:count]


@kernel
def _play(begins: Ints, periods: Ints, ends: Ints, played: Ints, multiplier: int, now: int) -> Ints:
    """Times of the tags of each period before its end and before `now`, from number `played` on."""
    total = 0
    upto = np.empty(len(begins), np.int64)
    for p in range(len(begins)):
        upto[p] = max(played[p], _reached(periods[p], multiplier, min(ends[p], now) - begins[p]))
        total += upto[p] - played[p]
    time = np.empty(total, np.int64)
    count = 0
    for p in range(len(begins)):
        for n in range(played[p], upto[p]):
            time[count] = begins[p] + _part(periods[p], n, multiplier)
            count += 1
        played[p] = upto[p]
    return time


@kernel
def _reached(period: int, multiplier: int, span: int) -> int:
    """How many of the tags of a period lie before `span` ps after its begin."""
    low, high = 0, multiplier
    while low < high:
        middle = (low + high) // 2
        if _part(period, middle, multiplier) < span:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _part(period: int, n: int, multiplier: int) -> int:
    """``period * n // multiplier`` without the large product."""
    return n * (period // multiplier) + n * (period % multiplier) // multiplier
