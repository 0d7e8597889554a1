"""Compile what frames need before tags are on their way, for compilation takes seconds and holds up everybody."""

from __future__ import annotations

from functools import cache

import numpy as np

from tagwire.core.tags import TagBlock, concatenate, overflow_tags
from tagwire.core.tags import TagType as Kind
from tagwire.frames.codec import decode, encode

PERIOD = 1000


@cache
def warm_up() -> None:
    """Encode and decode frames of every kind; afterwards nothing of `tagwire.frames` has to be compiled."""
    pulses = np.arange(0, 400 * PERIOD, PERIOD)
    clicks = np.arange(PERIOD // 3, 400 * PERIOD, 30 * PERIOD)
    end = 401 * PERIOD
    for first, second in ((1, 2), (1, 200), (1, 70_000)):
        for behind in (0, PERIOD // 3):  # with clicks behind pulses at the same time, and without
            _pass(pulses, clicks - behind, second, first, end)
    plain = TagBlock(0, end, pulses, np.ones(len(pulses), np.int32))
    decode(encode(concatenate(0, 2 * end, [plain, overflow_tags(end, Kind.OverflowBegin, 2 * end)])))


def _pass(pulses: np.ndarray, clicks: np.ndarray, pulse: int, click: int, end: int) -> None:
    time = np.concatenate([pulses, clicks])
    channel = np.repeat(np.array([pulse, click], np.int32), [len(pulses), len(clicks)])
    order = np.argsort(time, kind="stable")
    decode(encode(TagBlock(0, end, time[order], channel[order])))
