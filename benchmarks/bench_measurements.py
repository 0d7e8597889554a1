"""Speed of the time histograms, streaming, on one core, beside a plain scan of the same time stamps.

    python -m benchmarks measurements [--tags 5000000] [--block 100000] [--rounds 5]

Each measurement is created on a tagger that plays tags from memory, so what is timed is what a user's measurement
costs. The best of several rounds counts; the scan is NumPy's maximum over the same blocks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

from streams import cut, poisson

from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.startstop import StartStop
from tagwire.measurements.timedifferences import TimeDifferences
from tagwire.testing.stepped import SteppedTagger

Create = Callable[[SteppedTagger], IteratorBase]


def rate(fold: Callable[[TagBlock], object], parts: list[TagBlock], rounds: int) -> float:
    """Mtag/s of the best round."""
    best = float("inf")
    for _ in range(rounds):
        begin = perf_counter()
        for part in parts:
            fold(part)
        best = min(best, perf_counter() - begin)
    return sum(len(p) for p in parts) / best / 1e6


CASES: list[tuple[str, dict[int, float], Create]] = [
    ("Correlation ±1 µs, 1 ns, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: Correlation(t, 1, 2, 1000, 2000)),
    ("Correlation ±10 ns, 1 ps, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: Correlation(t, 1, 2, 1, 20_000)),
    ("Correlation ±10 µs, 10 ns, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: Correlation(t, 1, 2, 10_000, 2000)),
    ("Correlation ±1 µs, auto, 1 Mcps", {1: 1e6}, lambda t: Correlation(t, 1, binwidth=1000, n_bins=2000)),
    ("Histogram 12.5 ns, 50 ps, 80 + 1 Mcps", {1: 1e6, 2: 8e7}, lambda t: Histogram(t, 1, 2, 50, 250)),
    ("Histogram 1 µs, 1 ns, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: Histogram(t, 1, 2, 1000, 1000)),
    ("StartStop 1 ns, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: StartStop(t, 1, 2, 1000)),
    ("StartStop 1 ps, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: StartStop(t, 1, 2, 1)),
    ("TimeDifferences 1 µs, 1 ns, 2 x 1 Mcps", {1: 1e6, 2: 1e6}, lambda t: TimeDifferences(t, 1, 2, n_bins=1000)),
    (
        "  the same, 100 kHz markers",
        {1: 1e6, 2: 1e6, 3: 1e5},
        lambda t: TimeDifferences(t, 1, 2, 3, n_bins=1000, n_histograms=64),
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=5_000_000, help="tags in the stream")
    parser.add_argument("--block", type=int, default=100_000, help="tags in a block")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the best counts")
    options = parser.parse_args()
    print(f"{'':40} {'Mtag/s':>9} {'ms/block':>9} {'scan Mtag/s':>12}")
    for name, rates, create in CASES:
        block = poisson(options.tags, rates)
        parts = cut(block, options.block)
        measurement = create(SteppedTagger(block, list(rates)))
        measurement._process(parts[0])
        speed = rate(measurement._feed, parts, options.rounds)
        scan = rate(lambda part: part.time.max(), parts, options.rounds)
        print(f"{name:40} {speed:9.0f} {options.block / speed / 1e3:9.3f} {scan:12.0f}")


if __name__ == "__main__":
    main()
