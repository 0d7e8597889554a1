"""Frames that nobody has sent: they say where a stream begins, so that a break before its first frame is noticed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tagwire.core.tags import TagBlock
from tagwire.frames.codec import encode
from tagwire.network.assembly import Assembler
from tagwire.network.frame import Frame

NO_FEED = 0
"""Number that no feed has."""


def primed(assembler: Assembler, greeting: dict[str, Any]) -> Assembler:
    """The assembler at the place where a stream begins."""
    assembler.add(beginning(greeting), int(greeting["epoch"]))
    return assembler


def beginning(greeting: dict[str, Any]) -> Frame:
    """A frame without tags and without length, before the first one of a stream."""
    begin, number = int(greeting["begin"]), int(greeting["number"])
    counts = np.array(greeting["counts"], np.int64)
    return Frame(int(greeting["feed"]), number, number - 1, begin, begin, counts, _nothing(begin))


def elsewhere(channels: int, begin: int) -> Frame:
    """A frame without tags of a feed that is none, so that what the assembler knew of its own one is over."""
    return Frame(NO_FEED, 0, -1, begin, begin, np.zeros(channels, np.int64), _nothing(begin))


def _nothing(at: int) -> bytes:
    """The data of a frame without tags and without length."""
    return encode(TagBlock.empty(at, at))
