"""What transformations of simulated signals do to events, the slow way.

Tags are rows of time, channel, type and missed events. The functions for transformations give the events of the input
as they are afterwards; `replaced` puts them in the place of those that were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tagwire.core.tags import TagType
from tagwire.testing.oracles.virtual import EVENTS, with_added
from tagwire.testing.rows import Row


def replaced(rows: Sequence[Row], changed: Sequence[Row], channel: int, begin: int, end: int) -> list[Row]:
    """The stream with `changed` instead of the events of a channel."""
    others = [row for row in rows if row[1] != channel or row[2] not in EVENTS]
    return with_added(others, changed, begin, end)


def apart(rows: Sequence[Row], channel: int, output: int, dead_time: int) -> list[Row]:
    """Events at least the dead time after the last one that stayed."""
    out: list[Row] = []
    for time, number, kind, missed in rows:
        if number != channel or kind not in EVENTS:
            continue
        stayed = [row[0] for row in out if row[2] == TagType.TimeTag]
        if kind == TagType.MissedEvents or not stayed or time - stayed[-1] >= dead_time:
            out.append((time, output, kind, missed))
    return out


def pulled(rows: Sequence[Row], channel: int, relay: int, output: int, delay_ps: float, tau_ps: float) -> list[Row]:
    """Events delayed by the latest one of the relay channel ahead of them."""
    out: list[Row] = []
    for place, (time, number, kind, missed) in enumerate(rows):
        if number != channel or kind not in EVENTS:
            continue
        before = [row[0] for row in rows[:place] if row[1] == relay and row[2] == TagType.TimeTag]
        shift = math.floor(delay_ps * math.exp(-(time - before[-1]) / tau_ps) + 0.5) if before else 0
        out.append((time + (shift if kind == TagType.TimeTag else 0), output, kind, missed))
    return sorted(out, key=lambda row: row[0])


def photon_numbers(
    rows: Sequence[Row],
    channels: tuple[int, int, int],
    outputs: Sequence[int],
    slope: float,
    x_intercepts: Sequence[float],
    dead_time: int,
) -> list[Row]:
    """Pulses on the channel of their photon number; `channels` are trigger, start and stop."""
    out: list[Row] = []
    trigger = start = None
    is_open = False
    for time, channel, kind, _ in rows:
        if kind in (TagType.OverflowBegin, TagType.OverflowEnd, TagType.Error):
            trigger = start = None
            is_open = False
        elif kind == TagType.TimeTag and channel == channels[0]:
            trigger = time
        elif kind == TagType.TimeTag and channel == channels[1]:
            if start is None or time - start >= dead_time:
                start, is_open = time, True
        elif kind == TagType.TimeTag and channel == channels[2] and is_open:
            assert start is not None
            is_open = False
            if trigger is not None and time - start <= dead_time:
                foot = (start - trigger) - (time - trigger) / slope
                above = sum(foot <= x for x in x_intercepts)
                out.append((start, outputs[above], TagType.TimeTag, 0))
    return sorted(out, key=lambda row: row[0])


def pattern(distances: Sequence[int], repeat: bool, start_delay: int, spacing: int, begin: int, end: int) -> list[int]:
    """Times of a written pattern within a span, one after the other."""
    out: list[int] = []
    now = begin + start_delay
    while now < end:
        for distance in distances:
            now += distance
            out.append(now)
        now += spacing
        if not repeat:
            break
    return [time for time in out if time < end]
