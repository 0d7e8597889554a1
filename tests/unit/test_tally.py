"""Counting by channel: every number of channels, every length."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import ChannelIndex
from tagwire.measurements.tally import numbers_of, places_of, sums_of, tally


@pytest.mark.parametrize(
    "channels", [[3], [1, 2], [-3, 5, 4], list(range(1, 9)), list(range(-4, 5)), list(range(1, 17)), list(range(2, 60))]
)
@pytest.mark.parametrize("size", [0, 1, 255, 256, 1023, 5000])
def test_every_tag_counts_once(channels, size):
    index = ChannelIndex(channels)
    stream = np.random.default_rng(size).integers(-5, 12, size).astype(np.int32)
    # A long row of one channel.
    stream[size // 2 :] = channels[0]
    sums = sums_of(index)
    begin, end = size // 7, size - size // 9
    for low, high in ((begin, end), (end, end)):
        tally(stream, np.uint64(low), np.uint64(high), places_of(index), numbers_of(index), index.first, sums)
    expected = [np.count_nonzero(stream[begin:end] == channel) for channel in channels]
    assert sums[0, : len(channels)].tolist() == expected
