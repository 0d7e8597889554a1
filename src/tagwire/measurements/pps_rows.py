"""From pulses to rows: which pulse belongs to which second, and which is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan, nan


@dataclass(slots=True)
class PulseRow:
    """One second: index, offsets in ps (NaN where a pulse is missing), and the computer's time in s since 1970."""

    index: int
    reference: float
    signals: list[float]
    utc: float

    @property
    def complete(self) -> bool:
        """Whether every pulse was there."""
        return not isnan(self.reference) and not any(map(isnan, self.signals))


@dataclass(slots=True)
class PulseSorter:
    """Sorts pulses in order of time into rows.

    Parameters
    ----------
    signals
        Signal channels.
    period
        Expected distance of reference pulses in ps.
    done
        Called with each complete row.
    now
        The computer's time.
    """

    signals: Sequence[int]
    period: int
    done: Callable[[PulseRow], None]
    now: Callable[[], float]
    index: int = -1  # of the last row
    _due: int | None = None  # where its reference pulse was, or should have been; None after a gap
    _seen: tuple[int, int] | None = None  # index and time of the last reference pulse that came
    _row: PulseRow | None = None  # the row that may still get signals
    _latest: dict[int, int] = field(default_factory=dict)  # time of the last pulse of each signal

    def reference(self, time: int) -> None:
        """A reference pulse; one that comes less than half a period after the last is left out."""
        self.advance(time)
        if self._due is not None and 2 * (time - self._due) < self.period:
            return
        self._finish()
        self.index += 1
        index, before = self._seen or (self.index, time)
        self._seen = self.index, time
        self._due = time
        offset = time - before - (self.index - index) * self.period
        self._row = PulseRow(self.index, float(offset), [self._before(c, time) for c in self.signals], self.now())

    def signal(self, channel: int, time: int) -> None:
        """A signal pulse; it belongs to the reference pulse at most half a period away, the nearest one of several."""
        self.advance(time)
        self._latest[channel] = time
        if self._row is None or self._due is None:
            return
        for place, number in enumerate(self.signals):
            offset = time - self._due
            if number == channel and not abs(self._row.signals[place]) <= offset:
                self._row.signals[place] = float(offset)

    def advance(self, time: int) -> None:
        """Nothing else comes before `time`."""
        if self._due is None:
            return
        if 2 * (time - self._due) > self.period:
            self._finish()
        while 2 * (time - self._due) > 3 * self.period:
            self.index += 1
            self._due += self.period
            self.done(PulseRow(self.index, nan, [nan] * len(self.signals), self.now()))

    def lose(self, pulses: int) -> None:
        """Reference pulses were lost, as many as is known."""
        self.index += pulses if self.index >= 0 else 0

    def gap(self, time: int | None = None) -> None:
        """Pulses may be missing from `time`, or from where it stands, on: wait for the next reference pulse."""
        if time is not None:
            self.advance(time)
        self._finish()
        self._due = None
        self._latest.clear()

    def _finish(self) -> None:
        if self._row is not None:
            row, self._row = self._row, None
            self.done(row)

    def _before(self, channel: int, time: int) -> float:
        latest = self._latest.get(channel)
        near = latest is not None and 2 * (time - latest) < self.period
        return float(latest - time) if near and latest is not None else nan
