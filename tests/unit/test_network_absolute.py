"""Times of a server that was started anew: shifted where they are its own, kept where others have them, too."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock, TagType, shift
from tagwire.network.assembly import Assembler
from tagwire.network.frame import Frame
from tagwire.network.ring import Ring
from tagwire.testing.rows import rows_of

TAG = TagBlock(0, 1000, np.array([500]), np.ones(1, np.int32))
PAUSE = 70


def frame_at(begin: int) -> Frame:
    """The first frame of a new feed, with one click in its middle."""
    feed = Ring((1,))
    cursor = feed.cursor()
    feed.append(shift(TAG, begin))
    return cursor.take(0)[0]


@pytest.mark.parametrize(
    ("absolute", "begin", "click"),
    [(True, 50_000, 50_500), (False, 50_000, 1000 + PAUSE + 500), (True, 0, 1000 + PAUSE + 500)],
)
def test_where_the_stream_of_a_new_server_goes_on(absolute: bool, begin: int, click: int) -> None:
    assembler = Assembler((1,), absolute)
    assembler.add(frame_at(0), epoch=1)
    block = assembler.add(frame_at(begin), epoch=2, pause=PAUSE)
    assert rows_of(block) == [
        (1000, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (1000, CHANNEL_UNUSED, TagType.Error, 0),
        (click - 501, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
        (click, 1, TagType.TimeTag, 0),
    ]
    assert assembler.offset == click - 500 - begin
    assert assembler.successor((1,)).absolute == absolute
