"""Channels that tell when a count rate crosses a threshold."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, nan

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.core.tags import TagBlock
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.virtual.countrate_kernel import (
    ABOVE,
    BELOW,
    HEAD,
    SINCE,
    STATE,
    STATE_SIZE,
    TAIL,
    UNKNOWN,
    find_crossings,
)

PS_PER_S = 10**12
COUNT_MAX = 2**62
RATE_MAX = 1e15
"""Largest rate in Hz, far beyond one event for each ps."""

Ints = NDArray[np.int64]


class TriggerOnCountrate(VirtualChannelBase):
    """Two channels: one fires when a count rate rises to a threshold, the other when it falls to another.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel whose rate is watched.
    reference_countrate
        Middle of the two thresholds in Hz, from 0 to 1e15.
    hysteresis
        The upper threshold is the reference plus this, the lower one the reference minus this; in Hz, from 0 to 1e15.
    time_window
        Time in ps over which events are counted, at least 1.

    Notes
    -----
    The rate at time t is the number of events after ``t - time_window`` and up to t, this time included, divided by
    `time_window`. Where the state is below and the rate reaches the upper threshold or more, the above channel fires,
    which is always at an event; where the state is above and the rate falls to the lower threshold or less, the below
    channel fires, which is always when an event leaves the window. Events that come and leave at the same time are
    looked at together. Thresholds are compared exactly, without rounding.

    The state is known once `time_window` has passed since the beginning of the capture: it is above if the rate is the
    reference or more, and the channel of the state fires at that time.

    Time tags are counted. OverflowBegin, OverflowEnd and Error make the state unknown. It is known again, and told
    again by a tag, when `time_window` has passed without another of them, after an OverflowBegin only from its
    OverflowEnd on. Missed events change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        reference_countrate: float,
        hysteresis: float,
        time_window: int,
    ) -> None:
        self._input = require_tagger(tagger)._channel(input_channel, "input_channel")
        reference = real(reference_countrate, "reference_countrate", 0, RATE_MAX)
        band = real(hysteresis, "hysteresis", 0, RATE_MAX)
        self._window = integer(time_window, "time_window", 1, DELAY_MAX)
        self._thresholds = _thresholds(Fraction(reference), Fraction(band), self._window)
        params = {
            "input_channel": self._input,
            "reference_countrate": reference,
            "hysteresis": band,
            "time_window": self._window,
        }
        super().__init__(tagger, [self._input], params, 2)
        self._state: Ints = np.zeros(STATE_SIZE, np.int64)
        self._launch()

    def getChannelAbove(self) -> int:
        """Number of the channel that fires when the rate has risen to the upper threshold."""
        return self._outputs[0]

    def getChannelBelow(self) -> int:
        """Number of the channel that fires when the rate has fallen to the lower threshold."""
        return self._outputs[1]

    def getChannels(self) -> tuple[int, ...]:
        """Both numbers, above first."""
        return self._outputs

    def isAbove(self) -> bool:
        """Whether the state is above; False as well while it is unknown."""
        with self._lock:
            return int(self._state[STATE]) == ABOVE

    def isBelow(self) -> bool:
        """Whether the state is below; False as well while it is unknown."""
        with self._lock:
            return int(self._state[STATE]) == BELOW

    def getCurrentCountrate(self) -> float:
        """Rate in Hz over the last `time_window` of the stream; NaN while the state is unknown."""
        with self._lock:
            known = int(self._state[STATE]) != UNKNOWN
            return int(self._state[TAIL] - self._state[HEAD]) * PS_PER_S / self._window if known else nan

    def injectCurrentState(self) -> bool:
        """Let the channel of the present state fire once more, where the stream stands now.

        Does not wait for anything.

        Returns
        -------
        bool
            Whether it will: not while the state is unknown or nothing is captured.
        """
        with self._lock:
            state = int(self._state[STATE])
            if not self._running or state == UNKNOWN:
                return False
            self._injected.append(state)
            return True

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._state[:] = 0
        self._recent: Ints = np.empty(0, np.int64)
        self._injected: list[int] = []
        self._begun = False

    def _generate(self, block: TagBlock) -> TagBlock | None:
        if not self._begun:
            self._begun, self._state[SINCE] = True, block.begin
        self._make_room(len(block))
        time, state = find_crossings(
            block.end,
            block.time,
            block.channel,
            block.type,
            self._input,
            self._window,
            *self._thresholds,
            self._recent,
            self._state,
        )
        time = np.append(np.full(len(self._injected), block.begin), time)
        state = np.append(np.array(self._injected, np.int64), state)
        self._injected = []
        channel = np.where(state == ABOVE, *self._outputs).astype(np.int32)
        return TagBlock(block.begin, block.end, time, channel)

    def _make_room(self, count: int) -> None:
        """Room for `count` more events behind those in the window, which move to the front."""
        head, tail = int(self._state[HEAD]), int(self._state[TAIL])
        if tail + count <= len(self._recent):
            return
        live = self._recent[head:tail].copy()
        if 2 * (len(live) + count) > len(self._recent):
            self._recent = np.empty(4 * (len(live) + count), np.int64)
        self._recent[: len(live)] = live
        self._state[HEAD], self._state[TAIL] = 0, len(live)


def _thresholds(reference: Fraction, band: Fraction, window: int) -> tuple[int, int, int]:
    """Counts within the window: least that is above, least that reaches the upper, most that is at the lower one."""
    scale = Fraction(window, PS_PER_S)
    counts = ceil(reference * scale), ceil((reference + band) * scale), floor((reference - band) * scale)
    return min(counts[0], COUNT_MAX), min(counts[1], COUNT_MAX), max(-1, min(counts[2], COUNT_MAX))
