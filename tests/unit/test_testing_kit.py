"""What `tagwire.testing` promises to users who test their own experiment code."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
import time
from types import ModuleType

import pytest

import tagwire.testing
from tagwire import TimeTagger
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.testing import SteppedTagger, SteppedTimeTagger, Tap, block_of, clicks, rows_of, simulated_tagger


def modules() -> list[ModuleType]:
    """All modules of the kit."""
    names = [m.name for m in pkgutil.walk_packages(tagwire.testing.__path__, "tagwire.testing.")]
    return [tagwire.testing, *(importlib.import_module(name) for name in names)]


def test_a_wait_lets_exactly_the_capture_pass() -> None:
    tagger = simulated_tagger()
    tagger.setTestSignal([1, 2], True)
    rate = TimeTagger.Countrate(tagger, [1])
    rate.startFor(10**12 + 1)
    assert rate.waitUntilFinished()
    assert rate.getCaptureDuration() == 10**12 + 1
    assert rate.getCountsTotal()[0] == pytest.approx(800_000, abs=1)


def test_a_wait_gives_up_after_its_timeout_in_stream_time() -> None:
    tagger = simulated_tagger()
    rate = TimeTagger.Countrate(tagger, [1])
    assert not rate.waitUntilFinished(timeout=600_000)  # ten minutes, which no test may take in real time
    assert rate.getCaptureDuration() == 600 * 10**12
    assert not rate.waitUntilFinished(0)
    assert rate.getCaptureDuration() == 600 * 10**12


def test_measurements_behind_virtual_channels_that_hold_back_are_waited_for() -> None:
    tagger = simulated_tagger()
    tagger.setTestSignal(1, True)
    early = TimeTagger.DelayedChannel(tagger, 1, -(10**10))
    rate = TimeTagger.Countrate(tagger, [early.getChannel()])
    rate.startFor(10**11)
    assert rate.waitUntilFinished()
    assert rate.getCaptureDuration() == 10**11


def test_synchronized_measurements_are_waited_for() -> None:
    group = TimeTagger.SynchronizedMeasurements(simulated_tagger())
    rates = [TimeTagger.Countrate(group.getTagger(), [c]) for c in (1, 2)]
    group.startFor(10**11)
    assert group.waitUntilFinished()
    assert [rate.getCaptureDuration() for rate in rates] == [10**11] * 2


def test_equal_seeds_and_calls_give_equal_results() -> None:
    def measure(seed: int) -> list[int]:
        tagger = simulated_tagger(seed=seed)
        tagger.simulatePoisson([1], 1e5)
        rate = TimeTagger.Countrate(tagger, [1])
        counts = []
        for _ in range(3):
            rate.startFor(10**10)
            rate.waitUntilFinished()
            counts.append(int(rate.getCountsTotal()[0]))
        return counts

    assert measure(1) == measure(1)
    assert measure(1) != measure(2)


def test_tags_of_the_test_are_waited_for_as_long_as_there_are_any() -> None:
    tagger = SteppedTagger(clicks([(10, 1), (30, 1), (20, 1)], end=100))
    rate = TimeTagger.Countrate(tagger, [1])
    rate.startFor(30)
    assert rate.waitUntilFinished()
    assert rate.getCountsTotal().tolist() == [2]
    rate.startFor(1000)
    assert not rate.waitUntilFinished()


def test_code_that_sleeps_or_opens_the_instrument_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[SteppedTimeTagger] = []

    def create() -> SteppedTimeTagger:
        opened.append(simulated_tagger())
        return opened[0]

    monkeypatch.setattr(TimeTagger, "createTimeTagger", create)
    monkeypatch.setattr(time, "sleep", lambda s: opened[0].advance(round(s * 1e12)))
    tagger = TimeTagger.createTimeTagger()
    tagger.setTestSignal(1, True)
    rate = TimeTagger.Countrate(tagger, [1])
    time.sleep(2)
    assert rate.getData()[0] == pytest.approx(800_000, abs=1)
    TimeTagger.freeTimeTagger(tagger)
    with pytest.raises(RuntimeError):
        rate.start()


def test_rows_make_blocks_and_blocks_make_rows() -> None:
    rows = [
        (5, 1, TagType.TimeTag, 0),
        (6, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (7, 1, TagType.MissedEvents, 3),
        (8, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
    ]
    block = block_of(rows, 0, 10)
    assert (block.begin, block.end) == (0, 10)
    assert rows_of(block) == rows
    assert rows_of(block_of([], 0, 10)) == []


def test_a_tap_collects_what_passes() -> None:
    tagger = SteppedTagger(clicks([(10, 1), (20, 2)], end=100))
    delayed = TimeTagger.DelayedChannel(tagger, 1, 15)
    tap = Tap(tagger)
    tagger.play(cuts=[12])
    assert tap.rows() == [(10, 1, 0, 0), (20, 2, 0, 0), (25, delayed.getChannel(), 0, 0)]


@pytest.mark.parametrize("outside", [-1, 100])
def test_clicks_outside_of_their_block_are_refused(outside: int) -> None:
    with pytest.raises(ValueError, match=rf"at {outside} ps lies outside of \[0, 100\)"):
        clicks([(10, 1), (outside, 2)], end=100)


def test_everything_public_is_documented() -> None:
    for module in modules():
        assert module.__doc__, module.__name__
        names = [n for n in getattr(module, "__all__", vars(module)) if not n.startswith("_")]
        for name in names:
            thing = getattr(module, name)
            if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module.__name__:
                assert len(inspect.getdoc(thing) or "") > 20, f"{module.__name__}.{name}"


def test_examples_in_docstrings_are_true() -> None:
    assert sum(doctest.testmod(module).attempted for module in modules()) > 10
    assert not sum(doctest.testmod(module).failed for module in modules())


def test_all_but_the_strategies_works_without_hypothesis() -> None:
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import importlib, pkgutil, tagwire.testing, tagwire.testing.oracles as oracles\n"
        "[importlib.import_module(m.name) for m in pkgutil.iter_modules(oracles.__path__, oracles.__name__ + '.')]\n"
        "try:\n    import tagwire.testing.strategies\nexcept ImportError:\n    print('as expected')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.strip() == "as expected", done.stderr
