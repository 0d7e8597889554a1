"""The ideal clock tags of a software clock: a perfect grid in output time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import NO_TIMES, TagBlock, TagType


@dataclass(frozen=True, slots=True)
class Span:
    """Output time in ps during which the clock is locked, the time of any ideal clock tag, and their distance."""

    tick: int
    begin: int
    end: int
    period: int

    def grid(self, time: int) -> int:
        """Time of the first ideal clock tag at or after `time`."""
        return self.tick + -((self.tick - time) // self.period) * self.period


class IdealClock:
    """Makes ideal clock tags, all of them or one after each trigger event.

    Attributes
    ----------
    triggers
        Channels of the conditional filter if it applies to the ideal clock channel, else `None`: all tags pass.
    last
        Time of the last ideal clock tag up to the position reached, in ps; 0 before the first.
    """

    def __init__(self) -> None:
        self.triggers: tuple[int, ...] | None = None
        self.last = 0
        self._spans: list[Span] = []
        self._opened: NDArray[np.int64] = NO_TIMES

    def extend(self, spans: list[Span]) -> None:
        """Learn of locked spans; the last one known may be given again with its end."""
        for span in spans:
            if self._spans and self._spans[-1].begin == span.begin:
                self._spans.pop()
            self._spans.append(span)

    def tags(self, block: TagBlock, wanted: bool) -> NDArray[np.int64]:
        """Times of the ideal clock tags within the span of a block of the output."""
        parts = [self._within(span, block, wanted) for span in self._spans]
        self._spans = [span for span in self._spans if span.end > block.end]
        return np.concatenate(parts) if parts else NO_TIMES

    def _within(self, span: Span, block: TagBlock, wanted: bool) -> NDArray[np.int64]:
        low, high = span.grid(max(span.begin, block.begin)), span.grid(min(span.end, block.end))
        if low < high:
            self.last = high - span.period
        if not wanted:
            return NO_TIMES
        if self.triggers is None:
            return np.arange(low, high, span.period, dtype=np.int64)
        return self._triggered(span, block, self.triggers, low, high)

    def _triggered(
        self, span: Span, block: TagBlock, triggers: tuple[int, ...], low: int, high: int
    ) -> NDArray[np.int64]:
        """The next ideal clock tag at or after each trigger event of the span; those to come are kept for later."""
        events = np.isin(block.channel, triggers) & (block.types == TagType.TimeTag)
        time = block.time[events & (block.time >= span.begin) & (block.time < span.end)]
        ticks = span.tick + -((span.tick - time) // span.period) * span.period
        passed = np.unique(np.concatenate([self._opened[self._opened < span.end], ticks]))
        self._opened = passed[(passed >= high) & (passed < span.end)]
        return passed[(passed >= low) & (passed < high)]
