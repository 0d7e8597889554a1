"""The thread that does what is due."""

from __future__ import annotations

import math
import threading

import pytest

from tagwire.rpc.host.scheduler import Scheduler


def test_every_job_is_called_and_the_earliest_time_told() -> None:
    scheduler = Scheduler(clock=lambda: 5.0)
    assert scheduler.run_due() == math.inf
    scheduler.add(lambda: 9.0)
    scheduler.add(lambda: 7.0)
    assert scheduler.run_due() == 7.0


def test_a_job_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done = []

    def fail() -> float:
        raise ZeroDivisionError

    def work() -> float:
        done.append(1)
        return math.inf

    scheduler = Scheduler(clock=lambda: 5.0)
    scheduler.add(fail)
    scheduler.add(work)
    assert scheduler.run_due() == 6.0
    assert done == [1]
    assert "periodic task" in caplog.text


def test_it_runs_when_woken_and_stops_when_closed() -> None:
    calls: list[int] = []
    called = threading.Condition()

    def job() -> float:
        with called:
            calls.append(1)
            called.notify_all()
        return math.inf

    scheduler = Scheduler()
    scheduler.add(job)
    runner = threading.Thread(target=scheduler.run)
    runner.start()
    with called:
        assert called.wait_for(lambda: len(calls) == 1, 120)
    scheduler.wake()
    with called:
        assert called.wait_for(lambda: len(calls) == 2, 120)
    scheduler.close()
    runner.join(120)
    assert not runner.is_alive()
