"""A stream of some channels goes over into one of others."""

from __future__ import annotations

import numpy as np

from tagwire.core.tags import TagBlock
from tagwire.network.handover import Handover


def block(begin: int, end: int, *rows: tuple[int, int]) -> TagBlock:
    time, channel = (np.array(column) for column in zip(*rows, strict=True))
    return TagBlock(begin, end, time, channel.astype(np.int32))


def test_a_new_stream_that_begins_further_back_than_the_old_one_has_come() -> None:
    handover = Handover(block(100, 200, (110, 1), (120, 1)), 50, (1,), within=False)
    assert handover.push(block(50, 100, (60, 1), (70, 2))) == []
    parts = handover.push(block(100, 250, (110, 1), (120, 1), (130, 2), (240, 2)))
    assert [(p.begin, p.end) for p in parts] == [(100, 200), (200, 250)]
    assert all(part.plain for part in parts)
    assert [p.time.tolist() for p in parts] == [[110, 120, 130], [240]]
    assert [p.channel.tolist() for p in parts] == [[1, 1, 2], [2]]
