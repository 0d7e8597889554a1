"""What a custom measurement and an Iterator get, wherever the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TagType
from tagwire.measurements.custom import CustomMeasurement
from tagwire.measurements.fifo import Iterator
from tagwire.testing.oracles.counting import events
from tagwire.testing.oracles.stream import time_tag_stream
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1, 1001)


class Recorder(CustomMeasurement):
    """Keeps every call."""

    def __init__(self, tagger, channels):
        super().__init__(tagger)
        self.calls = []
        for channel in channels:
            self.register_channel(channel)
        self.finalize_init()

    def process(self, incoming_tags, begin_time, end_time):
        self.calls.append((incoming_tags, begin_time, end_time))


@given(st.data(), tag_blocks(channels=CHANNELS), st.sets(st.sampled_from(CHANNELS)))
def test_the_calls_together_are_the_stream_of_the_registered_channels(data, block, channels):
    tagger = SteppedTagger(block, CHANNELS)
    recorder = Recorder(tagger, channels)
    tagger.play(data.draw(cuts(block)))
    tags = np.concatenate([tags for tags, _, _ in recorder.calls])
    rows = [(e.type, e.missed, e.channel, e.time) for e in time_tag_stream(block, sorted(channels), 10**6)]
    assert tags.tolist() == rows
    assert tags.dtype == CustomMeasurement.INCOMING_TAGS_DTYPE
    for part, _, _ in recorder.calls:
        assert not part.view(np.uint8).reshape(-1, 16)[:, 1].any()  # nothing by chance between the fields
    edges = [begin for _, begin, _ in recorder.calls] + [block.end]
    assert [(begin, end) for _, begin, end in recorder.calls] == list(pairwise(edges))
    assert edges[0] == block.begin
    assert all(begin <= t < end for part, begin, end in recorder.calls for t in part["time"])


@given(st.data(), tag_blocks(channels=(1, 2)), st.integers(0, 5))
def test_an_iterator_hands_out_the_time_tags_in_order(data, block, taken):
    tagger = SteppedTagger(block, (1, 2))
    queue = Iterator(tagger, 1)
    times = [e.time for e in events(block) if e.channel == 1 and e.type == TagType.TimeTag]
    middle, *rest = *data.draw(cuts(block)), block.end
    tagger.advance(middle)
    early = [queue.next() for _ in range(min(taken, queue.size()))]
    tagger.play(rest)
    assert early + [queue.next() for _ in range(queue.size())] == times
    assert queue.size() == 0
