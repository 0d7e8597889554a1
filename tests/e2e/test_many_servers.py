"""A laboratory that stalls, dies and is started anew: the other one goes on, and every event is accounted for.

Real processes whose tags flow in real time. How fast they are makes no difference to the counts: the clock signal has
exactly 10,000 pulses in each second of stream time.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

import steady
from steady import process, python, quiet_port
from tagwire import TimeTagger

TT = TimeTagger
SCRIPT = Path(__file__).with_name("laboratory.py")
PERIOD = 10**8
FIRST, SECOND = 1008, 2008

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")


@contextmanager
def laboratory(place: int, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, and the address of its server."""
    command = python(SCRIPT, str(place), str(port))
    with process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        address = running.stdout.readline().strip()
        assert address, f"the laboratory ended with {running.wait()}"
        yield running, address


def wait_for(condition: Callable[[], object]) -> None:
    try:
        steady.wait_for(condition)
    except AssertionError:
        faulthandler.dump_traceback(all_threads=True)
        raise


def test_a_laboratory_stalls_dies_and_comes_back() -> None:
    with ExitStack() as stack:
        (_, one), (second, other) = [stack.enter_context(laboratory(place, quiet_port())) for place in range(2)]
        client = stack.enter_context(TT.createTimeTaggerNetwork([one, other]))
        client.setServerPatience(-1)
        counts, mine = TT.Countrate(client, [FIRST, SECOND]), TT.Countrate(client, [FIRST])

        def seen() -> int:
            return int(mine.getCountsTotal()[0])

        def absent() -> bool:
            return client.getServerStandings()[other]["absent"] == 1

        wait_for(lambda: seen() > 1_000)
        second.send_signal(signal.SIGSTOP)
        client.setServerPatience(0.2)
        wait_for(absent)
        before = seen()
        wait_for(lambda: seen() > before + 2_000)  # the other one goes on
        assert client.getOverflowsClient() >= 1
        assert client.sync(120_000)

        second.send_signal(signal.SIGCONT)
        client.setServerPatience(-1)
        wait_for(lambda: not absent())
        before = seen()
        wait_for(lambda: seen() > before + 100)
        counts.stop()
        expected = counts.getCaptureDuration() / PERIOD
        assert counts.getCountsTotal() == pytest.approx([expected, expected], abs=1.01)
        assert client.getServerStandings()[other]["missed"] > 500

        second.kill()
        client.setServerPatience(0.2)
        wait_for(absent)
        before = seen()
        wait_for(lambda: seen() > before + 1_000)
        assert not client.isConnected()
        assert client.sync(120_000)
        stack.enter_context(laboratory(1, int(other.rpartition(":")[2])))
        client.setServerPatience(-1)
        wait_for(lambda: client.isConnected() and not absent())
        # It is back on the common time base: the photons of a pair find each other.
        pairs = TT.Correlation(client, 2001, 1001, 100, 1001)
        wait_for(lambda: int(pairs.getData().max()) > 500)
        peak = int(pairs.getIndex()[np.argmax(pairs.getData())])
        assert abs(peak - 7_300) < 500
