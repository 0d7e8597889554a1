"""Rules of channel numbers.

Rising edges are 1, 2, ..., the falling edge of input ``n`` is ``-n``, and virtual channels are numbered above every
physical one. `CHANNEL_UNUSED` stands for "no channel".
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

CHANNEL_UNUSED = -134217728
"""Number that stands for "no channel" in every call."""

FIRST_VIRTUAL_CHANNEL = 1001
"""Lowest number given to a virtual channel."""


class ChannelIndex:
    """Maps channel numbers to places 0, 1, ... through one small table.

    Parameters
    ----------
    channels
        Distinct channel numbers; the place of a channel is its position here.

    Attributes
    ----------
    table : ndarray of int16
        ``table[channel - first]`` is the place, or -1 for a channel that is not asked for.
    first : int
        Channel number of ``table[0]``.

    Notes
    -----
    In a kernel: ``k = channel - first``; where ``0 <= k < len(table)`` the place is ``table[k]``. Overflow tags carry
    `CHANNEL_UNUSED` and so fall outside every table.
    """

    __slots__ = ("channels", "first", "table")

    def __init__(self, channels: Iterable[int]) -> None:
        self.channels = tuple(int(c) for c in channels if c != CHANNEL_UNUSED)
        self.first = min(self.channels, default=0)
        size = max(self.channels, default=-1) - self.first + 1
        self.table: NDArray[np.int16] = np.full(size, -1, np.int16)
        for place, channel in enumerate(self.channels):
            self.table[channel - self.first] = place

    def __len__(self) -> int:
        return len(self.channels)
