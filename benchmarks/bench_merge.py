"""Streams of several servers become one, beside NumPy and a plain copy.

    python -m benchmarks merge [--rounds 9] [--tags 2000000]

Poisson streams of 10 Mcps each, in blocks of a live stream (20 ms, 200,000 tags). "kernel" merges block by block;
"confluence" is the whole way of a block into the merged stream, with its channel numbers and who waits for whom. NumPy
concatenates and sorts the times (stable), and takes the channels in that order; "copy" is `np.concatenate` of times and
channels, which is what main memory allows. Medians of interleaved rounds in CPU time. The result of all is compared.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from streams import load, medians

from tagwire.core.tags import TagBlock, concatenate, join
from tagwire.network.confluence import Confluence
from tagwire.network.merge_kernel import merged
from tagwire.network.numbering import Numbering

SPAN = 20 * 10**9
STREAMS = (2, 3, 4)


def server(seed: int, tags: int) -> list[TagBlock]:
    """The stream of one server in blocks."""
    chance = np.random.default_rng(seed)
    time = np.sort(chance.integers(0, tags * 10**5, tags))
    whole = TagBlock(0, tags * 10**5, time, chance.integers(1, 9, tags).astype(np.int32))
    return [whole.take(begin, begin + SPAN) for begin in range(0, whole.end, SPAN)]


def by_kernel(streams: list[list[TagBlock]]) -> TagBlock:
    """Blocks of the same span, merged."""
    return join([merged(parts[0].begin, parts[0].end, list(parts)) for parts in zip(*streams, strict=True)])


def by_numpy(streams: list[list[TagBlock]]) -> TagBlock:
    """The same with a stable sort."""
    out = []
    for parts in zip(*streams, strict=True):
        both = concatenate(parts[0].begin, parts[0].end, list(parts))
        order = np.argsort(both.time, kind="stable")
        out.append(TagBlock(both.begin, both.end, both.time[order], both.channel[order]))
    return join(out)


def by_copy(streams: list[list[TagBlock]]) -> TagBlock:
    """All tags, out of order."""
    return join([concatenate(parts[0].begin, parts[0].end, list(parts)) for parts in zip(*streams, strict=True)])


def by_confluence(streams: list[list[TagBlock]]) -> TagBlock:
    """The whole way, from servers whose blocks come one after the other."""
    numberings = [Numbering(place) for place, _ in enumerate(streams, 1)]
    flow, out = Confluence([0] * len(streams)), []
    for parts in zip(*streams, strict=True):
        for place, (block, numbering) in enumerate(zip(parts, numberings, strict=True)):
            flow.push(place, numbering.block(block), 0.0)
        while (block := flow.take(1 << 62, 0.0)) is not None:
            out.append(block)
    return join(out)


WAYS = {"kernel": by_kernel, "confluence": by_confluence, "NumPy": by_numpy, "copy": by_copy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tags", type=int, default=2_000_000, help="of each stream")
    args = parser.parse_args()
    for count in STREAMS:
        streams = [server(seed, args.tags) for seed in range(count)]
        expected = by_numpy(streams)
        for way in (by_kernel, by_confluence):
            found = way(streams)
            if not np.array_equal(found.time, expected.time):
                raise RuntimeError(f"{way.__name__} differs from NumPy")
            if not np.array_equal(found.channel % 1000, expected.channel):
                raise RuntimeError(f"{way.__name__} has other channels than NumPy")
        seconds = medians({name: partial(way, streams) for name, way in WAYS.items()}, args.rounds)
        rates = {name: count * args.tags / taken / 1e6 for name, taken in seconds.items()}
        print(f"{count} streams: " + ", ".join(f"{name} {rate:.0f} Mtag/s" for name, rate in rates.items()))
    print(load())


if __name__ == "__main__":
    main()
