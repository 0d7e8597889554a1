"""OverflowInjector: independent of block cutting, equal to the oracle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.measurements.countrate import Countrate
from tagwire.testing.oracles.generated import with_overflow
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.overflow import OverflowInjector

CHANNELS = (1, 2, -1)


@given(st.data(), tag_blocks(CHANNELS))
def test_every_tag_of_the_span_is_missed_and_counted(data, block):
    near = st.sampled_from([block.begin, *block.time.tolist()])
    begin = data.draw(st.one_of(near, st.integers(block.begin, block.end)))
    end = data.draw(st.one_of(near, st.integers(begin, block.end + 9)).filter(lambda time: time >= begin))
    tagger = SteppedTagger(block, CHANNELS)
    truth = Countrate(tagger, CHANNELS)
    injector = OverflowInjector(tagger, begin - block.begin, end - begin)
    counted = Countrate(tagger, CHANNELS)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    assert tap.rows() == with_overflow(rows_of(block), begin, end, block.end)
    assert counted.getCountsTotal().tolist() == truth.getCountsTotal().tolist()
    assert injector.getCaptureDuration() == block.end - block.begin
