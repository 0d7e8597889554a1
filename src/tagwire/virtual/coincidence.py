"""Channels that tell when several others fired together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, member, sequence
from tagwire.core.channels import ChannelIndex
from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.engine.strands import Strands
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.errors import ArgumentError
from tagwire.virtual.coincidence_kernel import find_among_few, find_among_many

UNIQUE_CHANNELS_MAX = 64

Ints = NDArray[np.int64]


class Coincidences(VirtualChannelBase):
    """Channels that fire when all channels of a group have fired within a window.

    Parameters
    ----------
    tagger
        Time Tagger object.
    coincidenceGroups
        One group of channels for each new channel; at most 64 different channels in all. A channel named twice in a
        group counts once there.
    coincidenceWindow
        Largest time in ps between the first and the last event of a coincidence, both included; at least 0.
    timestamp
        Time of a coincidence: that of its last event, the average of its events (rounded down to a whole ps), that of
        its first event, or that of the channel that the group lists first.

    Raises
    ------
    ArgumentError
        (ValueError) No group, an empty group, a channel that does not exist, more than 64 channels, or a negative
        window.

    Notes
    -----
    At each time tag of a group, the latest tag of every member is looked at, this one included; when all lie within
    the window there is a coincidence. Tags are not used up: one may take part in several coincidences, and three
    events on two channels can give two. Tags count in the order of the stream, also at equal times.

    Coincidences with another timestamp than ``Last`` lie before the tag that completes them. The stream is therefore
    held back, by up to the window, for everything created after this object.

    Time tags are looked at. At OverflowBegin and Error all earlier tags are forgotten. Missed events and OverflowEnd
    change nothing.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        coincidenceGroups: Sequence[Sequence[int]],
        coincidenceWindow: int,
        timestamp: CoincidenceTimestamp = CoincidenceTimestamp.Last,
    ) -> None:
        groups = _groups(require_tagger(tagger), coincidenceGroups)
        self._window = _window(coincidenceWindow)
        self._timestamp = member(timestamp, "timestamp", CoincidenceTimestamp)
        params = {"coincidenceGroups": groups, **self._common_params()}
        super().__init__(tagger, [c for group in groups for c in group], params, len(groups))
        self._index = ChannelIndex(self._inputs)
        self._lookup = _lookup(self._index, groups)
        self._members = max(len(group) for group in groups)
        self._fewest = min(len(set(group)) for group in groups)
        self._latest: NDArray[np.uint64] = np.zeros(len(self._index), np.uint64)
        self._seen: NDArray[np.uint64] = np.zeros(1, np.uint64)
        self._launch()

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the coincidence channels, in the order of the groups."""
        return self._outputs

    def setCoincidenceWindow(self, coincidenceWindow: int) -> None:
        """Change the window, from now on.

        Earlier tags are forgotten, so none of them makes a coincidence with a later one.

        Parameters
        ----------
        coincidenceWindow
            New window in ps, at least 0.
        """
        window = _window(coincidenceWindow)
        self._hub.command(lambda now: self._set_window(window))

    def _set_window(self, window: int) -> None:
        with self._lock:
            self._window = window
            self._params["coincidenceWindow"] = window
            self._forget()

    def _common_params(self) -> dict[str, Any]:
        return {"coincidenceWindow": self._window, "timestamp": self._timestamp.name}

    @property
    def _lookback(self) -> int:
        if self._timestamp is CoincidenceTimestamp.Last or self._members == 1:
            return 0
        if self._timestamp is CoincidenceTimestamp.Average:
            # The last of n events lies at the end of the window, and the others at its begin at worst.
            return self._window - self._window // self._members
        return self._window

    def _reset(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._seen[0] = 0

    def _view(self, block: Strands) -> TagBlock:
        if self._fewest < 2:
            return super()._view(block)
        return block.close(frozenset(self._inputs), self._window)

    def _generate(self, block: TagBlock) -> TagBlock | None:
        time, group = self._find(block)
        channel = (group + self._outputs[0]).astype(np.int32)
        if self._lookback:
            order = np.argsort(time, kind="stable")
            time, channel = time[order], channel[order]
        return TagBlock(block.begin, block.end, time, channel)

    def _find(self, block: TagBlock) -> Ints:
        time, channel, (table, first) = (
            block.time.view(np.uint64),
            block.channel,
            (self._index.table, self._index.first),
        )
        how = np.uint64(self._window), int(self._timestamp), self._latest, self._seen
        few = block.plain and len(block) and self._fewest > 1
        if few and 2 * len(block) * self._window < int(block.time[-1]) - int(block.time[0]):
            return find_among_few(time, channel, table, first, *self._lookup, *how)
        return find_among_many(time, channel, block.type, table, first, *self._lookup, *how)


class Coincidence(Coincidences):
    """A channel that fires when all of several channels have fired within a window; see `Coincidences`.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels that must fire, at most 64.
    coincidenceWindow, timestamp
        As for `Coincidences`.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        channels: Sequence[int],
        coincidenceWindow: int = 1000,
        timestamp: CoincidenceTimestamp = CoincidenceTimestamp.Last,
    ) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        super().__init__(tagger, [numbers], coincidenceWindow, timestamp)
        self._params = {"channels": numbers, **self._common_params()}

    def getChannel(self) -> int:
        """Number of the coincidence channel."""
        return self._outputs[0]


def _groups(tagger: TimeTaggerBase, values: Any) -> list[list[int]]:
    lists = sequence(values, "coincidenceGroups", "channel lists")
    groups = [tagger._channels(group, f"coincidenceGroups[{i}]") for i, group in enumerate(lists)]
    if not groups:
        raise ArgumentError("coincidenceGroups is empty, but must name at least one group")
    count = len({c for group in groups for c in group})
    if count > UNIQUE_CHANNELS_MAX:
        raise ArgumentError(f"{count} different channels are named, but at most {UNIQUE_CHANNELS_MAX} are possible")
    return groups


def _window(value: object) -> int:
    return integer(value, "coincidenceWindow", 0, TIME_MAX)


def _lookup(index: ChannelIndex, groups: list[list[int]]) -> tuple[Ints, Ints, Ints, Ints, NDArray[np.uint64]]:
    """Groups by channel and channels by group, each as begins and a flat list; channels as bits."""
    members = [[index.channels.index(c) for c in dict.fromkeys(group)] for group in groups]
    homes = [[g for g, places in enumerate(members) if k in places] for k in range(len(index))]
    sets = np.array([sum(1 << k for k in members[g]) for row in homes for g in row], np.uint64)
    return (*_flat(homes), *_flat(members), sets)


def _flat(rows: list[list[int]]) -> tuple[Ints, Ints]:
    begins = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    return begins, np.array([value for row in rows for value in row], np.int64)
