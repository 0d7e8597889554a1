"""Tags as Arrow record batches, for programs that know Arrow and nothing of ours."""

from __future__ import annotations

import pyarrow as pa

from tagwire.core.tags import TagBlock

COLUMNS = pa.schema([("time", pa.int64()), ("channel", pa.int32()), ("type", pa.uint8()), ("missed", pa.uint16())])
"""Time in ps; type of the tag as in `tagwire.core.tags.TagType`; number of missed events, 0 for other tags."""


def batch(block: TagBlock) -> pa.RecordBatch:
    """The tags of a block as a record batch."""
    columns = (block.time, block.channel, block.types, block.missed_events)
    return pa.record_batch([pa.array(c) for c in columns], schema=COLUMNS)
