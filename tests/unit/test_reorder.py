"""Corner cases of the reorder buffer."""

from __future__ import annotations

import numpy as np

from tagwire.core.tags import TagBlock
from tagwire.engine.backlog import Backlog
from tagwire.engine.device_delay import DelayStage
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands


def tags(begin, end, *times, channel=1):
    return TagBlock(begin, end, np.array(times, np.int64), np.full(len(times), channel, np.int32))


def test_at_equal_times_added_tags_come_after_those_of_the_stream():
    buffer = ReorderBuffer()
    first = buffer.push(Strands(tags(0, 10, 4)), tags(0, 10, 4, 10, channel=7), 0).whole()
    second = buffer.push(Strands(tags(10, 20, 10)), None, 0).whole()
    assert (first.time.tolist(), first.channel.tolist()) == ([4, 4], [1, 7])
    assert (second.time.tolist(), second.channel.tolist()) == ([10, 10], [1, 7])


def test_a_tag_that_comes_too_late_is_dropped_and_counted():
    buffer = ReorderBuffer()
    buffer.push(Strands(tags(0, 10)), None, 0)
    out = buffer.push(Strands(tags(10, 20, 15)), tags(0, 0, 9, 10, channel=7), 0).whole()
    assert out.time.tolist() == [10, 15]
    assert buffer.late == 1


def test_a_stream_may_begin_anywhere():
    buffer = ReorderBuffer()
    assert not buffer.started
    out = buffer.push(Strands(tags(-50, -40, -45)), None, 0).whole()
    assert (out.begin, out.end, out.time.tolist()) == (-50, -40, [-45])


def test_flushing_twice_gives_nothing_twice():
    buffer = ReorderBuffer()
    buffer.push(Strands(tags(0, 10, 5)), None, 10)
    assert buffer.flush().whole().time.tolist() == [5]
    again = buffer.flush().whole()
    assert (again.begin, again.end, len(again)) == (10, 10, 0)


def test_what_waits_is_not_copied_again_with_every_block():
    buffer, stage = ReorderBuffer(), DelayStage()
    stage.set(7, -1000)
    first = tags(0, 10, *range(10))
    buffer.push(Strands(first), None, 1000)
    stage.push(first)
    for begin in range(10, 500, 10):
        buffer.push(Strands(tags(begin, begin + 10, begin)), None, 1000)
        stage.push(tags(begin, begin + 10, begin))
    assert np.shares_memory(buffer._stream.take(10)[0].time, first.time)
    assert len(stage._held) == 50


def test_a_few_tags_that_wait_do_not_keep_the_memory_of_a_whole_block():
    backlog = Backlog()
    whole = tags(0, 1000, *range(1000))
    backlog.add(whole)
    assert len(backlog.take(990)[0]) == 990
    assert backlog.end == 1000
    (late,) = backlog.take(2000)
    assert late.time.tolist() == list(range(990, 1000))
    assert not np.shares_memory(late.time, whole.time)
    assert len(backlog) == 0
