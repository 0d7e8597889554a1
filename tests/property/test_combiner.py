"""The combiner: independent of block cutting, equal to the oracle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.testing.oracles.virtual import combined, combined_counts, with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.combiner import Combiner

CHANNELS = (1, 2, 3, -1)


@given(st.data(), tag_blocks(CHANNELS))
def test_all_events_under_one_number(data, block):
    tagger = SteppedTagger(block, CHANNELS)
    inputs = data.draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5))
    combiner = Combiner(tagger, inputs)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = combined(rows, inputs, combiner.getChannel())
    assert tap.rows() == with_added(rows, added, block.begin, block.end)
    assert combiner.getChannelCounts().tolist() == combined_counts(rows, inputs)
    assert combiner.getData().tolist() == combined_counts(rows, inputs)
