"""TimeTagStream and its buffers: limits, types, and what a buffer knows of its span."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError
from tagwire.measurements.stream import TimeTagStream, TimeTagStreamBuffer
from tagwire.testing.stepped import SteppedTagger

TEN = TagBlock(0, 100, np.arange(0, 100, 10), np.ones(10, np.int32))


def test_a_full_buffer_drops_what_follows_until_it_is_taken():
    tagger = SteppedTagger(TEN)
    stream = TimeTagStream(tagger, 3, [1])
    tagger.advance(55)
    assert stream.getCounts() == 3
    full = stream.getData()
    assert (full.size, full.getTimestamps().tolist()) == (3, [0, 10, 20])
    tagger.play()
    assert stream.getData().getTimestamps().tolist() == [60, 70, 80]


def test_the_limit_takes_no_memory_in_advance():
    tagger = SteppedTagger(TEN)
    stream = TimeTagStream(tagger, 10**15, [1])
    tagger.play()
    assert stream.getData().size == 10


def test_it_grows_beyond_its_first_capacity_and_keeps_what_it_has():
    n = 10_000
    block = TagBlock(0, n, np.arange(n), np.ones(n, np.int32))
    tagger = SteppedTagger(block)
    stream = TimeTagStream(tagger, n - 1, [1])
    tagger.play(range(0, n, 1000))
    assert stream.getData().getTimestamps().tolist() == list(range(n - 1))


def test_a_buffer_knows_when_the_capture_began_and_how_far_it_got():
    tagger = SteppedTagger(TEN)
    tagger.advance(15)
    stream = TimeTagStream(tagger, 100, [1])
    empty = stream.getData()
    assert (empty.tStart, empty.tGetData, empty.size) == (15, 15, 0)
    tagger.advance(35)
    first = stream.getData()
    assert (first.tStart, first.tGetData) == (15, 35)
    stream.stop()
    tagger.advance(50)
    stream.start()
    tagger.advance(75)
    second = stream.getData()
    assert (second.tStart, second.tGetData) == (15, 75)
    assert second.getTimestamps().tolist() == [50, 60, 70]
    stream.clear()
    tagger.play()
    assert stream.getData().tStart == 75


def test_a_buffer_is_a_snapshot_with_arrays_of_its_own():
    tagger = SteppedTagger(TEN)
    stream = TimeTagStream(tagger, 100, [1])
    tagger.advance(15)
    with stream.getData() as buffer:
        tagger.play()
        buffer.getTimestamps()[:] = -1
        assert buffer.getTimestamps().tolist() == [0, 10]


def test_types_are_the_vendors_also_when_every_tag_is_plain():
    buffer = TimeTagStreamBuffer._from_block(TEN, 1, 2)
    arrays = (
        buffer.getTimestamps(),
        buffer.getChannels(),
        buffer.getOverflows(),
        buffer.getEventTypes(),
        buffer.getMissedEvents(),
    )
    assert [a.dtype for a in arrays] == [np.int64, np.int32, np.uint8, np.uint8, np.uint16]
    assert {len(a) for a in arrays} == {10}
    assert (buffer.hasOverflows, buffer.tStart, buffer.tGetData) == (False, 1, 2)


@pytest.mark.parametrize("kind", list(TagType))
def test_overflow_tags_come_whatever_the_channels(kind):
    types, missed = np.array([kind], np.uint8), np.array([5], np.uint16)
    channel = np.array([2 if kind in (TagType.TimeTag, TagType.MissedEvents) else CHANNEL_UNUSED], np.int32)
    tagger = SteppedTagger(TagBlock(0, 10, np.array([3]), channel, types, missed), [1, 2])
    stream = TimeTagStream(tagger, 10, [1])
    tagger.play()
    buffer = stream.getData()
    assert buffer.getEventTypes().tolist() == ([] if channel[0] == 2 else [kind])
    assert buffer.hasOverflows == (kind in (TagType.OverflowBegin, TagType.OverflowEnd))


def test_bad_arguments_are_named():
    tagger = SteppedTagger(TEN)
    with pytest.raises(ArgumentError, match="n_max_events is 0"):
        TimeTagStream(tagger, 0, [1])
    with pytest.raises(ArgumentError, match=r"channels\[0\] is 4"):
        TimeTagStream(tagger, 10, [4])


def test_buffers_are_not_created_by_hand():
    with pytest.raises(AttributeError, match="No constructor defined"):
        TimeTagStreamBuffer()
