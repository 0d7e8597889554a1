"""How an array in shared memory is spoken of: what stands in its place, and its name when it comes back."""

from __future__ import annotations

import struct
from collections.abc import Sequence

REFERENCE = struct.Struct("!QIQ")
"""Loan, segment, bytes; `told_of` follows when the client does not know the segment yet."""

LOAN = "loan:"
"""How the id of a loan begins, where it stands among ids of objects."""


def told_of(name: str, over: Sequence[int]) -> bytes:
    """What is said of a new segment: its name, and the numbers of those that are not used any more."""
    return " ".join([name, *map(str, over)]).encode()


def read_told(text: bytes) -> tuple[str, list[int]]:
    """What `told_of` has said; `ValueError` when it makes no sense."""
    name, *over = text.decode("ascii", "replace").split(" ")
    return name, [int(number) for number in over]
