"""How much one computer bears: a block, several measurements on several cores, and a whole laboratory.

    python -m benchmarks load [--rounds 7] [--seconds 2]

A block of 65,536 tags through one Correlation, in ms; 8 Correlations of one stream on one and on two cores; and 100
measurements and 50 virtual channels at 10 Mtag/s in blocks of 20 ms, which is what an instrument's stream has, as the
share of real time that they take. Medians of interleaved rounds; what runs on one core alone is measured in CPU time,
so that other programs on the machine matter less.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from itertools import combinations, cycle, islice
from time import perf_counter, process_time

from streams import Run, cut, load, medians, poisson

from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.counter import Counter
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.startstop import StartStop
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.coincidence import Coincidence
from tagwire.virtual.gated import GatedChannel

EIGHT = list(range(1, 9))
BLOCK = 65_536
STREAM_BLOCK = 200_000
"""Tags of 20 ms at 10 Mtag/s."""
TAGS = 6_000_000


def one_block(tags: TagBlock) -> Run:
    """One block through a Correlation of ±1 µs that has seen others before."""
    measurement = Correlation(SteppedTagger(tags), 1, 2, 1000, 2000)
    blocks = cycle(cut(tags, BLOCK)[:-1])
    return lambda: measurement._process(next(blocks))


def through_hub(
    tags: TagBlock, size: int, wanted: set[int], create: Callable[[SteppedTagger], list[IteratorBase]]
) -> Run:
    """A whole stream in blocks of some size through all that `create` makes, on some cores."""

    def run() -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, wanted)
        tagger = SteppedTagger(tags, EIGHT)
        everything = create(tagger)
        tagger.play(tags.time[size::size].tolist())
        if not all(one.getCaptureDuration() for one in everything):
            raise RuntimeError("not everything took part")

    return run


def correlations(tagger: SteppedTagger) -> list[IteratorBase]:
    """Eight of them."""
    return [Correlation(tagger, first, first % 8 + 1, 1000, 2000) for first in EIGHT]


def laboratory(tagger: SteppedTagger) -> list[IteratorBase]:
    """50 virtual channels and 100 measurements on them and on the inputs."""
    pairs = [Coincidence(tagger, list(pair), 1000) for pair in combinations(EIGHT, 2)]
    triples = [Coincidence(tagger, list(triple), 2000) for triple in islice(combinations(EIGHT, 3), 12)]
    gated = [GatedChannel(tagger, pair.getChannel(), 1, 2) for pair in pairs[:10]]
    found = [one.getChannel() for one in (*pairs, *triples, *gated)]
    made: list[IteratorBase] = [*pairs, *triples, *gated]
    made += [Countrate(tagger, [channel]) for channel in found[:30]]
    made += [Counter(tagger, EIGHT, 10**9, 1000) for _ in range(10)]
    made += [Counter(tagger, [channel], 10**9, 1000) for channel in found[:20]]
    made += [Histogram(tagger, channel, 1, 100, 1000) for channel in found[:15]]
    made += [Correlation(tagger, *pair, 100, 2000) for pair in islice(combinations(EIGHT, 2), 15)]
    made += [StartStop(tagger, channel, 1, 1000) for channel in found[:10]]
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the median counts")
    parser.add_argument("--seconds", type=float, default=2, help="stream time for the laboratory in s")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    one, two = set(cores[-1:]), set(cores[-2:])
    print(f"cores {len(cores)}, {load()}")
    tags = poisson(TAGS, dict.fromkeys(EIGHT, 1.25e6))
    taken = medians({"block": one_block(tags)}, options.rounds, 100, process_time)
    print(f"a block of {BLOCK} tags, 8 channels, one Correlation: {taken['block'] * 1e3:.3f} ms")
    runs = {"one": through_hub(tags, BLOCK, one, correlations), "two": through_hub(tags, BLOCK, two, correlations)}
    taken = medians(runs, options.rounds, 1, perf_counter)
    speeds = {name: TAGS / 1e6 / seconds for name, seconds in taken.items()}
    ratio = speeds["two"] / speeds["one"]
    print(f"8 Correlations: {speeds['one']:.1f} Mtag/s on one core, {speeds['two']:.1f} on {len(two)}: x {ratio:.2f}")
    tags = poisson(int(1e7 * options.seconds), dict.fromkeys(EIGHT, 1.25e6))
    rounds = min(options.rounds, 3)
    for wanted, clock in ((one, process_time), (two, perf_counter)):
        runs = {"lab": through_hub(tags, STREAM_BLOCK, wanted, laboratory)}
        share = medians(runs, rounds, 1, clock)["lab"] / options.seconds
        print(f"100 measurements, 50 virtual channels, 10 Mtag/s on {len(wanted)} core: {share:.2f} of real time")
    print(f"afterwards {load()}")


if __name__ == "__main__":
    main()
