"""What stands between the source and those who listen: the instrument's own processing."""

from __future__ import annotations

from typing import Protocol

from tagwire.core.tags import TagBlock


class Device(Protocol):
    """What the instrument does to its tags before anyone sees them: delays, dead time, filters."""

    def process(self, block: TagBlock) -> TagBlock:
        """The block as it leaves the device; it may lag behind what came in."""
        ...

    def flush(self) -> TagBlock:
        """What is still held back at the end of the stream."""
        ...

    def wanted(self, channels: frozenset[int]) -> frozenset[int]:
        """Channels to ask the source for when somebody listens to `channels`."""
        ...

    def present(self, position: int) -> int:
        """Stream time, as those who listen see it, when the source has come to `position`."""
        ...

    @property
    def outputs(self) -> tuple[int, ...]:
        """Channels that the device adds."""
        ...


class Bypass:
    """A device that changes nothing."""

    def __init__(self) -> None:
        self._end = 0

    def process(self, block: TagBlock) -> TagBlock:
        """The block itself."""
        self._end = block.end
        return block

    def flush(self) -> TagBlock:
        """Nothing is ever held back."""
        return TagBlock.empty(self._end, self._end)

    def wanted(self, channels: frozenset[int]) -> frozenset[int]:
        """The same channels."""
        return channels

    def present(self, position: int) -> int:
        """The same time."""
        return position

    @property
    def outputs(self) -> tuple[int, ...]:
        """None."""
        return ()
