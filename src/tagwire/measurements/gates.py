"""Evaluation gates: when the tags of a channel count."""

from __future__ import annotations

from typing import Any

from tagwire.core.arguments import INT32_MAX, integer, member
from tagwire.core.enums import GatedChannelInitial
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError, ArgumentKindError


class ChannelGate:
    """When the tags of a channel are evaluated; given to a measurement, which corrects its normalisation for it.

    Parameters
    ----------
    gate_open_channel
        Time tags on it open the gate.
    gate_close_channel
        Time tags on it close the gate; another channel than `gate_open_channel`.
    initial
        State of the gate at the beginning and after an overflow.

    Raises
    ------
    ArgumentError
        (ValueError) Both channels are the same.
    """

    def __init__(
        self,
        gate_open_channel: int,
        gate_close_channel: int,
        initial: GatedChannelInitial = GatedChannelInitial.Open,
    ) -> None:
        self._opens = integer(gate_open_channel, "gate_open_channel", -INT32_MAX, INT32_MAX)
        self._closes = integer(gate_close_channel, "gate_close_channel", -INT32_MAX, INT32_MAX)
        self._initial = member(initial, "initial", GatedChannelInitial)
        if self._opens == self._closes:
            raise ArgumentError(f"gate_open_channel and gate_close_channel are both {self._opens}, but must differ")

    @property
    def gate_open_channel(self) -> int:
        """Channel that opens the gate."""
        return self._opens

    @property
    def gate_close_channel(self) -> int:
        """Channel that closes the gate."""
        return self._closes

    @property
    def initial(self) -> GatedChannelInitial:
        """State of the gate at the beginning and after an overflow."""
        return self._initial


def require_gate(value: Any, name: str, tagger: TimeTaggerBase) -> ChannelGate | None:
    """`value` if it is no gate at all, or one on channels of `tagger`.

    Raises
    ------
    ArgumentKindError
        (TypeError) It is something else.
    ArgumentError
        (ValueError) The tagger has no such channel.
    """
    if value is None:
        return None
    if not isinstance(value, ChannelGate):
        raise ArgumentKindError(f"{name} must be a ChannelGate or None, not {value!r}")
    tagger._channel(value.gate_open_channel, f"{name}.gate_open_channel")
    tagger._channel(value.gate_close_channel, f"{name}.gate_close_channel")
    return value


def describe(gate: ChannelGate | None) -> dict[str, Any] | None:
    """A gate as values that JSON can hold."""
    if gate is None:
        return None
    channels = {"gate_open_channel": gate.gate_open_channel, "gate_close_channel": gate.gate_close_channel}
    return channels | {"initial": gate.initial.name}
