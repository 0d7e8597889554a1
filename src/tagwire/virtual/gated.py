"""Channels that pass while a gate is open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import member
from tagwire.core.channels import ChannelIndex
from tagwire.core.enums import GatedChannelInitial
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError
from tagwire.kernel import kernel
from tagwire.virtual.routes import Routes

TIME_TAG = int(TagType.TimeTag)
ERROR = int(TagType.Error)
OVERFLOW_BEGIN = int(TagType.OverflowBegin)


class GatedChannels(VirtualChannelBase):
    """Copies of channels, made only while a common gate is open.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channels
        Channels to copy; a channel named twice is copied twice.
    gate_start_channel
        Time tags on it open the gate.
    gate_stop_channel
        Time tags on it close the gate; another channel than `gate_start_channel`.
    initial
        State of the gate at the beginning, after an overflow, and whenever the capture starts anew.

    Raises
    ------
    ArgumentError
        (ValueError) Both gate channels are the same, or a channel does not exist.

    Notes
    -----
    Tags act in the order of the stream, also at equal times. A tag on a channel that is both input and gate is first
    judged by the state before it and then moves the gate.

    Time tags and missed events pass while the gate is open; missed events on a gate channel do not move it. At
    OverflowBegin and Error the gate goes back to `initial`; OverflowEnd changes nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channels: Sequence[int],
        gate_start_channel: int,
        gate_stop_channel: int,
        initial: GatedChannelInitial = GatedChannelInitial.Closed,
    ) -> None:
        numbers = require_tagger(tagger)._channels(input_channels, "input_channels")
        start = tagger._channel(gate_start_channel, "gate_start_channel")
        stop = tagger._channel(gate_stop_channel, "gate_stop_channel")
        if start == stop:
            raise ArgumentError(f"gate_start_channel and gate_stop_channel are both {start}, but must differ")
        self._initial = member(initial, "initial", GatedChannelInitial)
        gates = {"gate_start_channel": start, "gate_stop_channel": stop, "initial": self._initial.name}
        super().__init__(tagger, [*numbers, start, stop], {"input_channels": numbers, **gates}, len(numbers))
        self._routes = Routes(numbers, self._outputs)
        self._gate: NDArray[np.int32] = np.array([start, stop], np.int32)
        self._open: NDArray[np.bool_] = np.zeros(1, np.bool_)
        self._launch()

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the gated copies, in the order of the inputs."""
        return self._outputs

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._open[0] = self._initial is GatedChannelInitial.Open

    def _generate(self, block: TagBlock) -> TagBlock | None:
        initial = self._initial is GatedChannelInitial.Open
        index: ChannelIndex = self._routes.index
        places = _through_gate(block.channel, block.type, index.table, index.first, self._gate, initial, self._open)
        return self._routes.relay(block, places)


class GatedChannel(GatedChannels):
    """A copy of one channel, made only while a gate is open; see `GatedChannels`.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to copy.
    gate_start_channel, gate_stop_channel, initial
        As for `GatedChannels`.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        gate_start_channel: int,
        gate_stop_channel: int,
        initial: GatedChannelInitial = GatedChannelInitial.Closed,
    ) -> None:
        number = require_tagger(tagger)._channel(input_channel, "input_channel")
        super().__init__(tagger, [number], gate_start_channel, gate_stop_channel, initial)
        gates = {k: v for k, v in self._params.items() if k != "input_channels"}
        self._params = {"input_channel": number, **gates}

    def getChannel(self) -> int:
        """Number of the gated copy."""
        return self._outputs[0]


@kernel
def _through_gate(
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    table: NDArray[np.int16],
    first: int,
    gate: NDArray[np.int32],
    initial: bool,
    is_open: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Places of the tags that pass; the state of the gate is carried in ``is_open[0]``.

    Which tag comes next cannot be foreseen, so time tags are treated without a branch.
    """
    places = np.empty(len(channel), np.int64)
    count = np.uint64(0)
    others, size = np.uint64(0), np.uint64(len(table))
    plain = len(kind) == 0
    state = is_open[0]
    for i in range(np.uint64(len(channel))):
        k = np.uint64(channel[i] - first)
        within = k < size
        places[count] = i
        count += np.uint64(state & within & (table[k if within else others] >= 0))
        if plain or kind[i] == TIME_TAG:
            state = (state | (channel[i] == gate[0])) & (channel[i] != gate[1])
        elif kind[i] == OVERFLOW_BEGIN or kind[i] == ERROR:
            state = initial
    is_open[0] = state
    return places[:count]
