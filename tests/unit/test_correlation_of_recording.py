"""Correlation of a real recording: photons of a single quantum emitter, excited at 320 MHz, on two detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ptufile
import pytest

from tagwire.core.tags import TagBlock
from tagwire.measurements.correlation import Correlation
from tagwire.testing.stepped import SteppedTagger


@pytest.fixture
def block(recordings: Path) -> TagBlock:
    """The photons of the recording; detectors 0 and 1 become channels 1 and 2."""
    with ptufile.PtuFile(recordings / "hbt_320MHz_T2.ptu") as file:
        records = file.decode_records()
    photons = records[records["channel"] >= 0]
    time = photons["time"].astype(np.int64)
    return TagBlock(0, int(time[-1]) + 1, time, photons["channel"].astype(np.int32) + 1)


def plain_correlation(clicks: np.ndarray, starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Pairs with ``edges[k] <= t(click) - t(start) < edges[k + 1]``."""
    low = np.searchsorted(clicks, starts + edges[0])
    high = np.searchsorted(clicks, starts + edges[-1])
    found = [clicks[a:b] - t for a, b, t in zip(low, high, starts, strict=True) if b > a]
    return np.bincount(np.searchsorted(edges, np.concatenate(found), side="right") - 1, minlength=len(edges) - 1)


def test_every_bin_equals_a_plain_computation(block):
    binwidth, n_bins = 100, 1001
    tagger = SteppedTagger(block)
    measured = Correlation(tagger, 1, 2, binwidth, n_bins)
    tagger.play(range(0, block.end, 10**10 + 7))
    edges = (np.arange(n_bins + 1) - n_bins // 2) * binwidth - binwidth // 2
    clicks, starts = block.time[block.channel == 1], block.time[block.channel == 2]
    expected = plain_correlation(clicks, starts, edges)
    assert (len(clicks), len(starts)) == (159_298, 224_721)
    assert expected.sum() > 10_000
    assert measured.getData().tolist() == expected.tolist()
    seconds = block.end * 1e-12
    rates = len(clicks) / seconds * (len(starts) / seconds)
    np.testing.assert_allclose(measured.getDataNormalized(), expected / (rates * binwidth * 1e-12 * seconds))


def test_the_emitter_never_sends_two_photons_at_once(block):
    tagger = SteppedTagger(block)
    measured = Correlation(tagger, 1, 2, 100, 1001)
    tagger.play()
    index, counts = measured.getIndex(), measured.getData()
    peaks = {m: int(counts[np.abs(index - (-23_900 + 3125 * m)) <= 1500].sum()) for m in range(-3, 4)}
    assert peaks.pop(0) <= 3
    assert min(peaks.values()) > 400
