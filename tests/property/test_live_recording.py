"""A recording that goes on as an instrument would."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import TIME_MIN, TagBlock, join
from tagwire.recording.base import RecordedSource
from tagwire.recording.live import LiveRecording
from tagwire.testing.strategies import tag_blocks


class Memory:
    """A recording of one block."""

    channels = (1, 2)
    configuration: dict[str, Any] = {}  # noqa: RUF012
    last_marker = ""

    def __init__(self, block: TagBlock) -> None:
        self.block = block
        self.begin, self.end = block.begin, block.end

    def blocks(self, begin: int = TIME_MIN) -> Iterator[TagBlock]:
        yield self.block

    def close(self) -> None:
        """Nothing is held open."""


def read(source: LiveRecording, spans: Collection[int]) -> TagBlock:
    return join([source.read(span, {1, 2}) for span in spans])


@given(block=tag_blocks(channels=(1, 2), overflows=True), spans=st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_rounds_of_a_loop_follow_each_other(block: TagBlock, spans: list[int]) -> None:
    played = read(LiveRecording(RecordedSource(Memory(block)), loop=True), spans)
    length = block.end - block.begin
    rounds = 1 + (played.end - block.begin) // max(1, length) if length else 0
    times = np.concatenate([block.time + n * length for n in range(rounds)] or [block.time])
    heard = times < played.end
    assert played.time.tolist() == times[heard].tolist()
    assert played.channel.tolist() == np.tile(block.channel, rounds)[heard].tolist()
    assert played.types.tolist() == np.tile(block.types, rounds)[heard].tolist()
    assert played.missed_events.tolist() == np.tile(block.missed_events, rounds)[heard].tolist()


@given(block=tag_blocks(channels=(1, 2), overflows=True), spans=st.lists(st.integers(1, 10**6), min_size=1, max_size=9))
def test_without_a_loop_silence_follows(block: TagBlock, spans: list[int]) -> None:
    played = read(LiveRecording(RecordedSource(Memory(block))), spans)
    assert played.begin == block.begin
    assert played.end > block.begin
    assert played.time.tolist() == block.time[block.time < played.end].tolist()
