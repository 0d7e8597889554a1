"""A signal that was written down beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tagwire.core.arguments import boolean, integer
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TIME_MAX, Int64Array
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.simulation.generator import SignalGeneratorBase

MAX_PS = 10**18
"""Longest pattern, delay or spacing in ps."""


class PatternSignalGenerator(SignalGeneratorBase):
    """Tags at given distances, once or for ever.

    Parameters
    ----------
    tagger
        Time Tagger object.
    sequence
        Distance of each tag from the one before in ps, at least 0; the first one counts from the begin of the pattern.
    repeat
        Whether to go on with the pattern for ever; else it comes once.
    start_delay
        Time from the start of the generator to the first pattern in ps.
    spacing
        Time from the last tag of a pattern to the begin of the next in ps.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.

    Raises
    ------
    ArgumentError
        (ValueError) The sequence is empty, or a pattern that repeats has no length.

    Examples
    --------
    >>> import numpy as np
    >>> from tagwire.core.tags import TagBlock
    >>> from tagwire.testing.stepped import SteppedTagger
    >>> from tagwire.testing.tap import Tap
    >>> tagger = SteppedTagger(TagBlock.empty(0, 100))
    >>> pattern = PatternSignalGenerator(tagger, [10, 5], spacing=20)
    >>> tap = Tap(tagger)
    >>> tagger.play()
    >>> [time for time, *_ in tap.rows()]
    [10, 15, 45, 50, 80, 85]
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        sequence: Sequence[int],
        repeat: bool = True,
        start_delay: int = 0,
        spacing: int = 0,
        base_channel: int = CHANNEL_UNUSED,
    ) -> None:
        distances = _distances(sequence)
        self._repeat = boolean(repeat, "repeat")
        self._delay = integer(start_delay, "start_delay", 0, MAX_PS)
        gap = integer(spacing, "spacing", 0, MAX_PS)
        self._period = sum(distances) + gap
        if self._repeat and self._period == 0:
            raise ArgumentError("sequence and spacing are all 0 ps, but a pattern that repeats must have a length")
        params = {"sequence": distances, "repeat": self._repeat, "start_delay": self._delay, "spacing": gap}
        super().__init__(tagger, params, base_channel, 0)
        self._offsets: Int64Array = np.cumsum(np.array(distances, np.int64))
        self._origin = 0
        self._made = 0
        self._launch()

    def _begin_signal(self, begin: int) -> None:
        self._origin = min(begin + self._delay, TIME_MAX)
        self._made = 0

    def _times(self, end: int) -> Int64Array:
        places = np.arange(self._made, max(self._made, self._count(end - 1 - self._origin)))
        self._made += len(places)
        rounds, place = np.divmod(places, len(self._offsets))
        return self._origin + rounds * self._period + self._offsets[place]

    def _count(self, last: int) -> int:
        """Number of tags up to and with `last` ps after the origin."""
        if last < 0:
            return 0
        if not self._repeat:
            return int(np.searchsorted(self._offsets, last, "right"))
        rounds, rest = divmod(last, self._period)
        return rounds * len(self._offsets) + int(np.searchsorted(self._offsets, rest, "right"))


def _distances(sequence: Sequence[int]) -> list[int]:
    if isinstance(sequence, str | bytes) or not hasattr(sequence, "__iter__"):
        raise ArgumentKindError(f"sequence must be a sequence of integers, not {sequence!r}")
    distances = [integer(d, f"sequence[{i}]", 0, MAX_PS) for i, d in enumerate(sequence)]
    if not distances:
        raise ArgumentError("sequence is empty, but must have at least one distance")
    if sum(distances) > MAX_PS:
        raise ArgumentError(f"sequence is {sum(distances)} ps long, but must not be longer than {MAX_PS} ps")
    return distances
