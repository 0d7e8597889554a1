"""Corner cases of the reorder buffer."""

from __future__ import annotations

import numpy as np

from tagwire.core.tags import TagBlock
from tagwire.engine.reorder import ReorderBuffer


def tags(begin, end, *times, channel=1):
    return TagBlock(begin, end, np.array(times, np.int64), np.full(len(times), channel, np.int32))


def test_at_equal_times_added_tags_come_after_those_of_the_stream():
    buffer = ReorderBuffer()
    first = buffer.push(tags(0, 10, 4), tags(0, 10, 4, 10, channel=7), 0)
    second = buffer.push(tags(10, 20, 10), None, 0)
    assert (first.time.tolist(), first.channel.tolist()) == ([4, 4], [1, 7])
    assert (second.time.tolist(), second.channel.tolist()) == ([10, 10], [1, 7])


def test_a_tag_that_comes_too_late_is_dropped_and_counted():
    buffer = ReorderBuffer()
    buffer.push(tags(0, 10), None, 0)
    out = buffer.push(tags(10, 20, 15), tags(0, 0, 9, 10, channel=7), 0)
    assert out.time.tolist() == [10, 15]
    assert buffer.late == 1


def test_a_stream_may_begin_anywhere():
    buffer = ReorderBuffer()
    assert not buffer.started
    out = buffer.push(tags(-50, -40, -45), None, 0)
    assert (out.begin, out.end, out.time.tolist()) == (-50, -40, [-45])


def test_flushing_twice_gives_nothing_twice():
    buffer = ReorderBuffer()
    buffer.push(tags(0, 10, 5), None, 10)
    assert buffer.flush().time.tolist() == [5]
    again = buffer.flush()
    assert (again.begin, again.end, len(again)) == (10, 10, 0)
