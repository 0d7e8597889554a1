"""Every light is a pure function of seed, configuration and stream time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.models import TIME_TAGGER_X
from tagwire.core.tags import join
from tagwire.sources.light import PoissonLight
from tagwire.sources.light_diffusion import Diffusion
from tagwire.sources.light_fluorescence import Fluorescence
from tagwire.sources.light_pairs import PhotonPairs
from tagwire.sources.light_thermal import ThermalLight
from tagwire.sources.simulated import SimulatedSource

CHANNELS = (1, 2, 3)
LIGHTS = {
    "poisson": PoissonLight(1e5),
    "thermal": ThermalLight(3e4, 1e10),
    "pairs": PhotonPairs(1, 1e5, dark_rate=1e4, detector_dead_time=10**8, afterpulsing_probability=0.2, idler_delay=5),
    "fluorescence": Fluorescence(1e5, 1e6, (1e8, 1e3), (1, 2), detector_dead_time=10**7, sync=8),
    "diffusion": Diffusion(5e4, 1.0, 5e9),
}


def source(name, begin, seed=3):
    made = SimulatedSource(TIME_TAGGER_X, seed, begin)
    made.illuminate(CHANNELS, LIGHTS[name])
    return made


def read(made, spans, total, wanted):
    end = made.position + total
    blocks = []
    remaining = iter(spans)
    while made.position < end:
        blocks.append(made.read(min(next(remaining, total), end - made.position), wanted))
    return join(blocks)


@pytest.mark.parametrize("name", LIGHTS)
@settings(max_examples=10)
@given(
    st.lists(st.integers(1, 15 * 10**9), max_size=6),
    st.integers(-(10**13), 10**15),
    st.integers(0, 40 * 10**9),
    st.sets(st.sampled_from([1, 2, 3, -1, 8]), min_size=1),
)
def test_tags_depend_on_time_alone(name, spans, begin, later, listen):
    total, everything = 45 * 10**9, {1, -1, 2, 3, 8}
    whole = read(source(name, begin), [], total, everything)
    pulled = read(source(name, begin), spans, total, everything)
    assert np.array_equal(whole.time, pulled.time)
    assert np.array_equal(whole.channel, pulled.channel)
    assert len(whole) > 1_000
    late = source(name, begin)
    read(late, [], max(later, 1), ())
    part = read(late, [], total - max(later, 1), listen)
    expected = whole.take(part.begin, part.end)
    heard = np.isin(expected.channel, list(listen))
    assert np.array_equal(part.time, expected.time[heard])
    assert np.array_equal(part.channel, expected.channel[heard])


@pytest.mark.parametrize("name", LIGHTS)
def test_seeds_make_the_difference(name):
    first, second = (read(source(name, 0, seed), [], 2 * 10**10, CHANNELS) for seed in (1, 2))
    assert not np.array_equal(first.time, second.time)


def test_a_falling_edge_of_steady_light_lies_two_jitters_from_its_rising_one():
    whole = read(source("poisson", 0), [], 10**12, {1, -1})
    rising, falling = (whole.time[whole.channel == c] for c in (1, -1))
    size = min(len(rising), len(falling))
    width = falling[:size] - rising[:size]
    expected = np.sqrt(2) * TIME_TAGGER_X.jitter_rms
    assert abs(width.mean() - 10_000) < 5 * expected / np.sqrt(size)
    assert abs(width.std() - expected) < 5 * expected / np.sqrt(2 * size) + 0.1
