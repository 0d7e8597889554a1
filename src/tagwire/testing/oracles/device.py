"""What the instrument does to its tags, the slow way: one whole stream at a time, one stage after the other.

Tags are rows of time, channel, type and missed events. Only time tags are ever moved or removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tagwire.core.tags import TagType
from tagwire.testing.rows import Row


@dataclass
class Settings:
    """Settings of an instrument; channels that are not named are left alone."""

    delay_hardware: Mapping[int, int] = field(default_factory=dict)
    deadtime: Mapping[int, int] = field(default_factory=dict)
    triggers: Sequence[int] = ()
    filtered: Sequence[int] = ()
    divider: Mapping[int, int] = field(default_factory=dict)
    delay_software: Mapping[int, int] = field(default_factory=dict)


def processed(rows: Sequence[Row], begin: int, settings: Settings) -> list[Row]:
    """The stream as it leaves the instrument."""
    rows = delay(rows, begin, settings.delay_hardware)
    rows = dead_time(rows, settings.deadtime)
    rows = conditional_filter(rows, settings.triggers, settings.filtered)
    rows = event_divider(rows, settings.divider)
    return delay(rows, begin, settings.delay_software)


def delay(rows: Sequence[Row], begin: int, delays: Mapping[int, int]) -> list[Row]:
    """Shift and sort; what would lie before the begin of the stream is lost."""
    shifted = [
        (time + delays.get(channel, 0), channel, kind, missed)
        if kind == TagType.TimeTag
        else (time, channel, kind, missed)
        for time, channel, kind, missed in rows
    ]
    return sorted((row for row in shifted if row[0] >= begin), key=lambda row: row[0])


def dead_time(rows: Sequence[Row], deadtime: Mapping[int, int]) -> list[Row]:
    """Drop time tags that follow a kept one of their channel too closely."""
    kept: list[Row] = []
    for row in rows:
        earlier = [k[0] for k in kept if k[1] == row[1] and k[2] == TagType.TimeTag]
        if row[2] != TagType.TimeTag or not earlier or row[0] - earlier[-1] >= deadtime.get(row[1], 0):
            kept.append(row)
    return kept


def conditional_filter(rows: Sequence[Row], triggers: Sequence[int], filtered: Sequence[int]) -> list[Row]:
    """Keep of the filtered channels only the first time tag after each trigger."""
    kept: list[Row] = []
    is_open: set[int] = set()
    for row in rows:
        if row[2] != TagType.TimeTag:
            kept.append(row)
            continue
        if row[1] not in filtered or row[1] in is_open:
            kept.append(row)
            is_open.discard(row[1])
        if row[1] in triggers:
            is_open = set(filtered)
    return kept


def event_divider(rows: Sequence[Row], divider: Mapping[int, int]) -> list[Row]:
    """Keep every n-th time tag of a channel."""
    kept: list[Row] = []
    counts: dict[int, int] = {}
    for row in rows:
        if row[2] == TagType.TimeTag:
            counts[row[1]] = counts.get(row[1], 0) + 1
            if counts[row[1]] % divider.get(row[1], 1):
                continue
        kept.append(row)
    return kept
