"""How many photons a detector saw at once, from the edges of its pulse."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.simulation.numbers import reals

MAX_DEAD_TIME = 10**12
"""Longest dead time in ps; as long a stretch of the stream is held back."""

TIME_TAG = int(TagType.TimeTag)
OVERFLOW_BEGIN, OVERFLOW_END, ERROR = int(TagType.OverflowBegin), int(TagType.OverflowEnd), int(TagType.Error)

NONE_YET = -(2**63)


class PhotonNumber(VirtualChannelBase):
    """Sorts the pulses of a superconducting nanowire detector by the number of photons, onto a channel for each.

    Parameters
    ----------
    tagger
        Time Tagger object.
    trigger_ch
        Channel of the laser pulses.
    signal_start_ch
        Channel of the edge with which a detector pulse begins, usually rising.
    signal_stop_ch
        Channel of the edge with which it ends, usually falling.
    slope
        Common slope of the lines that separate the photon numbers; not 0.
    x_intercepts
        Where each line crosses the x axis in ps, in descending order.
    dead_time
        Dead time of the detector in ps, from 1 to 1e12.

    Notes
    -----
    A pulse is a point: x is the time from the latest trigger to its begin, y that to its end, in ps. More photons make
    it begin earlier and end later (Sauer et al., arXiv:2310.12472). Slid along `slope` to y = 0 the point comes to ``x
    - y / slope``; above the first intercept that is one photon, and one more for each intercept that is not below it.

    The tag has the time of the pulse's begin, and the stream is held back by the dead time to put it there. A begin
    within the dead time of the one before counts as ringing and is ignored, and so is a pulse without an end within the
    dead time, or without a trigger before. OverflowBegin, OverflowEnd and Error end what is pending and forget the
    trigger. Missed events change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        trigger_ch: int,
        signal_start_ch: int,
        signal_stop_ch: int,
        slope: float,
        x_intercepts: Sequence[float],
        dead_time: int,
    ) -> None:
        names = ("trigger_ch", "signal_start_ch", "signal_stop_ch")
        numbers = [
            require_tagger(tagger)._channel(c, n)
            for c, n in zip((trigger_ch, signal_start_ch, signal_stop_ch), names, strict=True)
        ]
        if len(set(numbers)) < 3:
            raise ArgumentError(f"trigger, start and stop are the channels {numbers}, but must be three")
        self._slope = real(slope, "slope")
        if self._slope == 0:
            raise ArgumentError("slope is 0, but lines along the x axis cannot separate photon numbers")
        lines = reals(x_intercepts, "x_intercepts")
        if any(a <= b for a, b in pairwise(lines)):
            raise ArgumentError(f"x_intercepts is {lines}, but must be in descending order")
        self._dead_time = integer(dead_time, "dead_time", 1, MAX_DEAD_TIME)
        params = dict(zip(names, numbers, strict=True)) | {"slope": self._slope, "x_intercepts": lines}
        super().__init__(tagger, numbers, params | {"dead_time": self._dead_time}, len(lines) + 1)
        self._roles: NDArray[np.int32] = np.array(numbers, np.int32)
        self._lines: NDArray[np.float64] = np.array(lines)
        self._numbers_out: NDArray[np.int32] = np.array(self._outputs, np.int32)
        self._state: NDArray[np.int64] = np.zeros(3, np.int64)
        self._launch()

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the channels for 1, 2, ... photons; the last one has everything above."""
        return self._outputs

    @property
    def _lookback(self) -> int:
        return self._dead_time

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._state[:] = NONE_YET, NONE_YET, 0

    def _generate(self, block: TagBlock) -> TagBlock | None:
        times, places = _resolve(
            block.time, block.channel, block.types, self._roles, self._slope, self._lines, self._dead_time, self._state
        )
        return TagBlock(block.begin, block.end, times, self._numbers_out[places])


@kernel
def _resolve(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    roles: NDArray[np.int32],
    slope: float,
    lines: NDArray[np.float64],
    dead_time: int,
    state: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begins of the resolved pulses, and how many lines each is beyond.

    `state` holds the times of the trigger of the present pulse and of its begin, whether it is open, and is carried on;
    a trigger within an open pulse belongs to the next one.
    """
    times, places = np.empty(len(time), np.int64), np.empty(len(time), np.int64)
    n = 0
    for i in range(len(time)):
        if kind[i] == OVERFLOW_BEGIN or kind[i] == OVERFLOW_END or kind[i] == ERROR:
            state[0], state[1], state[2] = NONE_YET, NONE_YET, 0
        if kind[i] != TIME_TAG:
            continue
        if channel[i] == roles[0]:
            state[0] = time[i]
        elif channel[i] == roles[1]:
            if state[1] == NONE_YET or time[i] - state[1] >= dead_time:
                state[1] = time[i]
                state[2] = 1
        elif channel[i] == roles[2] and state[2]:
            state[2] = 0
            if time[i] - state[1] <= dead_time and state[0] != NONE_YET:
                beyond = (state[1] - state[0]) - (time[i] - state[0]) / slope
                place = 0
                while place < len(lines) and beyond <= lines[place]:
                    place += 1
                times[n], places[n] = state[1], place
                n += 1
    return times[:n], places[:n]
