"""What measurements of the level of inputs must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.tags import TagBlock, TagType
from tagwire.testing.oracles.counting import events

UNKNOWN, HIGH, LOW = 0, 1, 2

Change = tuple[int, int]
"""Time in ps and level."""


def level_changes(block: TagBlock, channel: int, inverted: int) -> list[Change]:
    """Each moment at which the level of a channel is told, or lost; `inverted` is the channel of its other edge."""
    changes: list[Change] = []
    for event in events(block):
        mine = event.channel in (channel, inverted)
        if event.type == TagType.TimeTag:
            if mine:
                changes.append((event.time, HIGH if event.channel == channel else LOW))
        elif event.type == TagType.MissedEvents:
            if mine:
                changes.append((event.time, UNKNOWN))
        elif changes and changes[-1][1] != UNKNOWN:
            changes.append((event.time, UNKNOWN))
    return changes


def level_at(changes: Sequence[Change], time: int) -> int:
    """The level after everything up to and at `time`."""
    return [UNKNOWN, *(level for at, level in changes if at <= time)][-1]


def trigger_times(block: TagBlock, trigger: int) -> list[int]:
    """Times of the triggers."""
    return [e.time for e in events(block) if e.type == TagType.TimeTag and e.channel == trigger]


def sampler(block: TagBlock, trigger: int, channels: Sequence[int], max_triggers: int) -> list[list[int]]:
    """Rows of trigger time and sampled numbers: 0 low, 1 high, 2 unknown."""
    changes = [level_changes(block, c, -c) for c in channels]
    number = {LOW: 0, HIGH: 1, UNKNOWN: 2}
    return [[t, *(number[level_at(c, t)] for c in changes)] for t in trigger_times(block, trigger)[:max_triggers]]


def scope_triggers(block: TagBlock, trigger: int, window: int) -> list[int]:
    """Times of the triggers that begin a trace when there is no end to traces."""
    begins: list[int] = []
    for time in trigger_times(block, trigger):
        if not begins or time - begins[-1] >= window:
            begins.append(time)
    return begins


def trace(block: TagBlock, channel: int, begin: int, window: int, n_max_events: int) -> list[Change]:
    """The events of a channel after a trigger at `begin`."""
    changes = level_changes(block, channel, -channel)
    later = [(t - begin, level) for t, level in changes if begin < t < begin + window]
    return [(0, level_at(changes, begin)), *later][:n_max_events]
