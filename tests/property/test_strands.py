"""What is seen of a block and of what was laid over it: the tags of some channels as in the stream woven as a whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.engine.strands import Strands
from tagwire.testing.rows import Row, rows_of
from tagwire.testing.strategies import tag_blocks

CHANNELS = (1, 2, -1, 1001, 1002, 1200)
BEGIN, END = 0, 10**6


def strands(overflows: bool) -> st.SearchStrategy[TagBlock]:
    return tag_blocks(CHANNELS, max_tags=20, begin=BEGIN, overflows=overflows)


def of(rows: list[Row], channels: frozenset[int]) -> list[Row]:
    return [row for row in rows if row[1] in channels or row[1] == CHANNEL_UNUSED]


@given(
    st.booleans().flatmap(strands),
    st.lists(st.one_of(strands(False), strands(False), strands(True)), max_size=4),
    st.lists(st.frozensets(st.sampled_from(CHANNELS)), min_size=1, max_size=4),
    st.booleans(),
)
def test_a_view_is_the_part_of_the_whole(block, layers, wanted, looks_between):
    woven = Strands(block)
    rows = rows_of(block)
    for layer in layers:
        woven.lay(layer)
        rows = sorted(rows + rows_of(layer), key=lambda row: row[0])
        if looks_between:
            assert rows_of(woven.whole()) == rows
    for channels in wanted:
        seen = woven.view(channels)
        assert (seen.begin, seen.end) == (block.begin, block.end)
        assert of(rows_of(seen), channels) == of(rows, channels)
    assert rows_of(woven.whole()) == rows
