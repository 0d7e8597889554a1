"""What a raw stream must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import Event, events


def time_tag_stream(block: TagBlock, channels: Sequence[int], n_max_events: int) -> list[Event]:
    """The tags in the buffer when the capture spans the block and nobody emptied it."""
    on_channel = (TagType.TimeTag, TagType.MissedEvents)
    return [e for e in events(block) if e.type not in on_channel or e.channel in channels][:n_max_events]
