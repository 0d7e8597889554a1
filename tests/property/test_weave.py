"""Tags put into a stream: the same as sorting all of them together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.tags import merge
from tagwire.engine.weave import weave
from tagwire.testing.strategies import tag_blocks
from tagwire.testing.tap import rows_of


@given(tag_blocks((1, 2)), tag_blocks((7, 8)), st.booleans())
def test_a_stream_and_what_is_added(stream, added, swap):
    if swap:
        stream, added = added, stream
    begin, end = min(stream.begin, added.begin), max(stream.end, added.end)
    woven = weave(begin, end, stream, added)
    assert rows_of(woven) == rows_of(merge(begin, end, [stream, added]))
    assert (woven.begin, woven.end) == (begin, end)
    assert (woven.time.dtype, woven.channel.dtype) == (stream.time.dtype, stream.channel.dtype)
