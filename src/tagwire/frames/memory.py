"""Memory that is used again and again should not go back to the system in between."""

from __future__ import annotations

import numpy as np

KEPT = 2**23
"""Size in bytes of the largest arrays that are worth it."""


def keep_freed_memory() -> None:
    """Let the allocator keep what is freed, up to some megabytes, instead of giving it back at once.

    Columns of a frame are about a megabyte. The C library of Linux takes arrays of this size from the system and gives
    them back each time, which costs more than decoding the tags, until it has seen one freed: then it keeps those
    up to that size. So it gets to see one, whose pages are never touched. Elsewhere this does nothing.
    """
    np.empty(KEPT, np.uint8)
