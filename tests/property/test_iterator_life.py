"""Start, stop, clear, startFor and abort against a model that only keeps a list of captured spans."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.measurements.countrate import Countrate
from tagwire.testing.stepped import SteppedTagger

END = 1000
TIMES = np.sort(np.random.default_rng(1).integers(0, END, 400))
CLICKS = TagBlock(0, END, TIMES, np.ones(len(TIMES), np.int32))


class Recorder(IteratorBase):
    """Keeps the spans it is given, and checks that they follow each other between two calls of `_forget`."""

    def __init__(self, tagger: SteppedTagger) -> None:
        super().__init__(tagger, [1], {})
        self.blocks: list[TagBlock] = []
        self.follows = False
        self._launch()

    def _process(self, block):
        assert block.begin < block.end
        assert not self.follows or block.begin == self.blocks[-1].end
        self.blocks.append(block)
        self.follows = True

    def _forget(self):
        self.follows = False

    def _reset(self):
        self.blocks = []


@dataclass
class Model:
    running: bool = True
    until: int | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)

    def advance(self, now: int, to: int) -> None:
        if self.running:
            stop = to if self.until is None else min(to, self.until)
            if now < stop:
                self.spans.append((now, stop))
            self.running = self.until is None or to < self.until


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tagger = SteppedTagger(CLICKS)
        self.recorder, self.rate = Recorder(self.tagger), Countrate(self.tagger, [1])
        self.model, self.now = Model(), 0

    def both(self, call: str, *arguments: object) -> None:
        for measurement in (self.recorder, self.rate):
            getattr(measurement, call)(*arguments)

    @precondition(lambda self: self.now < END)
    @rule(step=st.integers(1, 120))
    def advance(self, step: int) -> None:
        to = min(END, self.now + step)
        self.tagger.advance(to)
        self.model.advance(self.now, to)
        self.now = to

    @rule()
    def start(self) -> None:
        self.both("start")
        self.model.running, self.model.until = True, None

    @rule(duration=st.integers(0, 300), clear=st.booleans())
    def start_for(self, duration: int, clear: bool) -> None:
        self.both("startFor", duration, clear)
        spans = [] if clear else self.model.spans
        self.model = Model(duration > 0, self.now + duration, spans)

    @rule()
    def stop(self) -> None:
        self.both("stop")
        self.model.running = False

    @rule()
    def clear(self) -> None:
        self.both("clear")
        self.model.spans = []

    @rule()
    def abort(self) -> None:
        self.both("abort")
        self.model.running, self.model.spans = False, []

    @invariant()
    def agrees_with_the_model(self) -> None:
        spans = self.model.spans
        for measurement in (self.recorder, self.rate):
            assert measurement.isRunning() == self.model.running
            assert measurement.waitUntilFinished(0) == (not self.model.running)
            assert measurement.getCaptureDuration() == sum(end - begin for begin, end in spans)
        assert [(b.begin, b.end) for b in self.recorder.blocks] == spans
        times = [t for begin, end in spans for t in TIMES.tolist() if begin <= t < end]
        assert [t for b in self.recorder.blocks for t in b.time.tolist()] == times
        assert self.rate.getCountsTotal().tolist() == [len(times)]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
