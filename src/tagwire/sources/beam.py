"""What reaches some inputs together: one light, its detectors, and the inputs' own jitter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagwire.sources.draws import generator
from tagwire.sources.grid import CELL, MARGIN, derive
from tagwire.sources.kernels import blind, merged, smear
from tagwire.sources.light import Light

PULSE_WIDTH = 10_000
"""Width in ps of every electrical pulse: a falling edge comes so much later than its rising edge."""

SETTLED = 1_000
"""Larger than any jitter of an input, in ps."""

LONG_AGO = -(2**62)
_JITTER = 3

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Illumination:
    """A light on channels since a stream time in ps; `channels` is what `Light.outputs` gave."""

    light: Light
    channels: tuple[int, ...]
    since: int


class Beam:
    """The tags of some channels of one illumination, window by window.

    Window ``k`` holds the pulses from `MARGIN` before cell ``k`` to `MARGIN` before its end, which are caused by the
    cells ``k`` and ``k - 1`` alone. Of memoryless light it holds the pulses of cell ``k``, which lie within it.

    Parameters
    ----------
    illumination
        The light and all channels it falls on.
    taps
        Which of their channels, rising or falling, are asked for.
    seed
        Seed of the simulation.
    jitter_rms
        Jitter of each input in ps, independent between edges and channels.
    window
        The first window to give.
    """

    def __init__(
        self, illumination: Illumination, taps: Sequence[int], seed: int, jitter_rms: float, window: int
    ) -> None:
        self._lit = illumination
        self._taps = tuple(taps)
        self._seed = seed
        self._rms = jitter_rms
        self._window = window
        channels = illumination.channels
        self._dead_times = illumination.light.dead_times(channels)
        self._needed = [c in taps or -c in taps for c in channels]
        self._caused = (window - 1, self._cause(window - 1))
        self._last = self._last_clicks(window)

    @property
    def unsettled(self) -> int:
        """How long before the end of the latest window in ps tags of the next one may still come."""
        still = self._lit.light.memoryless and min(self._taps) > 0
        return 0 if still else MARGIN + SETTLED

    def advance(self) -> dict[int, Times]:
        """Sorted tags of the next window for each tap; they may lie a little outside of it."""
        window = self._window
        self._window += 1
        pulses = self._filtered(self._raw(window))
        return {tap: self._digitised(tap, pulses[self._lit.channels.index(abs(tap))], window) for tap in self._taps}

    def _digitised(self, tap: int, pulses: Times, window: int) -> Times:
        rms = self._rms
        if self._lit.light.memoryless:
            # Jitter leaves a Poisson process one, so rising edges need none of their own. A falling edge then lies from
            # its rising one by two jitters, as it always does.
            if tap > 0:
                return pulses
            rms *= math.sqrt(2.0)
        state = generator(derive(self._seed, _JITTER, tap, window))
        return smear(state, pulses, PULSE_WIDTH if tap < 0 else 0, rms)

    def _cause(self, cell: int) -> list[Times]:
        return self._lit.light.clicks(self._seed, cell, self._lit.channels, self._needed)

    def _raw(self, window: int) -> list[Times]:
        """Clicks within a window and since the illumination began, before dead time."""
        if self._lit.light.memoryless:
            return [times[np.searchsorted(times, self._lit.since) :] for times in self._cause(window)]
        cell, before = self._caused
        if cell != window - 1:
            before = self._cause(window - 1)
        now = self._cause(window)
        self._caused = (window, now)
        begin, end = _span(window)
        return [_between(a, b, max(begin, self._lit.since), end) for a, b in zip(before, now, strict=True)]

    def _filtered(self, raw: list[Times]) -> list[Times]:
        out = []
        for place, (times, dead_time) in enumerate(zip(raw, self._dead_times, strict=True)):
            passed = blind(times, self._last[place], dead_time) if dead_time else times
            if len(passed):
                self._last[place] = int(passed[-1])
            out.append(passed)
        return out

    def _last_clicks(self, window: int) -> list[int]:
        """The latest click of each detector before `window`.

        Goes back to a window in which every detector has had a gap as long as its dead time: what it lets through
        after that does not depend on anything before.
        """
        self._last = [LONG_AGO] * len(self._dead_times)
        start = window
        while any(self._dead_times) and _span(start)[0] > self._lit.since:
            start -= 1
            if self._forgets(self._raw(start), start):
                break
        for earlier in range(start, window):
            self._filtered(self._raw(earlier))
        return self._last

    def _forgets(self, raw: list[Times], window: int) -> bool:
        begin, end = _span(window)
        return all(
            np.diff(times, prepend=begin, append=end).max() >= dead_time
            for times, dead_time in zip(raw, self._dead_times, strict=True)
        )


def _span(window: int) -> tuple[int, int]:
    """Begin and end of a window in ps."""
    return window * CELL - MARGIN, (window + 1) * CELL - MARGIN


def _between(before: Times, now: Times, begin: int, end: int) -> Times:
    """The part of both within ``[begin, end)``, sorted."""
    late = before[np.searchsorted(before, begin) : np.searchsorted(before, end)]
    soon = now[np.searchsorted(now, begin) : np.searchsorted(now, end)]
    return merged(late, soon)
