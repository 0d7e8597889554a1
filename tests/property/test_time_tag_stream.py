"""TimeTagStream against its oracle, wherever the stream is cut and whenever it is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagType
from tagwire.measurements.stream import TimeTagStream, TimeTagStreamBuffer
from tagwire.testing.oracles.counting import Event
from tagwire.testing.oracles.stream import time_tag_stream
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1)
channel_lists = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5)


def contents(buffer: TimeTagStreamBuffer) -> list[Event]:
    columns = buffer.getTimestamps(), buffer.getChannels(), buffer.getEventTypes(), buffer.getMissedEvents()
    return [Event(*row) for row in zip(*[c.tolist() for c in columns], strict=True)]


@given(st.data(), tag_blocks(channels=CHANNELS), channel_lists, st.integers(1, 70))
def test_the_first_tags_are_kept_wherever_the_stream_is_cut(data, block, channels, limit):
    tagger = SteppedTagger(block, CHANNELS)
    stream = TimeTagStream(tagger, limit, channels)
    tagger.play(data.draw(cuts(block)))
    expected = time_tag_stream(block, channels, limit)
    assert stream.getCounts() == len(expected)
    buffer = stream.getData()
    assert contents(buffer) == expected
    assert buffer.size == len(expected)
    assert buffer.hasOverflows == any(e.type > TagType.Error for e in expected)
    assert (buffer.tStart, buffer.tGetData) == (block.begin, block.end)
    assert stream.getCounts() == 0


@given(st.data(), tag_blocks(channels=CHANNELS), channel_lists)
def test_reading_in_parts_gives_every_tag_once(data, block, channels):
    tagger = SteppedTagger(block, CHANNELS)
    stream = TimeTagStream(tagger, 10**9, channels)
    read: list[Event] = []
    for cut in [*data.draw(cuts(block)), block.end]:
        tagger.advance(cut)
        buffer = stream.getData()
        assert buffer.tStart == block.begin
        assert buffer.tGetData == cut
        read += contents(buffer)
    assert read == time_tag_stream(block, channels, 10**9)
