"""Speed of simulated light on one core, beside NumPy's exponential and cumulative sum in the same run.

    python -m benchmarks light [--rounds 7] [--tags 3000000]

What is timed is the whole source, as a tagger pulls it: blocks of 20 ms of stream time, in order and with channels. The
peer makes bare time stamps of one channel, 100,000 at a time. Rounds are interleaved, medians count, and time is the
thread's own, so that a busy computer disturbs less.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import thread_time

import numpy as np

from tagwire.core.models import TIME_TAGGER_ULTRA
from tagwire.sources.light import Light, PoissonLight, PulsedEmitter
from tagwire.sources.simulated import SimulatedSource

SPAN = 20 * 10**9
CHUNK = 100_000

Run = Callable[[int], int]


def source(channels: list[int], light: Light) -> Run:
    """Reads at least so many tags; gives how many."""
    made = SimulatedSource(TIME_TAGGER_ULTRA, seed=1)
    made.illuminate(channels, light)
    wanted = light.outputs(channels)

    def run(tags: int) -> int:
        done = 0
        while done < tags:
            block = made.read(SPAN, wanted)
            assert block is not None
            done += len(block)
        return done

    return run


def numpy_peer() -> Run:
    """Exponential distances, summed up and made integers."""
    rng = np.random.default_rng(1)

    def run(tags: int) -> int:
        for _ in range(tags // CHUNK):
            np.cumsum(rng.exponential(1e5, CHUNK)).astype(np.int64)
        return tags // CHUNK * CHUNK

    return run


CASES: dict[str, Callable[[], Run]] = {
    "NumPy exponential + cumsum": numpy_peer,
    "Poisson light, 1 x 10 Mcps": lambda: source([1], PoissonLight(10e6)),
    "Poisson light, 1 x 1 Mcps": lambda: source([1], PoissonLight(1e6)),
    "Poisson light, 2 x 10 Mcps": lambda: source([1, 2], PoissonLight(10e6)),
    "Single-photon emitter, 2 channels": lambda: source([1, 2], PulsedEmitter(collection_efficiency=0.2)),
}


def speed(run: Run, tags: int) -> float:
    """Mtag/s."""
    begin = thread_time()
    return run(tags) / (thread_time() - begin) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=3_000_000, help="tags of one round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the median counts")
    options = parser.parse_args()
    runs = {name: create() for name, create in CASES.items()}
    for run in runs.values():
        run(CHUNK)
    rounds = [{name: speed(run, options.tags) for name, run in runs.items()} for _ in range(options.rounds)]
    peer = median(r["NumPy exponential + cumsum"] for r in rounds)
    print(f"{'':36} {'Mtag/s':>8} {'x NumPy':>8}")
    for name in runs:
        middle = median(r[name] for r in rounds)
        print(f"{name:36} {middle:8.0f} {middle / peer:8.2f}")


if __name__ == "__main__":
    main()
