"""Channels that tell which of several others fired together, and that no other did around that time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer
from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.tags import TagBlock
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.virtual.combinations_kernel import STATE_SIZE, find_combinations

CHANNELS_MAX = 32
"""As many as a mask has bits."""


class Combinations(VirtualChannelBase):
    """Channels for every set of inputs that may fire together, exclusively: nothing else fires before or after.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels to watch, at most 32 different ones.
    window_size
        Largest time in ps between the first and the last event of a combination, and how long before and after it none
        of the channels may fire; at least 1.

    Raises
    ------
    ArgumentError
        (ValueError) No channel, one that does not exist or is named twice, more than 32, or a window below 1.

    Notes
    -----
    A combination begins with an event that none precedes by `window_size` or less. All events up to `window_size`
    later, this time included, belong to it. Another event within `window_size` after the last of these, this time
    included, spoils it. Its tag has the time of its last event. Several events of one channel count as one. In other
    words: events that follow each other by at most `window_size` form a group, and a group that lasts no longer than
    `window_size` is a combination.

    Whether a combination stands is known `window_size` after its last event. The stream is held back by as much for
    everything created after this object.

    The channel of a set of inputs, and that of a number of inputs, exists from the first call that asks for it.

    Time tags are looked at. From OverflowBegin to OverflowEnd and at an Error events may be lost, so a combination
    stands only when it and the windows around it touch none of these. Missed events change nothing. Before the capture
    began there is taken to be silence.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int], window_size: int) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        if len(set(numbers)) < len(numbers):
            raise ArgumentError(f"channels names a channel twice: {numbers}")
        if len(numbers) > CHANNELS_MAX:
            raise ArgumentError(f"channels names {len(numbers)} channels, but at most {CHANNELS_MAX} are possible")
        self._window = integer(window_size, "window_size", 1, DELAY_MAX)
        super().__init__(tagger, numbers, {"channels": numbers, "window_size": self._window}, 0)
        self._index = ChannelIndex(numbers)
        self._by_mask: dict[int, int] = {}
        self._by_sum: dict[int, int] = {}
        self._state: NDArray[np.int64] = np.zeros(STATE_SIZE, np.int64)
        self._launch()

    def getChannel(self, input_channels: Sequence[int]) -> int:
        """Number of the channel for a set of inputs, which is served from now on.

        Parameters
        ----------
        input_channels
            Inputs that fire; order and repetitions do not matter.
        """
        return self.getChannelByMask(self._mask(input_channels, "input_channels"))

    def getChannels(self, list_of_input_channel_sets: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """Numbers of the channels for several sets of inputs, as `getChannel` gives them."""
        sets: Any = list_of_input_channel_sets
        if isinstance(sets, str | bytes) or not isinstance(sets, Iterable):
            raise ArgumentKindError(f"list_of_input_channel_sets must be a sequence of channel lists, not {sets!r}")
        masks = [self._mask(one, f"list_of_input_channel_sets[{i}]") for i, one in enumerate(sets)]
        return tuple(self.getChannelByMask(mask) for mask in masks)

    def getChannelByMask(self, input_mask: int) -> int:
        """Number of the channel for a set of inputs, which is served from now on.

        Parameters
        ----------
        input_mask
            Bit n stands for the n-th channel named at creation, from bit 0 on; at least one bit is set.
        """
        mask = integer(input_mask, "input_mask", 1, (1 << len(self._index)) - 1)
        return self._serve(self._by_mask, mask)

    def getCombination(self, virtual_channel: int) -> tuple[int, ...]:
        """Inputs of a channel that `getChannel` gave, in the order of creation."""
        number = integer(virtual_channel, "virtual_channel")
        with self._lock:
            masks = [mask for mask, channel in self._by_mask.items() if channel == number]
        if not masks:
            raise ArgumentError(f"virtual_channel is {number}, but must be one of {sorted(self._by_mask.values())}")
        return tuple(c for place, c in enumerate(self._index.channels) if masks[0] >> place & 1)

    def getSumChannel(self, n_channels: int) -> int:
        """Number of the channel for all combinations of exactly `n_channels` inputs, which is served from now on."""
        return self._serve(self._by_sum, integer(n_channels, "n_channels", 1, len(self._index)))

    @property
    def _lookback(self) -> int:
        return self._window

    def _mask(self, channels: Sequence[int], name: str) -> int:
        numbers = self._tagger._channels(channels, name)
        for number in numbers:
            if number not in self._index.channels:
                raise ArgumentError(f"{name} has {number}, but only {list(self._index.channels)} are watched")
        return sum(1 << self._index.channels.index(number) for number in set(numbers))

    def _serve(self, served: dict[int, int], key: int) -> int:
        """The channel under `key`, made between two blocks if there is none yet."""

        def make(now: int) -> None:
            with self._lock:
                if key not in served:
                    self._numbers += self._hub.allocate(1)
                    served[key] = self._numbers[-1]

        self._hub.command(make)
        return served[key]

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._state[:] = 0

    def _generate(self, block: TagBlock) -> TagBlock | None:
        time, mask, fold = find_combinations(
            block.end,
            block.time,
            block.channel,
            block.type,
            self._index.table,
            self._index.first,
            self._window,
            self._state,
        )
        columns = (_translate(mask, self._by_mask), _translate(fold, self._by_sum))
        channel = np.stack(columns, axis=1).ravel()
        served = channel != CHANNEL_UNUSED
        return TagBlock(block.begin, block.end, np.repeat(time, 2)[served], channel[served])


def _translate(keys: NDArray[np.int64], channels: dict[int, int]) -> NDArray[np.int32]:
    """Channel of each key, or `CHANNEL_UNUSED`."""
    known = np.array(sorted(channels), np.int64)
    numbers = np.array([*(channels[key] for key in sorted(channels)), CHANNEL_UNUSED], np.int32)
    places = np.searchsorted(known, keys)
    found = np.append(known, -1)[places] == keys
    return np.where(found, numbers[places], np.int32(CHANNEL_UNUSED))
