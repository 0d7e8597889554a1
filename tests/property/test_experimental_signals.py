"""Generated signals: a function of seed, parameters and start, however the stream is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, join
from tagwire.simulation.experimental import Experimental
from tagwire.testing.oracles.simulation import pattern
from tagwire.testing.oracles.virtual import with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of

SPAN = 2 * 10**9
E = Experimental


class Wave(E.PhotonGenerator):
    """A light of the user's own."""

    def __init__(self, tagger, base, seed):
        super().__init__(tagger, 1e7, base, seed)
        self.phase = 0
        self.finalize_init()

    def get_intensity(self):
        self.phase += 1
        return 1 + np.sin(self.phase / 10)

    def on_restart(self, restart_time):
        super().on_restart(restart_time)
        self.phase = 0


SIGNALS = {
    "exponential": lambda t, base, seed: E.ExponentialSignalGenerator(t, 1e6, base, seed),
    "gamma": lambda t, base, seed: E.GammaSignalGenerator(t, 0.5, 2e-6, base, seed),
    "gaussian": lambda t, base, seed: E.GaussianSignalGenerator(t, 1e-6, 1e-6, base, seed),
    "two states": lambda t, base, seed: E.TwoStateExponentialSignalGenerator(t, 5e-7, 5e-7, base, seed),
    "uniform": lambda t, base, seed: E.UniformSignalGenerator(t, 2_000_000, 1, base, seed),
    "oscillator": lambda t, base, seed: E.OscillatorSimulation(t, 1e6, 1e-7, 1e-8, 1e-6, 1e-3, 1e-3, 1e-3, base, seed),
    "markov": lambda t, base, seed: E.MarkovProcessGenerator(
        t, 3, [0, 1e6, 1e6, 5e6, 0, 0, 1e7, 1e6, 0], [-1, 0, 1, 0, -1, -1, 1, 0, -1], [base, CHANNEL_UNUSED], seed
    ),
    "photons": lambda t, base, seed: E.PhotonGenerator(t, 1e6, base, seed),
    "wave": Wave,
    "dls": lambda t, base, seed: E.DlsSignalGenerator(t, [1e-5, 3e-5], 1e6, base, seed),
    "fcs": lambda t, base, seed: E.FcsSignalGenerator(t, 1e-5, 1e6, 1.5, base, seed),
}


def played(make, where, begin=0, span=SPAN, base=CHANNEL_UNUSED, seed=5):
    tagger = SteppedTagger(TagBlock.empty(begin, begin + span), (1, 2))
    signal = make(tagger, base, seed)
    tap = Tap(tagger)
    tagger.play(where)
    return signal, tap.rows()


@pytest.mark.parametrize("name", SIGNALS)
@settings(max_examples=8)
@given(st.lists(st.integers(0, SPAN), max_size=6), st.sampled_from([0, -(10**12), 2**61]))
def test_cuts_change_nothing_and_time_only_shifts(name, where, begin):
    _, whole = played(SIGNALS[name], [])
    _, rows = played(SIGNALS[name], [begin + w for w in where], begin)
    assert [(t - begin, c) for t, c, *_ in rows] == [(t, c) for t, c, *_ in whole]
    assert len(whole) > 500
    assert whole == sorted(whole)


@pytest.mark.parametrize("name", SIGNALS)
def test_seeds_select_the_tags(name):
    make = SIGNALS[name]
    _, five = played(make, [])
    assert played(make, [])[1] == five
    assert played(make, [], seed=6)[1] != five
    assert played(make, [], seed=0)[1] == played(make, [], seed=0)[1]
    assert played(make, [], seed=-1)[1] != played(make, [], seed=-1)[1]


@pytest.mark.parametrize("name", SIGNALS)
def test_a_base_channel_gets_the_tags_on_top(name):
    own, alone = played(SIGNALS[name], [])
    signal, rows = played(SIGNALS[name], [], base=2)
    assert signal.getChannel() == 2
    assert [t for t, c, *_ in rows if c == 2] == [t for t, c, *_ in alone if c == own.getChannel()]


@pytest.mark.parametrize("name", SIGNALS)
def test_clearing_begins_anew_and_restarting_goes_on(name):
    tagger = SteppedTagger(TagBlock.empty(0, 3 * SPAN), (1, 2))
    signal = SIGNALS[name](tagger, 2, 5)
    tap = Tap(tagger)
    tagger.advance(SPAN)
    signal.clear()
    tagger.advance(2 * SPAN)
    signal.stop()
    signal.start()
    tagger.play()
    first, second, third = (
        [t - k * SPAN for t, c, *_ in tap.rows() if c == 2 and k * SPAN <= t < (k + 1) * SPAN] for k in range(3)
    )
    assert first == second
    assert third != second
    assert third[0] >= 0


@given(
    st.data(),
    tag_blocks((1, 2)),
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
    st.booleans(),
    st.integers(0, 200),
    st.integers(1, 50),
)
def test_patterns(data, block, distances, repeat, delay, spacing):
    tagger = SteppedTagger(block, (1, 2))
    signal = E.PatternSignalGenerator(tagger, distances, repeat, delay, spacing)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    times = pattern(distances, repeat, delay, spacing, block.begin, block.end)
    added = [(t, signal.getChannel(), 0, 0) for t in times]
    assert tap.rows() == with_added(rows_of(block), added, block.begin, block.end)


def test_photons_can_be_taken_one_by_one():
    tagger = SteppedTagger(TagBlock.empty(0, 10**9), (1,))
    light = E.PhotonGenerator(tagger, 1e6, CHANNEL_UNUSED, 3)
    _, rows = played(lambda t, base, seed: E.PhotonGenerator(t, 1e6, base, 3), [])
    light.initialize(0)
    assert [light.get_next() for _ in range(20)] == [t for t, *_ in rows][:20]
    assert light.get_intensity() == 1.0
    dark = E.PhotonGenerator(tagger, 0.0, CHANNEL_UNUSED, 3)
    dark.set_T_PERIOD(10**12)
    assert dark.get_T_PERIOD() == 10**12


def test_the_stream_itself_is_not_changed():
    block = TagBlock(0, SPAN, np.arange(0, SPAN, 10**6), np.ones(SPAN // 10**6, np.int32))
    tagger = SteppedTagger(block, (1,))
    E.ExponentialSignalGenerator(tagger, 1e6, seed=1)
    signal = E.ExponentialSignalGenerator(tagger, 1e6, seed=1)
    tap = Tap(tagger)
    tagger.play([SPAN // 3])
    whole = join([tap.block()])
    assert np.array_equal(whole.time[whole.channel == 1], block.time)
    assert np.any(whole.channel == signal.getChannel())
