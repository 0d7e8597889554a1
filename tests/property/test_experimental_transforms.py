"""Transformations of channels: equal to the oracle or to what randomness allows, however the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.tags import TagType
from tagwire.simulation.experimental import Experimental
from tagwire.testing.oracles import simulation as oracle
from tagwire.testing.oracles.virtual import EVENTS, with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, distances, tag_blocks
from tagwire.testing.tap import Tap, rows_of

CHANNELS = (1, 2, 3, -1)
PS = 1e-12

few = settings(max_examples=60)


def expected(block, changed, transform, copy):
    rows = rows_of(block)
    if copy:
        return with_added(rows, changed, block.begin, block.end)
    return oracle.replaced(rows, changed, transform.getChannel(), block.begin, block.end)


def played(data, block, make):
    """The tags behind what `make` puts on a tagger, for some cuts and for none; what was made; the tags."""
    results = []
    for where in (data.draw(cuts(block)), []):
        tagger = SteppedTagger(block, CHANNELS)
        made = make(tagger)
        tap = Tap(tagger)
        tagger.play(where)
        results.append(tap.rows())
    assert results[0] == results[1]
    return made, results[0]


@few
@given(st.data(), tag_blocks(CHANNELS), st.booleans())
def test_dead_time(data, block, copy):
    dead_time = data.draw(distances(block))
    made, rows = played(data, block, lambda t: Experimental.TransformDeadtime(t, 1, dead_time * PS, copy))
    assert rows == expected(block, oracle.apart(rows_of(block), 1, made.getChannel(), dead_time), made, copy)


@few
@given(st.data(), tag_blocks(CHANNELS), st.sampled_from(CHANNELS), st.integers(0, 500), st.booleans())
def test_crosstalk(data, block, relay, delay, copy):
    tau = 70
    made, rows = played(data, block, lambda t: Experimental.TransformCrosstalk(t, 1, relay, delay * PS, tau * PS, copy))
    changed = oracle.pulled(rows_of(block), 1, relay, made.getChannel(), delay * PS * 1e12, tau * PS * 1e12)
    assert rows == expected(block, changed, made, copy)


@few
@given(st.data(), tag_blocks(CHANNELS), st.floats(0, 1), st.booleans())
def test_efficiency(data, block, efficiency, copy):
    made, rows = played(data, block, lambda t: Experimental.TransformEfficiency(t, 1, efficiency, copy, seed=4))
    before = [r for r in rows_of(block) if r[1] == 1 and r[2] in EVENTS]
    after = [r for r in rows if r[1] == made.getChannel() and r[2] in EVENTS]
    assert rows == expected(block, after, made, copy)
    left = list(before)
    for time, _, kind, missed in after:
        place = next(i for i, r in enumerate(left) if (r[0], r[2]) == (time, kind) and r[3] >= missed)
        assert kind == TagType.TimeTag or missed > 0
        del left[: place + 1]
    if efficiency in (0, 1):
        assert len(after) == len(before) * efficiency


@few
@given(st.data(), tag_blocks(CHANNELS, overflows=False), st.integers(0, 100), st.booleans())
def test_broadening(data, block, width, copy):
    made, rows = played(data, block, lambda t: Experimental.TransformGaussianBroadening(t, 1, width * PS, copy, seed=4))
    before = np.array([r[0] for r in rows_of(block) if r[1] == 1], np.int64)
    after = np.array([r[0] for r in rows if r[1] == made.getChannel()], np.int64)
    assert rows == expected(block, [(t, made.getChannel(), 0, 0) for t in after.tolist()], made, copy)
    # Sorted events that each move by at most five sigma lie, one by one, that near; some leave the span.
    inside = np.searchsorted(before, [block.begin + 5 * width, block.end - 5 * width])
    assert inside[1] - inside[0] <= len(after) <= len(before)
    if len(after) == len(before):
        assert np.all(np.abs(after - before) <= 5 * width + 1)


@few
@given(st.data(), tag_blocks(CHANNELS), st.floats(0, 1))
def test_splitter(data, block, ratio):
    made, rows = played(data, block, lambda t: Experimental.SimSignalSplitter(t, 1, ratio, seed=4))
    added = [r for r in rows if r[1] in made.getChannels()]
    assert [r for r in rows if r[1] not in made.getChannels()] == rows_of(block)
    assert made.getChannels() == (made.getLeftChannel(), made.getRightChannel())

    def counted(events):
        return [
            (t, kind, sum(r[3] or 1 for r in events if (r[0], r[2]) == (t, kind)))
            for t, kind in sorted({(r[0], r[2]) for r in events})
        ]

    assert counted(added) == counted([r for r in rows_of(block) if r[1] == 1 and r[2] in EVENTS])


@few
@given(st.data(), tag_blocks(CHANNELS), st.integers(1, 200), st.floats(-3, 3).filter(lambda s: abs(s) > 0.01))
def test_photon_number(data, block, dead_time, slope):
    lines = sorted({float(x) for x in data.draw(st.lists(st.integers(-50, 50), min_size=1, max_size=3))}, reverse=True)
    made, rows = played(data, block, lambda t: Experimental.PhotonNumber(t, 3, 1, -1, slope, lines, dead_time))
    assert len(made.getChannels()) == len(lines) + 1
    added = oracle.photon_numbers(rows_of(block), (3, 1, -1), made.getChannels(), slope, lines, dead_time)
    assert rows == with_added(rows_of(block), added, block.begin, block.end)


@few
@given(st.data(), tag_blocks(CHANNELS))
def test_a_detector_and_a_lifetime_do_not_depend_on_cuts(data, block):
    def make(tagger):
        life = Experimental.SimLifetime(tagger, 1, 40 * PS, 1.5, seed=2)
        life.registerLifetimeReactor(2, [10 * PS, 300 * PS], True)
        life.registerEmissionReactor(1, [0.0, 3.0, 1.0], False)
        detector = Experimental.SimDetector(tagger, life.getChannel(), 0.7, 1e9, 30 * PS, 20 * PS, seed=2)
        return life, detector

    (life, detector), rows = played(data, block, make)
    untouched = (life.getChannel(), detector.getChannel())
    assert [r for r in rows if r[1] not in untouched] == rows_of(block)
    clicks = [r[0] for r in rows if r[1] == detector.getChannel()]
    assert all(b - a >= 20 for a, b in pairwise(clicks))
