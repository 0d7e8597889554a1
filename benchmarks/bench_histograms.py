"""Speed of the histograms beyond one pair of channels, streaming, on one core.

    python benchmarks/bench_histograms.py [--tags 2000000] [--block 100000] [--rounds 5]

Each measurement is created on a tagger that plays tags from memory, so what is timed is what a user's measurement
costs. The median and the best of several rounds are shown; every round goes through all cases, so that a busy moment
of the computer does not hit one of them alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

from bench_measurements import cut, poisson

from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.measurements.correlationpairs import CorrelationPairs
from tagwire.measurements.gates import ChannelGate
from tagwire.measurements.histogramnd import Histogram2D, HistogramND
from tagwire.measurements.logbins import HistogramLogBins
from tagwire.measurements.sampler import Sampler
from tagwire.measurements.scope import Scope
from tagwire.measurements.timedifferencesnd import TimeDifferencesND
from tagwire.testing.stepped import SteppedTagger

Create = Callable[[SteppedTagger], IteratorBase]

FCS = {1: 2e5}
TWO_FCS = {1: 1e5, 2: 1e5}
FOUR = {1: 1e6, 2: 1e6, 3: 1e6, 4: 1e6}

CASES: list[tuple[str, dict[int, float], Create]] = [
    ("HistogramLogBins 100 bins 1 µs..1 s, auto, 200 kcps", FCS, lambda t: HistogramLogBins(t, 1, 1, -6, 0, 100)),
    ("HistogramLogBins 100 bins 1 µs..1 s, 2 x 100 kcps", TWO_FCS, lambda t: HistogramLogBins(t, 1, 2, -6, 0, 100)),
    (
        "  the same, gates of 2 x 1 kHz",
        {**TWO_FCS, 3: 1e3, 4: 1e3},
        lambda t: HistogramLogBins(t, 1, 2, -6, 0, 100, ChannelGate(3, 4)),
    ),
    ("CorrelationPairs ±100 ns, 4 channels x 1 Mcps", FOUR, lambda t: CorrelationPairs(t, [1, 2, 3, 4], 1000, 200)),
    ("Histogram2D 100 x 100, 3 x 1 Mcps", FOUR, lambda t: Histogram2D(t, 1, 2, 3, 10**4, 10**4, 100, 100)),
    ("HistogramND 3 axes of 50", FOUR, lambda t: HistogramND(t, 1, [2, 3, 4], [20_000] * 3, [50] * 3)),
    (
        "TimeDifferencesND 1 µs, 1 ns, markers of 2 x 10 kHz",
        {1: 1e6, 2: 1e6, 3: 1e4, 4: 1e4},
        lambda t: TimeDifferencesND(t, 1, 2, [3, 4], [4, 3], [8, 8], 1000, 1000),
    ),
    ("Sampler, trigger 10 kHz, 2 channels", {1: 1e6, 2: 1e6, 3: 1e4}, lambda t: Sampler(t, 3, [1, 2], 10**8)),
    ("Scope, trigger 10 kHz, 10 µs", {1: 1e6, 2: 1e6, 3: 1e4}, lambda t: Scope(t, [1, 2], 3, 10**7, 0)),
]


def once(measurement: IteratorBase, parts: list[TagBlock]) -> float:
    """Mtag/s of a pass over all parts."""
    measurement.clear()
    begin = perf_counter()
    for part in parts:
        measurement._feed(part)
    return sum(len(p) for p in parts) / (perf_counter() - begin) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=2_000_000, help="tags in the stream")
    parser.add_argument("--block", type=int, default=100_000, help="tags in a block")
    parser.add_argument("--rounds", type=int, default=5, help="rounds")
    options = parser.parse_args()
    streams = {name: cut(poisson(options.tags, rates), options.block) for name, rates, _ in CASES}
    measured = {name: create(SteppedTagger(streams[name][0], list(rates))) for name, rates, create in CASES}
    speeds: dict[str, list[float]] = {name: [] for name in measured}
    for name, measurement in measured.items():
        measurement._feed(streams[name][0])
    for _ in range(options.rounds):
        for name, measurement in measured.items():
            speeds[name].append(once(measurement, streams[name]))
    print(f"{'Mtag/s':55} {'median':>8} {'best':>8}")
    for name, values in speeds.items():
        print(f"{name:55} {median(values):8.1f} {max(values):8.1f}")


if __name__ == "__main__":
    main()
