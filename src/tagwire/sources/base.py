"""The contract of everything that tags come from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tagwire.core.tags import TagBlock


class Source(Protocol):
    """A stream of tags that is pulled, span by span.

    A source has no clock and no thread: who pulls decides how fast time passes. Its tags must not depend on the spans
    in which they are pulled.
    """

    @property
    def channels(self) -> tuple[int, ...]:
        """Every channel that can carry tags."""
        ...

    @property
    def position(self) -> int:
        """Stream time in ps up to which it was read; the next block begins here."""
        ...

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The block of the next `span` ps, or `None` when there will be no more tags.

        Parameters
        ----------
        span
            Length in ps, at least 1. A shorter block is allowed where the source ends.
        wanted
            Channels somebody listens to; tags of others may be left out. Overflow tags always come.
        """
        ...

    def close(self) -> None:
        """Give up what it holds open; more than once is fine."""
        ...
