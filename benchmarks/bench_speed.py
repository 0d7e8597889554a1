"""Speed of the engine on one core, streaming, beside other programs in the same run.

    python -m benchmarks speed [--tags 500000] [--block 100000] [--rounds 7] [--only WORD]

Ours is what a user's measurement costs: an object on a tagger that is handed block after block. The others get all tags
at once, and most of them apart by channel already. Half a million tags stay in a processor's cache, as those of a live
stream do. Medians of interleaved rounds, in CPU time, bound to one core.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import peers
from streams import Run, bind_to_one_core, cut, laser, load, medians, poisson

from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.counter import Counter
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.logbins import HistogramLogBins
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.coincidence import Coincidences

Create = Callable[[SteppedTagger], IteratorBase]

EIGHT = list(range(1, 9))
PAIRS = [list(pair) for pair in combinations(EIGHT, 2)]
GROUPS = [*PAIRS, [1, 2, 3, 4], [5, 6, 7, 8], [1, 3, 5, 7], [2, 4, 6, 8]]


REPEATS = 10
"""Runs of one program in a row in each round."""


@dataclass
class Case:
    """One line of the table."""

    name: str
    reach: float
    """Mtag/s to reach."""
    tags: int
    runs: dict[str, Run] = field(default_factory=dict)
    """Ours, named "Tagwire", and the others."""


def streamed(block: TagBlock, size: int, create: Create) -> Run:
    """A measurement that is handed the blocks one after the other."""
    measurement, parts = create(SteppedTagger(block)), cut(block, size)

    def run() -> None:
        measurement._forget()
        for part in parts:
            measurement._pass(Strands(part))

    return run


def coincidences(block: TagBlock, size: int) -> Run:
    """Virtual channels of all groups, and a measurement that counts their coincidences."""
    tagger, parts = SteppedTagger(block), cut(block, size)
    channels = Coincidences(tagger, GROUPS, 1000)
    rate = Countrate(tagger, channels.getChannels())

    def run() -> None:
        channels._forget()
        channels._buffer = ReorderBuffer()
        rate.clear()
        for part in parts:
            rate._pass(channels._pass(Strands(part)))
        if not all(rate.getCountsTotal()[: len(PAIRS)]):
            raise RuntimeError("there were no coincidences")

    return run


def searched(block: TagBlock, size: int) -> Run:
    """The search for coincidences, without the tags being put into the stream."""
    channels, parts = Coincidences(SteppedTagger(block), GROUPS, 1000), cut(block, size)

    def run() -> None:
        channels._forget()
        for part in parts:
            channels._generate(part)

    return run


def cases(tags: int, size: int) -> Iterator[Case]:
    """One after the other, so that only one stream is in memory."""
    block = poisson(tags, {1: 1e6, 2: 1e6})
    yield Case(
        "Correlation ±1 µs, 1 ns, 2 x 1 Mcps",
        150,
        tags,
        {"Tagwire": streamed(block, size, lambda t: Correlation(t, 1, 2, 1000, 2000))}
        | peers.pytimetag(block, -1_000_500, 999_500, 2000)
        | peers.tangy(block, lambda b, s: b.relative_delay(1, 2, s, 1e-9, 1e-6), "relative_delay"),
    )
    yield Case(
        "Correlation ±10 ns, 1 ps, 2 x 1 Mcps",
        300,
        tags,
        {"Tagwire": streamed(block, size, lambda t: Correlation(t, 1, 2, 1, 20_000))}
        | peers.pytimetag(block, -10_000, 10_000, 20_000)
        | peers.libtimetag_lin(block, np.arange(-10_000, 10_001)),
    )
    block = poisson(tags, {1: 5e6, 2: 5e6})
    yield Case(
        "Correlation ±1 µs, 1 ns, 2 x 5 Mcps",
        70,
        tags,
        {"Tagwire": streamed(block, size, lambda t: Correlation(t, 1, 2, 1000, 2000))}
        | peers.pytimetag(block, -1_000_500, 999_500, 2000),
    )
    block = laser(tags, 12_500, 1e6)
    yield Case(
        "Histogram, 80 MHz sync + 1 Mcps",
        1300,
        tags,
        {"Tagwire": streamed(block, size, lambda t: Histogram(t, 1, 2, 50, 250))}
        | peers.pytimetag(block, 0, 12_500, 250),
    )
    block = poisson(tags, dict.fromkeys(EIGHT, 1.25e6))
    yield Case(
        "Counter, 8 channels, 1 ms, 10 Mcps",
        1500,
        tags,
        {"Tagwire": streamed(block, size, lambda t: Counter(t, EIGHT, 10**9, 1000))}
        | peers.tangy(block, lambda b, s: [b.timetrace([c], s, 1e-3) for c in EIGHT], "timetrace")
        | peers.numpy_counts(block, 10**9, 8),
    )
    yield Case(
        "Coincidences, 28 pairs + 4 fourfold",
        500,
        tags,
        {
            "Tagwire": coincidences(block, size),
            "search alone": searched(block, size),
        }
        | peers.tangy(block, lambda b, s: [b.coincidence_count(s, 1e-9, pair) for pair in PAIRS], "28 pairs"),
    )
    block = poisson(tags, {1: 1e5, 2: 1e5})
    edges = np.unique(np.rint(np.logspace(6, 12, 101)).astype(np.int64))
    yield Case(
        "HistogramLogBins, 100 bins, 1 µs - 1 s",
        4,
        tags,
        {"Tagwire": streamed(block, size, lambda t: HistogramLogBins(t, 1, 2, -6, 0, 100))}
        | peers.tttrlib_wahl(block, 10**6, 17, 6)
        | peers.libtimetag_fcs(block, edges),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=500_000, help="tags in the stream")
    parser.add_argument("--block", type=int, default=100_000, help="tags in a block")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the median counts")
    parser.add_argument("--only", default="", help="only lines with this word")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    bind_to_one_core()
    print(f"| Mtag/s ({load()}) | reach | Tagwire | others | Tagwire / other |\n|---|---|---|---|---|")
    for case in cases(options.tags, options.block):
        if options.only not in case.name:
            continue
        speeds = {
            name: case.tags / seconds / 1e6 for name, seconds in medians(case.runs, options.rounds, REPEATS).items()
        }
        ours = speeds.pop("Tagwire")
        others = ", ".join(f"{name} {speed:.3g}" for name, speed in speeds.items())
        ratios = ", ".join(f"{ours / speed:.3g}" for speed in speeds.values())
        print(f"| {case.name} | {case.reach:g} | {ours:.3g} | {others} | {ratios} |", flush=True)
    print(f"\nafterwards {load()}")


if __name__ == "__main__":
    main()
