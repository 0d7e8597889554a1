"""GatedCounter against its oracle, wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.measurements.gatedcounter import GatedCounter
from tagwire.measurements.markers import CountBetweenMarkers
from tagwire.testing.oracles.counting import count_between_markers
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1)
channel = st.sampled_from(CHANNELS)


@given(
    st.data(),
    tag_blocks(channels=CHANNELS),
    st.lists(channel, min_size=1, max_size=5),
    channel,
    channel | st.just(CHANNEL_UNUSED),
    st.integers(1, 12),
)
def test_every_channel_is_counted_as_if_it_were_alone(data, block, clicks, begin, end, n_values):
    tagger = SteppedTagger(block, CHANNELS)
    measured = GatedCounter(tagger, clicks, begin, end, n_values)
    alone = CountBetweenMarkers(tagger, clicks[-1], begin, end, n_values)
    tagger.play(data.draw(cuts(block)))
    gates = [count_between_markers(block, click, begin, end, n_values) for click in clicks]
    empty = [0] * (n_values - len(gates[0]))
    assert measured.getData().tolist() == [[gate.clicks for gate in row] + empty for row in gates]
    assert measured.getIndex().tolist() == [gate.index for gate in gates[0]] + empty
    assert measured.getBinWidths().tolist() == [gate.width for gate in gates[0]] + empty
    assert measured.ready() == (len(gates[0]) == n_values)
    assert measured.getData()[-1].tolist() == alone.getData().tolist()
    assert measured.getCaptureDuration() == alone.getCaptureDuration()
