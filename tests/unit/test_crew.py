"""Measurements fed together: each sees every block once and in order, and one that fails stops alone."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tagwire.core.tags import TagBlock
from tagwire.engine import chain
from tagwire.engine.crew import Crew
from tagwire.engine.iterator import IteratorBase
from tagwire.errors import StateError
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.counter import Counter
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.combiner import Combiner


class Witness(IteratorBase):
    """Notes the spans it sees, and in which thread."""

    def __init__(self, tagger: SteppedTagger, concurrent: bool, meeting: threading.Barrier | None = None) -> None:
        super().__init__(tagger, [1], {})
        self._concurrent, self._meeting = concurrent, meeting
        self.spans: list[tuple[int, int]] = []
        self.threads: set[int] = set()
        self._launch()

    def _process(self, block: TagBlock) -> None:
        self.spans.append((block.begin, block.end))
        self.threads.add(threading.get_ident())
        if self._meeting is not None:
            self._meeting.wait(120)


class Broken(IteratorBase):
    """Fails at once."""

    _concurrent = True

    def __init__(self, tagger: SteppedTagger) -> None:
        super().__init__(tagger, [1], {})
        self._launch()

    def _process(self, block: TagBlock) -> None:
        raise ValueError("broken")


def clicks(size: int = 40_000) -> TagBlock:
    rng = np.random.default_rng(1)
    return TagBlock(0, 100 * size, np.sort(rng.integers(0, 100 * size, size)), rng.integers(1, 3, size, np.int32))


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(chain, "cores", lambda: 2)
    monkeypatch.setattr(chain, "CREW", Crew(1))


def test_two_are_fed_at_the_same_time(two_cores):
    tagger = SteppedTagger(clicks())
    meeting = threading.Barrier(2)
    witnesses = [Witness(tagger, True, meeting) for _ in range(2)]
    tagger.play([2_000_000])
    assert [w.spans for w in witnesses] == [[(0, 2_000_000), (2_000_000, 4_000_000)]] * 2


def test_one_that_did_not_agree_stays_in_the_thread_of_the_stream(two_cores):
    tagger = SteppedTagger(clicks())
    witnesses = [Witness(tagger, concurrent) for concurrent in (True, False, True, False)]
    tagger.play([2_000_000])
    assert all(w.spans == [(0, 2_000_000), (2_000_000, 4_000_000)] for w in witnesses)
    assert all(w.threads == {threading.get_ident()} for w in witnesses if not w._concurrent)


def test_small_blocks_stay_in_the_thread_of_the_stream(two_cores):
    tagger = SteppedTagger(clicks(chain.WORTH_SHARING - 1))
    witnesses = [Witness(tagger, True) for _ in range(3)]
    tagger.play()
    assert all(w.threads == {threading.get_ident()} for w in witnesses)


def test_who_stands_behind_a_virtual_channel_sees_its_tags(two_cores):
    block = clicks()
    tagger = SteppedTagger(block)
    before = [Counter(tagger, [1], 1000, 10) for _ in range(2)]
    both = Combiner(tagger, [1, 2])
    after = [Counter(tagger, [both.getChannel()], 1000, 10) for _ in range(2)]
    tagger.play([2_000_000])
    ones = np.count_nonzero(block.channel == 1)
    assert [int(c.getDataTotalCounts()[0]) for c in before] == [ones] * 2
    assert [int(c.getDataTotalCounts()[0]) for c in after] == [len(block)] * 2


def test_results_are_those_of_one_thread(two_cores, monkeypatch):
    results = []
    for number in (2, 1):
        monkeypatch.setattr(chain, "cores", lambda number=number: number)
        tagger = SteppedTagger(clicks())
        correlations = [Correlation(tagger, 1, 2, width, 100) for width in (10, 100, 1000, 7)]
        tagger.play([2_000_000])
        results.append([c.getData().tolist() for c in correlations])
    assert results[0] == results[1]


def test_one_that_fails_stops_alone(two_cores):
    tagger = SteppedTagger(clicks())
    broken, witness = Broken(tagger), Witness(tagger, True)
    tagger.play([2_000_000])
    assert witness.spans == [(0, 2_000_000), (2_000_000, 4_000_000)]
    with pytest.raises(StateError, match="broken"):
        broken.waitUntilFinished()


def test_an_error_in_a_task_reaches_whoever_asked():
    done = []

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Crew(1).do([fail, lambda: done.append(1), lambda: done.append(2)])
    assert set(done) <= {1, 2}


def test_nothing_to_do_needs_nobody():
    crew = Crew(3)
    crew.do([])
    crew.do([lambda: None])
    assert crew._pool is None


def test_work_goes_on_when_no_helper_comes_any_more():
    crew, done = Crew(1), []
    crew._started().shutdown()
    crew.do([lambda: done.append(1), lambda: done.append(2)])
    assert done == [1, 2]
