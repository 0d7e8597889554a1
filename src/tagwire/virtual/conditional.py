"""Channels that pass one event after each trigger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.kernel import kernel
from tagwire.virtual.routes import Routes

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)


class ConditionalFilterChannel(VirtualChannelBase):
    """Copies of channels that have only the first event after each trigger: the conditional filter, in software.

    Parameters
    ----------
    tagger
        Time Tagger object.
    filter_channels
        A channel to copy, or several; one named twice is copied twice.
    trigger_channels
        Each time tag on any of them lets the next event of every filtered channel pass, one for each.

    Notes
    -----
    Tags act in the order of the stream, also at equal times. A tag on a channel that is both filtered and trigger is
    first judged by the triggers before it and then triggers, whether it passed or not. Several triggers without an
    event in between let one event pass.

    Time tags pass and trigger. Missed events do neither: which of them would have passed is not known. A trigger before
    OverflowBegin, OverflowEnd or Error lets nothing after it pass.
    """

    def __init__(
        self, tagger: TimeTaggerBase, filter_channels: int | Sequence[int], trigger_channels: Sequence[int]
    ) -> None:
        source = require_tagger(tagger)
        several = isinstance(filter_channels, Iterable)
        filtered = source._channels(filter_channels if several else [filter_channels], "filter_channels")
        triggers = source._channels(trigger_channels, "trigger_channels")
        params = {"filter_channels": filtered, "trigger_channels": triggers}
        super().__init__(tagger, [*filtered, *triggers], params, len(filtered))
        self._routes = Routes(filtered, self._outputs)
        self._triggers = ChannelIndex(dict.fromkeys(triggers))
        self._armed: NDArray[np.bool_] = np.zeros(len(self._routes.index), np.bool_)
        self._launch()

    def getChannel(self) -> int:
        """Number of the first filtered copy."""
        return self._outputs[0]

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the filtered copies, in the order of the inputs."""
        return self._outputs

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._armed[:] = False

    def _generate(self, block: TagBlock) -> TagBlock | None:
        index, triggers = self._routes.index, self._triggers
        places = _first_after_trigger(
            block.channel, block.type, index.table, index.first, triggers.table, triggers.first, self._armed
        )
        return self._routes.relay(block, places)


@kernel
def _first_after_trigger(
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    table: NDArray[np.int16],
    first: int,
    trigger_table: NDArray[np.int16],
    trigger_first: int,
    armed: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Places of the tags that pass; which channels let their next event pass is carried in `armed`."""
    places = np.empty(len(channel), np.int64)
    count = 0
    plain = len(kind) == 0
    for i in range(len(channel)):
        if not (plain or kind[i] == TIME_TAG):
            if kind[i] != MISSED_EVENTS:
                armed[:] = False
            continue
        k = channel[i] - first
        if 0 <= k < len(table) and table[k] >= 0 and armed[table[k]]:
            armed[table[k]] = False
            places[count] = i
            count += 1
        k = channel[i] - trigger_first
        if 0 <= k < len(trigger_table) and trigger_table[k] >= 0:
            armed[:] = True
    return places[:count]
