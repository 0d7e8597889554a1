"""CountBetweenMarkers against its oracle, wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.measurements.markers import CountBetweenMarkers
from tagwire.testing.oracles.counting import count_between_markers
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1)
channel = st.sampled_from(CHANNELS)


@given(
    st.data(), tag_blocks(channels=CHANNELS), channel, channel, channel | st.just(CHANNEL_UNUSED), st.integers(1, 12)
)
def test_gates_do_not_depend_on_the_cuts(data, block, click, begin, end, n_values):
    tagger = SteppedTagger(block, CHANNELS)
    measured = CountBetweenMarkers(tagger, click, begin, end, n_values)
    tagger.play(data.draw(cuts(block)))
    gates = count_between_markers(block, click, begin, end, n_values)
    empty = [0] * (n_values - len(gates))
    assert measured.getData().tolist() == [g.clicks for g in gates] + empty
    assert measured.getIndex().tolist() == [g.index for g in gates] + empty
    assert measured.getBinWidths().tolist() == [g.width for g in gates] + empty
    full = len(gates) == n_values
    assert measured.ready() == full
    assert measured.isRunning() == (not full)
    if full:
        first = next(e for e in zip(block.time, block.channel, block.types, strict=True) if e[1:] == (begin, 0))
        assert measured.getCaptureDuration() == int(first[0]) + gates[-1].index + gates[-1].width - block.begin
    else:
        assert measured.getCaptureDuration() == block.end - block.begin
