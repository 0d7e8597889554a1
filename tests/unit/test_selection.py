"""Which tags are selected, and how many of each channel there are, for few channels and many."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.overflows import gap
from tagwire.core.tags import TagBlock, concatenate
from tagwire.engine.selection import FEW, count_events, select

SOME = gap(0, 10_000, (1, 40, -3), np.array([70_000, 1, 0]))


@pytest.mark.parametrize("size", [1, 3, FEW, FEW + 1, 60])
@pytest.mark.parametrize("plain", [True, False])
def test_events_of_each_channel(size: int, plain: bool) -> None:
    rng = np.random.default_rng(size)
    channel = rng.integers(-5, 60, 10_000).astype(np.int32)
    tags = TagBlock(0, 10_000, np.arange(10_000), channel)
    block = tags if plain else concatenate(0, 10_000, [tags, SOME])
    index = ChannelIndex(rng.permutation(np.arange(-4, 57))[:size])
    missed = {} if plain else {1: 70_000, 40: 1}
    expected = [np.count_nonzero(channel == c) + missed.get(c, 0) for c in index.channels]
    assert count_events(block, index).tolist() == expected
    selected = select(block, index)
    assert count_events(selected, index).tolist() == expected
    assert set(selected.channel.tolist()) <= {*index.channels, CHANNEL_UNUSED}
    assert np.count_nonzero(selected.types == 0) == sum(np.count_nonzero(channel == c) for c in index.channels)
