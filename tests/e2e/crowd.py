"""Many clients of one server, as processes: forked from this one, which has imported everything once.

Run as ``python crowd.py kill HOST PORT COUNT SEED`` or ``python crowd.py work HOST PORT COUNT SECONDS``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable

import tagwire
from tagwire.errors import TagwireError

AT_ONCE = 12
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


def diligent(host: str, port: int, number: int, seconds: float) -> None:
    """Measure the test signal again and again; every answer must be right."""
    end = time.monotonic() + seconds
    period = TEST_SIGNAL
    rounds = 0
    with tagwire.connect(host, port) as TT, TT.createTimeTagger() as tagger:
        while time.monotonic() < end or not rounds:
            width, bins = (1 + number % 7) * 10**9, 20 + number
            with TT.Counter(tagger, [1], width, bins) as counter:
                counter.startFor(width * bins)
                assert counter.waitUntilFinished(60_000)
                counts = counter.getData()
            assert counts.shape == (1, bins), counts.shape
            assert (abs(counts - width / period) <= 2).all(), counts
            rounds += 1


def work(host: str, port: int, count: int, seconds: float) -> int:
    """Let `count` diligent clients work at the same time; how many of them failed."""
    children = [fork(lambda n=number: diligent(host, port, n, seconds)) for number in range(count)]  # type: ignore[misc]
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


if __name__ == "__main__":
    what, host, port, *numbers = sys.argv[1:]
    done = {"kill": kill, "work": work}[what](host, int(port), *map(int, numbers))
    print(f"{done} failed")
    sys.exit(1 if done else 0)
