"""Edges of inputs in a window of time after a trigger, as a logic analyser shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import INT32_MAX, VALUES_MAX, integer
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, UInt8Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.measurements.levels import TIME_TAG, UNKNOWN, Levels, change
from tagwire.measurements.pairs import SPAN_MAX

OPEN, BEGIN, TRIGGERED = range(3)
"""Places in the state of the kernel: whether a trace is being recorded, the time of its trigger in ps, and the number
of traces begun."""


class Event:
    """A change of level: time in ps, and the level from then on (`UNKNOWN` 0, `HIGH` 1 or `LOW` 2)."""

    def __init__(self) -> None:
        self._time = 0
        self._state = UNKNOWN

    def __repr__(self) -> str:
        return f"Event(time={self._time}, state={self._state})"

    @property
    def time(self) -> int:
        """Time in ps."""
        return self._time

    @time.setter
    def time(self, value: int) -> None:
        self._time = integer(value, "time")

    @property
    def state(self) -> int:
        """Level from then on."""
        return self._state

    @state.setter
    def state(self, value: int) -> None:
        self._state = integer(value, "state", 0, 2)


class Scope(IteratorBase):
    """Traces of the levels of inputs, each from a trigger on.

    Parameters
    ----------
    tagger
        Time Tagger object.
    event_channels
        Physical channels to show; both edges of their inputs are read.
    trigger_channel
        Channel of the triggers, physical or virtual.
    window_size
        Length of a trace in ps, at least 1, at most 2**61.
    n_traces
        Number of traces; when all are recorded, the measurement stops by itself. Less than 1: it never stops, and the
        latest complete trace is kept.
    n_max_events
        Most events of a channel in a trace; further ones are dropped. Together all traces have room for up to 2**27.

    Notes
    -----
    A trace goes from its trigger up to, but without, the trigger's time plus `window_size`; triggers within it are
    passed over. Its first event has time 0 and the level at the trigger, with edges at that very time; then each edge
    is an event, at its time after the trigger.

    A channel is high from a tag on it on, and low from a tag on its inverted channel on; before the first of them its
    level is unknown. Of a falling edge (a negative channel) that is the level of the inverted signal.

    Overflow begin, overflow end and error tags make all known levels unknown, missed events that of their input; within
    a trace that is an event as well. A trace that a pause of the capture interrupts is dropped.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        event_channels: Sequence[int],
        trigger_channel: int,
        window_size: int = 1_000_000_000,
        n_traces: int = 1,
        n_max_events: int = 1000,
    ) -> None:
        owner = require_tagger(tagger)
        numbers = owner._channels(event_channels, "event_channels")
        virtual = set(numbers) - set(owner._hub.source.channels)
        if virtual:
            raise ArgumentError(f"event_channels names {min(virtual)}, but must name physical channels only")
        self._trigger = owner._channel(trigger_channel, "trigger_channel")
        self._window = integer(window_size, "window_size", 1, SPAN_MAX)
        self._traces = max(0, integer(n_traces, "n_traces", -INT32_MAX, INT32_MAX))
        events = integer(n_max_events, "n_max_events", 1, INT32_MAX)
        self._levels = Levels(owner, numbers)
        # Without an end, one trace is complete while the next is being recorded.
        shape = self._traces or 2, len(self._levels.now), events
        if math.prod(shape) > VALUES_MAX:
            raise ArgumentError(f"n_traces * n_max_events is {shape[0] * events}, too many for {shape[1]} inputs")
        params = {"event_channels": numbers, "trigger_channel": self._trigger, "window_size": self._window}
        params |= {"n_traces": integer(n_traces, "n_traces"), "n_max_events": events}
        super().__init__(owner, [*self._levels.edges, self._trigger], params)
        self._times: Int64Array = np.empty(shape, np.int64)
        self._states: UInt8Array = np.empty(shape, np.uint8)
        self._sizes: Int64Array = np.zeros(shape[:2], np.int64)
        self._state: Int64Array = np.zeros(3, np.int64)
        self._launch()

    def getData(self) -> tuple[tuple[Event, ...], ...]:
        """The events of each channel in each trace: all channels of the first trace, then those of the second ...

        A trace that is not yet triggered has no events.
        """
        with self._lock:
            slots = range(self._traces) if self._traces else [self._latest()]
            return tuple(self._events(slot, column) for slot in slots for column in range(len(self._levels.columns)))

    def ready(self) -> bool:
        """Whether all `n_traces` traces are recorded; False when there is no end to them."""
        with self._lock:
            return 0 < self._traces == int(self._state[TRIGGERED]) and not self._state[OPEN]

    def triggered(self) -> int:
        """Number of traces begun since creation or `clear`."""
        with self._lock:
            return int(self._state[TRIGGERED])

    def getWindowSize(self) -> int:
        """Length of a trace in ps."""
        return self._window

    def _latest(self) -> int:
        """Slot of the latest complete trace, or of the first one before there is any."""
        complete = int(self._state[TRIGGERED]) - int(self._state[OPEN])
        return max(complete - 1, 0) % 2

    def _events(self, slot: int, column: int) -> tuple[Event, ...]:
        signal = int(self._levels.columns[column])
        part = slot, signal, slice(int(self._sizes[slot, signal]))
        states = self._levels.seen_by(column, self._states[part])
        return tuple(_event(*row) for row in zip(self._times[part].tolist(), states.tolist(), strict=True))

    def _process(self, block: TagBlock) -> None:
        if self.ready():
            return self._finish(block.begin)
        known = self._levels
        _record(
            block.time,
            block.channel,
            block.type,
            block.end,
            self._trigger,
            self._window,
            self._traces,
            known.index.table,
            known.index.first,
            known.signals,
            known.levels,
            known.now,
            self._times,
            self._states,
            self._sizes,
            self._state,
        )
        if self.ready():
            self._finish(int(self._state[BEGIN]) + self._window)

    def _forget(self) -> None:
        self._levels.forget()
        if self._state[OPEN]:
            self._state[OPEN] = 0
            self._state[TRIGGERED] -= 1
            self._sizes[int(self._state[TRIGGERED]) % len(self._sizes)] = 0

    def _reset(self) -> None:
        self._levels.forget()
        self._state[:] = 0
        self._sizes[:] = 0


def _event(time: int, state: int) -> Event:
    event = Event()
    event.time, event.state = time, state
    return event


@kernel
def _record(
    time: Int64Array,
    channel: Int32Array,
    kind: UInt8Array,
    end: int,
    trigger: int,
    window: int,
    traces: int,
    table: NDArray[np.int16],
    first: int,
    signals: Int64Array,
    levels: UInt8Array,
    now: UInt8Array,
    times: Int64Array,
    states: UInt8Array,
    sizes: Int64Array,
    state: Int64Array,
) -> None:
    """Follow the levels, and note the edges within traces; ends with the last trace."""
    i = 0
    while i < len(time):
        moment, triggered = time[i], False
        if _complete(moment, window, traces, state):
            return
        slot = (state[TRIGGERED] - 1) % len(sizes)
        while i < len(time) and time[i] == moment:
            type_ = np.int64(kind[i]) if len(kind) else TIME_TAG
            triggered |= channel[i] == trigger and type_ == TIME_TAG
            k = channel[i] - first
            place = table[k] if 0 <= k < len(table) else -1
            signal, level = change(type_, place, signals, levels)
            for s in range(len(now)):
                if s == signal or (signal == -1 and now[s] != UNKNOWN):
                    now[s] = level
                    if state[OPEN]:
                        _note(moment - state[BEGIN], level, s, times[slot], states[slot], sizes[slot])
            i += 1
        if triggered and not state[OPEN]:
            state[OPEN], state[BEGIN] = 1, moment
            state[TRIGGERED] += 1
            slot = (state[TRIGGERED] - 1) % len(sizes)
            sizes[slot] = 0
            for s in range(len(now)):
                _note(0, now[s], s, times[slot], states[slot], sizes[slot])
    _complete(end, window, traces, state)


@kernel
def _complete(moment: int, window: int, traces: int, state: Int64Array) -> bool:
    """End the trace whose window is over; gives whether it was the last."""
    if state[OPEN] and np.uint64(moment) - np.uint64(state[BEGIN]) >= np.uint64(window):
        state[OPEN] = 0
        return bool(0 < traces == state[TRIGGERED])
    return False


@kernel
def _note(
    tau: int, level: int | np.int64, signal: int, times: Int64Array, states: UInt8Array, sizes: Int64Array
) -> None:
    """Add an event to the running trace, while there is room."""
    size = sizes[signal]
    if size < times.shape[1]:
        times[signal, size] = tau
        states[signal, size] = level
        sizes[signal] = size + 1
