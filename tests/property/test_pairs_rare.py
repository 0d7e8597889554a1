"""Pairs of a rare and a dense channel: found round the rare tags, the same as when every tag is looked at."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tagwire.measurements.pairs import STRETCH, PairCounter

CLICK, START, OTHER = 1, 2, 3


def expected(clicks: np.ndarray, starts: np.ndarray, width: int, bins: int, offset: int) -> np.ndarray:
    """Every click with every start."""
    places = (clicks[:, None] - starts[None, :] + offset) // width
    return np.bincount(places[(places >= 0) & (places < bins)], minlength=bins)


def stream(seed: int, size: int, share: float, grain: int, swap: bool) -> tuple[np.ndarray, np.ndarray]:
    """Tags on a raster of `grain` ps, so that many are simultaneous; a `share` of them on the rare channel."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 40 * size // grain + 1, size)) * grain
    rare, dense = (START, CLICK) if swap else (CLICK, START)
    kinds = rng.choice([rare, dense, OTHER], size, p=[share, 0.8 - share, 0.2]).astype(np.int32)
    return time.astype(np.int64), kinds


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 600),
    share=st.sampled_from([0.0, 0.003, 0.02, 0.1]),
    grain=st.sampled_from([1, 40, 300]),
    swap=st.booleans(),
    width=st.integers(1, 90),
    bins=st.integers(1, 30),
    shift=st.floats(0, 1),
    parts=st.sampled_from([1, 2, 3, 7, 10_000]),
)
@example(seed=1, size=2 * STRETCH + 5000, share=0.01, grain=1, swap=False, width=3, bins=30, shift=0.5, parts=1)
@example(seed=2, size=2 * STRETCH + 5000, share=0.01, grain=40, swap=True, width=50, bins=20, shift=0.0, parts=2)
@settings(max_examples=300, deadline=None)
def test_counts_are_those_of_every_click_with_every_start(seed, size, share, grain, swap, width, bins, shift, parts):
    time, channel = stream(seed, size, share, grain, swap)
    offset = int(shift * (width * bins - 1))
    counter = PairCounter(CLICK, START, width, bins, offset)
    for t, c in zip(np.array_split(time, parts), np.array_split(channel, parts), strict=True):
        counter.count(t, c)
    clicks, starts = time[channel == CLICK], time[channel == START]
    assert counter.events.tolist() == [len(clicks), len(starts)]
    few, many = (clicks, starts) if len(clicks) < len(starts) else (starts, clicks)
    total = np.zeros(bins, np.int64)
    for each in few:
        near = many[np.searchsorted(many, each - width * bins) : np.searchsorted(many, each + width * bins, "right")]
        pair = (np.array([each]), near) if few is clicks else (near, np.array([each]))
        total += expected(*pair, width, bins, offset)
    assert counter.counts[0].tolist() == total.tolist()
