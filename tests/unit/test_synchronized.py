"""SynchronizedMeasurements: all members see exactly the same tags, whatever lies between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tagwire.core.tags import TagBlock
from tagwire.measurements.countrate import Countrate
from tagwire.tagger.devices import createTimeTagger, freeTimeTagger
from tagwire.tagger.simulated import TimeTagger
from tagwire.tagger.synchronized import SynchronizedMeasurements
from tagwire.testing.simulated import simulated_tagger
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.coincidence import Coincidence
from tagwire.virtual.delayed import DelayedChannel

LOOKBACK = 5 * 10**9
"""Negative delay in ps, so that the stream behind it lags."""


@pytest.fixture
def flowing() -> Iterator[TimeTagger]:
    tagger = createTimeTagger("SIM20-0001")
    tagger.setTestSignal([1, 2], True)
    tagger.setStreamBlockSize(4096, 1)
    yield tagger
    freeTimeTagger(tagger)


def test_members_on_both_sides_of_a_lag_count_the_same_tags(flowing: TimeTagger) -> None:
    group = SynchronizedMeasurements(flowing)
    before = Countrate(group.getTagger(), [1, 2])
    lag = DelayedChannel(flowing, 1, -LOOKBACK)
    behind = Countrate(group.getTagger(), [1, 2])
    for _ in range(3):
        group.start()
        assert flowing.sync(10_000)
        group.stop()
        assert not group.isRunning()
        np.testing.assert_array_equal(before.getCountsTotal(), behind.getCountsTotal())
        assert before.getCaptureDuration() == behind.getCaptureDuration()
    assert before.getCaptureDuration() > 0
    assert before.getCountsTotal().min() > 0
    del lag


def test_start_for_captures_the_same_span(flowing: TimeTagger) -> None:
    group = SynchronizedMeasurements(flowing)
    before = Countrate(group.getTagger(), [1, 2])
    pairs = Coincidence(flowing, [1, 2], 1000)
    lag = DelayedChannel(flowing, 2, -LOOKBACK)
    behind = Countrate(group.getTagger(), [1, 2])
    group.startFor(2 * 10**10)
    assert group.waitUntilFinished(60_000)
    np.testing.assert_array_equal(before.getCountsTotal(), behind.getCountsTotal())
    assert before.getCaptureDuration() == behind.getCaptureDuration() == 2 * 10**10
    del pairs, lag


def test_clear_while_running_leaves_them_equal(flowing: TimeTagger) -> None:
    group = SynchronizedMeasurements(flowing)
    before = Countrate(group.getTagger(), [1, 2])
    lag = DelayedChannel(flowing, 1, -LOOKBACK)
    behind = Countrate(group.getTagger(), [1, 2])
    group.start()
    assert flowing.sync(10_000)
    group.clear()
    assert flowing.sync(10_000)
    group.stop()
    np.testing.assert_array_equal(before.getCountsTotal(), behind.getCountsTotal())
    assert before.getCaptureDuration() == behind.getCaptureDuration()
    del lag


def test_what_is_created_on_the_proxy_waits_for_the_group() -> None:
    tagger = simulated_tagger()
    tagger.setTestSignal(1, True)
    group = SynchronizedMeasurements(tagger)
    proxy = group.getTagger()
    assert proxy is group.getTagger()
    assert not proxy.xtra_getAutoStart()
    registered, own = Countrate(proxy, [1]), Countrate(tagger, [1])
    assert (registered.isRunning(), own.isRunning(), group.isRunning()) == (False, True, False)
    group.start()
    assert registered.isRunning()
    assert not group.waitUntilFinished(0)
    tagger.advance(10**9)
    assert registered.getCaptureDuration() == 10**9


def test_settings_of_the_proxy_are_those_of_the_tagger() -> None:
    tagger = simulated_tagger()
    proxy = SynchronizedMeasurements(tagger).getTagger()
    proxy.setInputDelay(3, 250)
    proxy.setDeadtime(3, 9000)
    assert (tagger.getInputDelay(3), tagger.getDeadtime(3)) == (250, 9000)
    freeTimeTagger(proxy)
    assert not tagger._freed


def test_the_proxy_of_a_freed_tagger_takes_no_measurements() -> None:
    tagger = simulated_tagger()
    proxy = SynchronizedMeasurements(tagger).getTagger()
    hub = tagger._hub
    freeTimeTagger(tagger)
    with pytest.raises(RuntimeError, match="freed"):
        Countrate(proxy, [1])
    assert hub.iterators() == []


def test_registering_and_unregistering() -> None:
    tagger = simulated_tagger()
    group = SynchronizedMeasurements(tagger)
    one, other = Countrate(tagger, [1]), Countrate(tagger, [1])
    group.registerMeasurement(one)
    group.registerMeasurement(one)
    group.unregisterMeasurement(other)
    group.stop()
    assert (one.isRunning(), other.isRunning()) == (False, True)
    group.unregisterMeasurement(one)
    group.start()
    assert not one.isRunning()


def test_a_group_does_not_keep_its_measurements() -> None:
    tagger = simulated_tagger()
    group = SynchronizedMeasurements(tagger)
    Countrate(group.getTagger(), [1])
    group.start()
    assert tagger._hub.iterators() == []


def test_leaving_the_context_lets_the_members_go_on() -> None:
    tagger = simulated_tagger()
    with SynchronizedMeasurements(tagger) as group:
        rate = Countrate(group.getTagger(), [1])
        group.start()
    group.stop()
    assert rate.isRunning()


def test_bad_arguments() -> None:
    tagger = simulated_tagger()
    group = SynchronizedMeasurements(tagger)
    with pytest.raises(ValueError, match="tagger is None"):
        SynchronizedMeasurements(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="measurement is None"):
        group.registerMeasurement(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="measurement must be a measurement"):
        group.registerMeasurement(tagger)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="another tagger"):
        group.registerMeasurement(Countrate(simulated_tagger(), [1]))
    with pytest.raises(ValueError, match="capture_duration is -1"):
        group.startFor(-1)


def test_stop_on_a_stream_that_does_not_flow_returns() -> None:
    tagger = SteppedTagger(TagBlock.empty(0, 1000), channels=[1])
    group = SynchronizedMeasurements(tagger)
    rate = Countrate(group.getTagger(), [1])
    group.start()
    group.stop()
    assert not rate.isRunning()
