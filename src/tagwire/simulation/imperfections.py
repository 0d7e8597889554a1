"""What a detector and its wires do to events: losing them, moving them, being blind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import real
from tagwire.core.tags import TagBlock, reorder
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel
from tagwire.simulation.generator import PS_PER_S
from tagwire.simulation.seeds import FROM_TIME, Seed
from tagwire.simulation.transform import Transform, lost, moved
from tagwire.sources.draws import gaussian, uniform

LONGEST = 1e3
"""Longest dead time, delay or decay in s."""

WIDEST = 1e-3
"""Largest standard deviation in s; five times as long a stretch of the stream is held back."""

SIGMAS = 5.0
"""How many standard deviations an event moves at most."""

NONE_YET = -(2**63)
"""Stands for the time of an event that has not been."""


class TransformEfficiency(Transform):
    """Loses events at random.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to transform.
    efficiency
        Probability of an event to stay, from 0 to 1.
    copy
        Put the result on a new channel instead of the input itself.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    Each of some missed events stays with the same probability; of those that are all lost the tag goes as well. Tags of
    other types stay.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        efficiency: float,
        copy: bool = False,
        seed: int = FROM_TIME,
    ) -> None:
        require_tagger(tagger)
        self._efficiency = real(efficiency, "efficiency", 0.0, 1.0)
        self._seed = Seed(seed)
        self._random = self._seed.generator()
        super().__init__(tagger, input_channel, {"efficiency": self._efficiency}, copy)
        self._launch()

    def _reset(self) -> None:
        self._random = self._seed.generator()

    def _transformed(self, block: TagBlock, places: NDArray[np.intp]) -> TagBlock:
        missed = lost(block, places)
        kept = _thinned(missed, self._efficiency, self._random)
        stay = reorder(block, places[kept])
        if stay.plain:
            return stay
        return TagBlock(stay.begin, stay.end, stay.time, stay.channel, stay.type, missed[kept])


class TransformDeadtime(Transform):
    """Drops events that follow too closely.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to transform.
    deadtime
        Shortest distance between two events in s, from 0 to 1000; rounded to ps.
    copy
        Put the result on a new channel instead of the input itself.

    Notes
    -----
    Not paralysable: dropped events do not prolong the dead time (Knoll, Radiation Detection and Measurement, ch. 4).
    The state is forgotten when the transformation is stopped or cleared. Missed events stay and begin no dead time;
    tags of other types change nothing.
    """

    def __init__(self, tagger: TimeTaggerBase, input_channel: int, deadtime: float, copy: bool = False) -> None:
        require_tagger(tagger)
        span = real(deadtime, "deadtime", 0.0, LONGEST)
        self._deadtime = round(span * PS_PER_S)
        self._last: NDArray[np.int64] = np.full(1, NONE_YET, np.int64)
        super().__init__(tagger, input_channel, {"deadtime": span}, copy)
        self._launch()

    def _forget(self) -> None:
        self._last[0] = NONE_YET

    def _transformed(self, block: TagBlock, places: NDArray[np.intp]) -> TagBlock:
        times = block.time[places]
        return reorder(block, places[_apart(times, lost(block, places), self._deadtime, self._last)])


class TransformGaussianBroadening(Transform):
    """Moves each event by a Gaussian error.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to transform.
    standard_deviation
        Standard deviation of the error in s, from 0 to 1e-3. Errors end at five times as much.
    copy
        Put the result on a new channel instead of the input itself.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    The stream is held back by five standard deviations for everything created afterwards. Events that move before its
    begin are dropped. Missed events and tags of other types stay where they are.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        standard_deviation: float,
        copy: bool = False,
        seed: int = FROM_TIME,
    ) -> None:
        require_tagger(tagger)
        width = real(standard_deviation, "standard_deviation", 0.0, WIDEST)
        self._width = width * PS_PER_S
        self._seed = Seed(seed)
        self._random = self._seed.generator()
        super().__init__(tagger, input_channel, {"standard_deviation": width}, copy)
        self._launch()

    @property
    def _lookback(self) -> int:
        return math.ceil(SIGMAS * self._width)

    def _reset(self) -> None:
        self._random = self._seed.generator()

    def _transformed(self, block: TagBlock, places: NDArray[np.intp]) -> TagBlock:
        return moved(block, places, _errors(lost(block, places), self._width, self._random))


class TransformCrosstalk(Transform):
    """Delays events that follow closely on one of another channel.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to transform.
    relay_input_channel
        Channel whose events cause the delays.
    delay
        Delay in s right after such an event, from 0 to 1000.
    tau
        Time in s, above 0 and up to 1000, in which the effect falls to 1/e.
    copy
        Put the result on a new channel instead of the input itself.

    Notes
    -----
    An event at the time t is delayed by ``delay * exp(-(t - r) / tau)``, rounded to ps, where r is the time of the
    latest event of the relay channel ahead of it in the stream. What was ahead is forgotten when the transformation is
    stopped or cleared. Missed events stay where they are; those of the relay channel have no effect. Tags of other
    types change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        relay_input_channel: int,
        delay: float,
        tau: float,
        copy: bool = False,
    ) -> None:
        self._relay = require_tagger(tagger)._channel(relay_input_channel, "relay_input_channel")
        longest, decay = real(delay, "delay", 0.0, LONGEST), real(tau, "tau", 1e-12, LONGEST)
        self._effect = longest * PS_PER_S, decay * PS_PER_S
        self._last: NDArray[np.int64] = np.full(1, NONE_YET, np.int64)
        params: dict[str, Any] = {"relay_input_channel": self._relay, "delay": longest, "tau": decay}
        super().__init__(tagger, input_channel, params, copy, (self._relay,))
        self._launch()

    def _forget(self) -> None:
        self._last[0] = NONE_YET

    def _transformed(self, block: TagBlock, places: NDArray[np.intp]) -> TagBlock:
        shift = _pulled(block.time, block.channel, block.types, self._input, self._relay, *self._effect, self._last)
        return moved(block, places, shift[places])


@kernel
def _thinned(missed: NDArray[np.uint16], efficiency: float, random: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Which tags stay; the numbers of missed events are thinned in place."""
    kept = np.empty(len(missed), np.int64)
    n = 0
    for i in range(len(missed)):
        stay = 0
        for _ in range(max(1, int(missed[i]))):
            stay += 1.0 - uniform(random) < efficiency
        if missed[i] > 0:
            missed[i] = stay
        kept[n] = i
        n += stay > 0
    return kept[:n]


@kernel
def _apart(
    times: NDArray[np.int64], missed: NDArray[np.uint16], deadtime: int, last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which tags stay: those at least `deadtime` after the last that did, and missed events."""
    kept = np.empty(len(times), np.int64)
    n = 0
    for i in range(len(times)):
        if missed[i] > 0:
            kept[n] = i
            n += 1
        elif last[0] == NONE_YET or times[i] - last[0] >= deadtime:
            last[0] = times[i]
            kept[n] = i
            n += 1
    return kept[:n]


@kernel
def _errors(missed: NDArray[np.uint16], width: float, random: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Gaussian errors in ps, none for missed events."""
    out = np.zeros(len(missed), np.int64)
    for i in range(len(missed)):
        if missed[i] == 0:
            out[i] = math.floor(width * min(max(gaussian(random), -SIGMAS), SIGMAS) + 0.5)
    return out


@kernel
def _pulled(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    pulled: int,
    relay: int,
    delay: float,
    tau: float,
    last: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Delay of each tag in ps; ``last[0]`` is the time of the latest event of the relay channel."""
    out = np.zeros(len(time), np.int64)
    for i in range(len(time)):
        if kind[i] != 0:
            continue
        if channel[i] == pulled and last[0] != NONE_YET:
            out[i] = math.floor(delay * math.exp(-(time[i] - last[0]) / tau) + 0.5)
        if channel[i] == relay:
            last[0] = time[i]
    return out
