"""How tags are buffered and cut into blocks."""

from __future__ import annotations

from tagwire.core.arguments import boolean, integer
from tagwire.tagger.part import HardwarePart

BUFFER_MIN = 32 * 2**10
BLOCK_EVENTS = (4096, 32 * 2**20)
BLOCK_LATENCY = (1, 10_000)


class BlockSettings(HardwarePart):
    """Size of the instrument's buffer and of the blocks of its stream."""

    def setHardwareBufferSize(self, size: int) -> None:
        """Set how many tags the instrument can hold back.

        Parameters
        ----------
        size
            Tags: 32 Ki up to the model's memory (8 Mi of the Time Tagger 20, 512 Mi of the others). When more of them
            have to wait because the computer does not keep up, and for more than 10 s, there is an overflow.
        """
        self._state.buffer_size = integer(size, "size", BUFFER_MIN, self._model.buffer_max)
        self._apply_block_size()

    def getHardwareBufferSize(self) -> int:
        """Tags that the instrument can hold back."""
        return self._state.buffer_size

    def setStreamBlockSize(self, max_events: int, max_latency: int) -> None:
        """Set how the stream is cut: a block ends with whichever limit comes first.

        Parameters
        ----------
        max_events
            Tags in a block, 4096 to 32 Mi; 1 Mi after start-up.
        max_latency
            Span of a block in milliseconds, 1 to 10000; 20 after start-up. Results appear that much later at most, and
            never depend on it.
        """
        events = integer(max_events, "max_events", *BLOCK_EVENTS)
        latency = integer(max_latency, "max_latency", *BLOCK_LATENCY)
        self._state.block_events, self._state.block_latency = events, latency
        self._apply_block_size()

    def getStreamBlockSizeEvents(self) -> int:
        """Largest number of tags in a block."""
        return self._state.block_events

    def getStreamBlockSizeLatency(self) -> int:
        """Longest span of a block in ms."""
        return self._state.block_latency

    def setTimeTaggerNetworkStreamCompression(self, active: bool) -> None:
        """Has no effect: the stream that a server sends is always packed, about 2.5 bytes a tag.

        Parameters
        ----------
        active
            True or False.
        """
        boolean(active, "active")

    def _apply_block_size(self) -> None:
        """Tell the stream about buffer and block size."""
        raise NotImplementedError
