"""The software clock: a phase-locked loop that puts the whole stream on the time base of a clock signal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock, TagType, concatenate, merge, overflow_tags, retime
from tagwire.engine.clock_ideal import IdealClock, Span
from tagwire.engine.clock_kernel import present, settle, track
from tagwire.engine.clock_layout import CLOCK, LOCKED, OFF, SEEK, Losses, Tags
from tagwire.engine.clock_report import fault, report
from tagwire.engine.clock_signal import PS_PER_S, ClockSignal
from tagwire.engine.clock_state import ReferenceClockState


class ClockStage:
    """Rescales time to the clock signal, and adds ideal clock tags.

    Parameters
    ----------
    now
        The computer's time, in s since 1970.

    Attributes
    ----------
    ideal_channel
        Number of the ideal clock channel, or `CHANNEL_UNUSED` while it has none.
    wanted
        Whether somebody listens to it.

    Notes
    -----
    Without a clock, blocks pass untouched. While a clock is set but not locked, the output is in overflow: it begins
    with an overflow begin tag, each lost event is reported by missed events on its channel, at the latest after 10 ms,
    and the overflow ends with the first ideal clock tag. Time goes on at the pace of the input meanwhile.

    The lock is found when a fit over as many clock tags as the time constant has (10 to 10,000) is within 5 % of the
    frequency given and no two tags are a quarter of a period off their distance. It is lost when a clock tag comes a
    quarter of a period off its place, or not at all, or when the input has an overflow or error.

    Ideal clock tags lie at multiples of the period, also after the lock was lost and found again; after a
    synchronization they are shifted together with all tags. When the clock is switched off, time goes on without a
    jump, so it may differ from that of the input from then on.

    A synchronization that puts time back by less than half a second does not turn the output back: the overflow goes
    on, and output time stands still, until the new time has come to where it was. If the lock is lost or the clock
    switched off meanwhile, time goes on from there at the pace of the input.

    Tags behind the next clock edge are held back until its clock tag has come. Time stamps are rounded to the next ps.
    At equal times ideal clock tags come after the others.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.signal: ClockSignal | None = None
        self.ideal_channel = CHANNEL_UNUSED
        self.wanted = False
        self.ideal = IdealClock()
        self._clock: NDArray[Any] = np.zeros(1, CLOCK)
        self._clock["sync_channel"] = CHANNEL_UNUSED
        self._index = ChannelIndex(())
        self._lost: NDArray[np.int64] = np.zeros(0, np.int64)
        self._held = TagBlock.empty(0, 0)
        self._queue = TagBlock.empty(0, 0)
        self._span: Span | None = None
        self._started = False
        self._position = 0
        self._raw = 0

    # --- commands, between two blocks --------------------------------------------------------------------------

    def set(self, signal: ClockSignal, channels: Iterable[int]) -> None:
        """Look for a signal and lock to it; `channels` are those on which events may be lost."""
        self._settle()
        self.signal = signal
        self._keep_lost(channels)
        clock, theta = self._clock, max(0.0, 1 - signal.divider / signal.averaging)
        clock["mode"] = SEEK
        clock["nominal"] = PS_PER_S / signal.frequency * signal.divider
        clock["advance"] = signal.period * signal.divider
        clock["clock_period"] = signal.period
        clock["alpha"], clock["beta"], clock["weight"] = 1 - theta**2, (1 - theta) ** 2, 1 - theta
        clock["need"] = signal.fit
        clock["clock_channel"], clock["sync_channel"] = signal.channel, signal.second_channel
        for name in ("seen", "errors", "synced", "count", "measured", "mean_square", "period"):
            clock[name] = 0

    def disable(self) -> None:
        """Go on at the pace of the input."""
        self._settle()
        self.signal = None
        self._clock["mode"] = OFF
        self._clock["synced"] = 0

    def reset(self) -> None:
        """As after start-up; but time goes on."""
        self.disable()
        self.ideal.triggers = None

    @property
    def inputs(self) -> frozenset[int]:
        """Channels that the stage needs to see."""
        signal = self.signal
        mine = {signal.channel, signal.second_channel} - {CHANNEL_UNUSED} if signal is not None else set()
        return frozenset(mine | set(self.ideal.triggers or ()) if self.wanted else mine)

    def follow_divider(self, channel: int, divider: int) -> None:
        """Learn that events of a channel are now divided by something else."""
        signal = self.signal
        if signal is not None and signal.follows and signal.channel == channel and signal.divider != divider:
            self.set(replace(signal, divider=divider), self._index.channels)

    # --- what it says ------------------------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether the loop follows the signal."""
        return bool(self._clock["mode"][0] == LOCKED)

    @property
    def ready(self) -> bool:
        """Whether the time base is what was asked for: locked, and synchronized if that was asked for."""
        clock = self._clock[0]
        return self.locked and bool(clock["sync_channel"] == CHANNEL_UNUSED or clock["synced"])

    @property
    def grid(self) -> tuple[int, int] | None:
        """Time of an ideal clock tag and their distance in ps; `None` without a clock or before a synchronization."""
        if self._span is not None:
            return self._span.tick, self._span.period
        signal = self.signal
        return (0, signal.period) if signal is not None and signal.second_channel == CHANNEL_UNUSED else None

    def state(self) -> ReferenceClockState:
        """Everything at this moment."""
        state = report(self.signal, self._clock[0])
        state.ideal_clock_channel = self.ideal_channel
        state.last_ideal_clock_event = self.ideal.last
        return state

    def fault(self) -> str:
        """Why there is no lock, in words."""
        return fault(self.signal, self._clock[0])

    def present(self, raw: int) -> int:
        """Output time that belongs to an input time, as far as it can be told."""
        clock = self._clock[0]
        if clock["mode"] != LOCKED:
            return raw + int(clock["offset"])
        return max(self._position, int(present(self._clock, raw)))

    # --- the stream --------------------------------------------------------------------------------------------

    def push(self, block: TagBlock) -> TagBlock:
        """Take the next block; give what is decided."""
        clock = self._clock
        if not self._started:
            self._started, self._position = True, block.begin + int(clock["offset"][0])
        self._raw = block.end
        mode, offset = int(clock["mode"][0]), int(clock["offset"][0])
        if mode == OFF:
            self._note_gaps(block)
        if mode == OFF and not clock["open"][0] and not len(self._queue) and not offset:
            self._position = block.end
            return block
        self._bound(block.begin + offset)
        if mode == OFF:
            self._append(TagBlock(0, 0, block.time + offset, block.channel, block.type, block.missed))
            return self._release(block.end + offset)
        clock["end"] = block.end
        clock["utc"] = self.now() + (self.signal.second_offset / PS_PER_S if self.signal else 0.0)
        return self._release(self._track(block))

    def finish(self, block: TagBlock) -> TagBlock:
        """Take the last block; give everything. A block pushed later continues in overflow if a clock is set."""
        ready = self.push(block) if self._started or len(block) else block
        self._settle()
        end = max(self._position, int(self._queue.time[-1]) + 1 if len(self._queue) else self._position)
        rest = self._release(end)
        return concatenate(ready.begin, rest.end, [ready, rest]) if len(rest) else retime(ready, ready.begin, rest.end)

    def _note_gaps(self, block: TagBlock) -> None:
        if not block.plain:
            bounds = block.type[(block.type == TagType.OverflowBegin) | (block.type == TagType.OverflowEnd)]
            if len(bounds):
                self._clock["raw_lost"] = bounds[-1] == TagType.OverflowBegin

    def _bound(self, at: int) -> None:
        """Begin or end the overflow range that a command made necessary, at the begin of a block."""
        clock = self._clock
        ends = bool(clock["mode"][0] == OFF and clock["open"][0])
        begins = bool(clock["mode"][0] == SEEK and not clock["open"][0])
        if (ends or begins) and not clock["raw_lost"][0]:
            self._append(overflow_tags(at, TagType.OverflowEnd if ends else TagType.OverflowBegin, at + 1))
        if ends or begins:
            clock["open"] = begins

    def _track(self, block: TagBlock) -> int:
        """Run the loop over a block; give the output time that no later tag can precede."""
        held = self._held
        both = concatenate(block.begin, block.end, [held, block]) if len(held) else block
        out, spans = self._room(len(both))
        decided, mark = track(self._clock, _columns(both), len(held), self._losses(), (*out, spans))
        self._held = _rest(both, decided)
        self._collect(out, spans)
        return int(mark)

    def _settle(self) -> None:
        """Decide everything that waits; from here on time goes on at the pace of the input."""
        if not self._started or self._clock["mode"][0] == OFF:
            return
        out, spans = self._room(len(self._held))
        self._clock["end"] = self._raw
        settle(self._clock, _columns(self._held), self._losses(), (*out, spans))
        self._held = TagBlock.empty(0, 0)
        self._collect(out, spans)

    def _room(self, tags: int) -> tuple[Tags, NDArray[np.int64]]:
        """Arrays for everything that `tags` input tags can bring about."""
        clock = self._clock
        # Every report stands for a tag that was lost, every lock and every loss of it for the clock tags of a fit.
        size = 16 + tags + tags // 4 + int(np.sum(self._lost // 65_535 + 1))
        spans = np.full((4 + tags // 4, 3), TIME_MIN)
        if self._span is not None:
            spans[0] = self._span.tick, self._span.begin, self._span.end
        clock["size"] = clock["spans"] = 0
        return (
            np.empty(size, np.int64),
            np.empty(size, np.int32),
            np.empty(size, np.uint8),
            np.empty(size, np.uint16),
        ), spans

    def _collect(self, out: Tags, spans: NDArray[np.int64]) -> None:
        """Take over what the loop has put out."""
        size, closed = int(self._clock["size"][0]), int(self._clock["spans"][0])
        time, channel, kind, missed = out[0][:size], out[1][:size], out[2][:size], out[3][:size]
        plain = not np.any(kind)
        self._append(TagBlock(0, 0, time, channel) if plain else TagBlock(0, 0, time, channel, kind, missed))
        period = int(self._clock["clock_period"][0])
        known = [Span(tick, begin, end, period) for tick, begin, end in spans[: closed + 1].tolist() if end > TIME_MIN]
        self._span = known[-1] if known and known[-1].end == TIME_MAX else None
        self.ideal.extend(known)

    def _append(self, tags: TagBlock) -> None:
        self._queue = concatenate(0, 0, [self._queue, tags]) if len(self._queue) else retime(tags, 0, 0)

    def _release(self, mark: int) -> TagBlock:
        """The output up to a time, with its ideal clock tags."""
        mark = max(mark, self._position)
        count = int(np.searchsorted(self._queue.time, mark))
        whole, self._queue = self._queue, _rest(self._queue, count)
        part = slice(count)
        ready = TagBlock(
            self._position, mark, whole.time[part], whole.channel[part], whole.type[part], whole.missed[part]
        )
        self._position = mark
        ticks = self.ideal.tags(ready, self.wanted)
        if not len(ticks):
            return ready
        ideal = TagBlock(ready.begin, mark, ticks, np.full(len(ticks), self.ideal_channel, np.int32))
        return merge(ready.begin, mark, [ready, ideal])

    def _keep_lost(self, channels: Iterable[int]) -> None:
        """Count losses on `channels`, of which those that are not yet reported stay."""
        if self._index.channels != (numbers := tuple(channels)):
            self._index = ChannelIndex(numbers)
            self._lost = np.zeros(len(numbers), np.int64)

    def _losses(self) -> Losses:
        return self._index.table, self._index.first, np.array(self._index.channels, np.int32), self._lost


def _columns(block: TagBlock) -> Tags:
    return block.time, block.channel, block.types, block.missed_events


def _rest(block: TagBlock, count: int) -> TagBlock:
    part = slice(count, None)
    return TagBlock(0, 0, block.time[part], block.channel[part], block.type[part], block.missed[part])
