"""Many clients of one server, as processes: forked from this one, which has imported everything once.

Run as ``python crowd.py kill HOST PORT COUNT SEED``, ``python crowd.py work HOST PORT COUNT SECONDS`` or
``python crowd.py endure HOST PORT COUNT``.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import tagwire
from tagwire.errors import ConnectionBroken, ObjectGone, ServerGone, ServerUnreachable, TagwireError
from tagwire.rpc.client import greeting

greeting.CONNECT_S = 120.0  # fifty processes are slow to begin with

AT_ONCE = 12
DEATH = (ConnectionBroken, ServerUnreachable, ServerGone, ObjectGone)
"""What a client may see of a server that dies."""

TEST_SIGNAL = 1_250_000
"""Period of the test signal of a Time Tagger Ultra in ps."""


def fork(task: Callable[[], None]) -> int:
    """Id of a child that does `task`; its exit code is 0 when that ended without an exception."""
    child = os.fork()
    if child:
        return child
    try:
        task()
        os._exit(0)
    except TagwireError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    except BaseException as error:  # a child must never go on as if it were the parent
        print(f"unexpected {error!r}", file=sys.stderr, flush=True)
    os._exit(1)


def restless(host: str, port: int) -> None:
    """Connect, make measurements and read them until killed."""
    TT = tagwire.connect(host, port)
    tagger = TT.createTimeTagger()
    while True:
        counter = TT.Counter(tagger, [1, 2], 10**9, 10)
        correlation = TT.Correlation(tagger, 1, 2, 1000, 100)
        delayed = TT.DelayedChannel(tagger, 1, 1000)
        counter.getData()
        correlation.startFor(10**9)
        TT.Countrate(tagger, [delayed.getChannel()]).getData()


def kill(host: str, port: int, count: int, seed: int) -> int:
    """Let `count` restless clients live for random times, and kill them."""
    draw = random.Random(seed)
    lives: dict[int, float] = {}
    started = failed = 0
    while started < count or lives:
        while started < count and len(lives) < AT_ONCE:
            lives[fork(lambda: restless(host, port))] = time.monotonic() + draw.uniform(0.0, 0.3)
            started += 1
        child = min(lives, key=lives.__getitem__)
        time.sleep(max(0.0, lives.pop(child) - time.monotonic()))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        failed += not os.WIFSIGNALED(status)
    return failed


def measure(TT: Any, tagger: Any, number: int) -> None:
    """Measure the test signal; the answer must be right."""
    width, bins = (1 + number % 7) * 10**9, 20 + number
    with TT.Counter(tagger, [1], width, bins) as counter:
        counter.startFor(width * bins)
        assert counter.waitUntilFinished(120_000)
        counts = counter.getData()
    assert counts.shape == (1, bins), counts.shape
    assert (abs(counts - width / TEST_SIGNAL) <= 2).all(), counts


def diligent(host: str, port: int, number: int, seconds: float) -> None:
    """Measure again and again."""
    end = time.monotonic() + seconds
    with tagwire.connect(host, port) as TT, TT.createTimeTagger() as tagger:
        measure(TT, tagger, number)
        while time.monotonic() < end:
            measure(TT, tagger, number)


def steadfast(host: str, port: int, number: int) -> None:
    """Measure until the server dies, and then three times more with the one that comes, on one connection.

    Whoever holds a `Countrate` cannot overlook the death: no later server has it.
    """
    with tagwire.connect(host, port) as TT:
        with contextlib.suppress(*DEATH):
            tagger = signalling(TT)
            kept = TT.Countrate(tagger, [1])
            while True:
                measure(TT, tagger, number)
                kept.getData()
        rounds = 0
        while rounds < 3:
            with contextlib.suppress(*DEATH):
                tagger = signalling(TT)
                while rounds < 3:
                    measure(TT, tagger, number)
                    rounds += 1
            time.sleep(0.05)  # who knocks without a pause leaves the server no time to start


def signalling(TT: Any) -> Any:
    """The Time Tagger, with its test signal on channel 1."""
    tagger = TT.createTimeTagger()
    tagger.setTestSignal(1, True)
    assert tagger.sync(120_000)
    return tagger


def together(count: int, task: Callable[[int], None]) -> int:
    """Let `count` clients do the task at the same time; how many of them failed."""
    children = [fork(partial(task, number)) for number in range(count)]
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


def work(host: str, port: int, count: int, seconds: float) -> int:
    """Diligent clients."""
    return together(count, lambda number: diligent(host, port, number, seconds))


def endure(host: str, port: int, count: int) -> int:
    """Steadfast clients."""
    return together(count, lambda number: steadfast(host, port, number))


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1, chain=True)  # tells where each thread is, and ends
    what, host, port, *numbers = sys.argv[1:]
    done = {"kill": kill, "work": work, "endure": endure}[what](host, int(port), *map(int, numbers))
    print(f"{done} failed")
    sys.exit(1 if done else 0)
