"""Tags to measure with, and the clock that measures."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import thread_time

import numpy as np

from tagwire.core.tags import TagBlock

Run = Callable[[], object]


def poisson(tags: int, rates: dict[int, float]) -> TagBlock:
    """Random tags; `rates` are in Hz."""
    rng = np.random.default_rng(1)
    total = sum(rates.values())
    time = np.cumsum(rng.exponential(1e12 / total, tags)).astype(np.int64)
    channel = rng.choice(np.array(list(rates), np.int32), tags, p=[r / total for r in rates.values()])
    return TagBlock(0, int(time[-1]) + 1, time, channel)


def laser(tags: int, period: int, rate: float) -> TagBlock:
    """A laser's pulses on channel 2, every `period` ps, and random clicks on channel 1; `rate` in Hz."""
    rng = np.random.default_rng(1)
    per_pulse = rate * period / 1e12
    pulses = np.arange(int(tags / (1 + per_pulse)), dtype=np.int64) * period
    clicks = rng.integers(0, pulses[-1], tags - len(pulses))
    time = np.concatenate([clicks, pulses])
    order = np.argsort(time, kind="stable")
    channel = np.repeat(np.array([1, 2], np.int32), [len(clicks), len(pulses)])
    return TagBlock(0, int(pulses[-1]) + 1, time[order], channel[order])


def jittered_laser(tags: int, period: int, jitter: float, rate: float) -> TagBlock:
    """As `laser`, and each pulse is seen with a random deviation; `jitter` is its standard deviation in ps."""
    block = laser(tags, period, rate)
    deviation = np.random.default_rng(2).normal(0, jitter, len(block)).astype(np.int64)
    time = np.where(block.channel == 2, block.time + deviation, block.time)
    order = np.argsort(time, kind="stable")
    return TagBlock(int(time.min()), int(time.max()) + 1, time[order], block.channel[order])


def cut(block: TagBlock, size: int) -> list[TagBlock]:
    """The block in parts of `size` tags."""
    edges = [block.begin, *block.time[size::size].tolist(), block.end]
    return [block.take(a, b) for a, b in pairwise(edges)]


def on(block: TagBlock, channel: int) -> np.ndarray:
    """Times of a channel, in memory of their own."""
    return block.time[block.channel == channel]


def bind_to_one_core() -> None:
    """Let nothing of this process run beside it, where the system allows that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def medians(
    runs: dict[str, Run], rounds: int, repeats: int = 1, clock: Callable[[], float] = thread_time
) -> dict[str, float]:
    """Seconds that each run takes; they take turns, so that whatever disturbs disturbs all. One round more warms up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            begin = clock()
            for _ in range(repeats):
                run()
            times[name].append((clock() - begin) / repeats)
    return {name: median(taken[1:]) for name, taken in times.items()}


def load() -> str:
    """What else the computer did."""
    return "load average " + " ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else ""
