"""Watching two channels through gates: which of their time tags count, and for how long each was watched."""

from __future__ import annotations

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import Int32Array, Int64Array, TagBlock, TagType, UInt8Array
from tagwire.kernel import kernel
from tagwire.measurements.gates import ChannelGate

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)
OVERFLOW_END = int(TagType.OverflowEnd)

CLICK, START = 0, 1
"""Rows of everything that exists for the click and for the start channel."""

OPEN, LOST = 0, 1
"""Columns of the state of a channel: whether its gate is open, and whether an overflow goes on."""


class Watch:
    """Picks the time tags of a click and a start channel while they are evaluated, and notes when they are.

    A channel is evaluated while its gate is open and no overflow goes on. Gates act in the order of the stream, also at
    equal times, and a tag is judged by the state before it.

    Parameters
    ----------
    click_channel, start_channel
        The two channels; they may be the same.
    click_gate, start_gate
        Their gates; `None`: always open.

    Attributes
    ----------
    events : ndarray of int64, shape (3,)
        Clicks and starts evaluated, and tags that were both.
    durations : ndarray of int64, shape (2,)
        How long clicks and starts were evaluated, in ps.
    """

    def __init__(
        self, click_channel: int, start_channel: int, click_gate: ChannelGate | None, start_gate: ChannelGate | None
    ) -> None:
        gates = (click_gate, start_gate)
        self._channels: Int32Array = np.array([click_channel, start_channel], np.int32)
        self._gates: Int32Array = np.full((2, 2), CHANNEL_UNUSED, np.int32)
        self._initial: Int64Array = np.ones(2, np.int64)
        for row, gate in enumerate(gates):
            if gate is not None:
                self._gates[row] = gate.gate_open_channel, gate.gate_close_channel
                self._initial[row] = gate.initial
        self._state: Int64Array = np.zeros((2, 2), np.int64)
        self.events: Int64Array = np.zeros(3, np.int64)
        self.durations: Int64Array = np.zeros(2, np.int64)
        self.reset()

    def evaluated(self) -> tuple[bool, bool]:
        """Whether clicks and starts are evaluated now."""
        click, start = (bool(row[OPEN]) and not row[LOST] for row in self._state)
        return click, start

    def sort(self, block: TagBlock, origin: int) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
        """Clicks and starts of a block that count, and when evaluation of each begins or ends, in turn.

        All times are in ps after `origin`, which lies no more than 2**62 ps before the end of the block.
        """
        times: Int64Array = np.empty((4, len(block) + 1), np.int64)
        sizes: Int64Array = np.zeros(4, np.int64)
        relative = (block.time.view(np.uint64) - np.uint64(origin % 2**64)).view(np.int64)
        _sort(
            relative,
            block.channel,
            block.type,
            self._channels,
            self._gates,
            self._initial,
            self._state,
            block.begin - origin,
            block.end - origin,
            times,
            sizes,
            self.events,
            self.durations,
        )
        clicks, starts, click_turns, start_turns = (row[:size] for row, size in zip(times, sizes, strict=True))
        return clicks, starts, click_turns, start_turns

    def forget(self) -> None:
        """The gates go back to their initial state, and nothing is known of an overflow."""
        self._state[:, OPEN], self._state[:, LOST] = self._initial, 0

    def reset(self) -> None:
        """Back to the state after creation."""
        self.forget()
        self.events[:] = 0
        self.durations[:] = 0


@kernel
def _sort(
    time: Int64Array,
    channel: Int32Array,
    kind: UInt8Array,
    channels: Int32Array,
    gates: Int32Array,
    initial: Int64Array,
    state: Int64Array,
    begin: int,
    end: int,
    times: Int64Array,
    sizes: Int64Array,
    events: Int64Array,
    durations: Int64Array,
) -> None:
    """Fill `times` with clicks, starts and the moments when the evaluation of each begins or ends."""
    plain = len(kind) == 0
    gated = gates[0, 0] != CHANNEL_UNUSED or gates[1, 0] != CHANNEL_UNUSED
    click, start = channels[CLICK], channels[START]
    sees_click = state[CLICK, OPEN] > state[CLICK, LOST]
    sees_start = state[START, OPEN] > state[START, LOST]
    since_click = since_start = begin
    clicks = starts = both = 0
    for i in range(len(time)):
        t = time[i]
        if plain or kind[i] == TIME_TAG:
            is_click, is_start = sees_click and channel[i] == click, sees_start and channel[i] == start
            times[0, clicks] = t
            times[1, starts] = t
            clicks += is_click
            starts += is_start
            both += is_click and is_start
            if not gated:
                continue
            _move_gates(channel[i], gates, state)
        else:
            _move_all(kind[i], initial, state)
        if sees_click != (state[CLICK, OPEN] > state[CLICK, LOST]):
            durations[CLICK] += t - since_click if sees_click else 0
            sees_click, since_click = not sees_click, t
            times[2, sizes[2]] = t
            sizes[2] += 1
        if sees_start != (state[START, OPEN] > state[START, LOST]):
            durations[START] += t - since_start if sees_start else 0
            sees_start, since_start = not sees_start, t
            times[3, sizes[3]] = t
            sizes[3] += 1
    durations[CLICK] += end - since_click if sees_click else 0
    durations[START] += end - since_start if sees_start else 0
    sizes[0], sizes[1] = clicks, starts
    events[0] += clicks
    events[1] += starts
    events[2] += both


@kernel
def _move_gates(channel: int, gates: Int32Array, state: Int64Array) -> None:
    for row in range(2):
        if channel == gates[row, 0]:
            state[row, OPEN] = 1
        elif channel == gates[row, 1]:
            state[row, OPEN] = 0


@kernel
def _move_all(kind: int, initial: Int64Array, state: Int64Array) -> None:
    """What an overflow or error does: the gates begin anew, and nothing is evaluated while an overflow lasts."""
    for row in range(2):
        if kind in (OVERFLOW_BEGIN, ERROR):
            state[row, OPEN] = initial[row]
        if kind in (OVERFLOW_BEGIN, OVERFLOW_END):
            state[row, LOST] = kind == OVERFLOW_BEGIN
