"""A feed: some channels of a Time Tagger, on their way into a ring."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.selection import select
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.network.ring import CAPACITY, Ring


class Feed(IteratorBase):
    """Puts the tags of some channels into a ring, from now on until it is closed.

    It stands at the end of the chain, so it sees the virtual channels that exist when it is made.

    Parameters
    ----------
    tagger
        Time Tagger object.
    channels
        Channels of the feed; time tags and missed events of these, and all overflow and error tags, go in.
    capacity
        Bytes that the ring keeps.
    synchronous
        Whether the stream waits until all clients have taken a block; see `Ring`.

    Attributes
    ----------
    ring
        Where clients read.

    Notes
    -----
    Tags are encoded in the thread of the tagger: that takes a few nanoseconds a tag and makes no copy of the block,
    so a queue and a thread beside it would cost more than they save. A stream that is as fast as possible (a replay)
    waits for its clients instead of losing tags, though not for one that has stopped to read.

    When the capture ends, because the Time Tagger was freed or its stream broke off, the ring is closed.
    """

    def __init__(
        self, tagger: TimeTaggerBase, channels: Sequence[int], capacity: int = CAPACITY, synchronous: bool = False
    ) -> None:
        super().__init__(tagger, channels, {"channels": list(channels)})
        self._index = ChannelIndex(self._inputs)
        self.ring = Ring(self._inputs, capacity, synchronous)
        self._launch()
        if not self.isRunning():
            self.start()

    def close(self) -> None:
        """Leave the stream; clients get what is in the ring and then hear that it has ended."""
        self.ring.close()  # first of all, for the stream may be waiting for a client
        self._close()

    def _process(self, block: TagBlock) -> None:
        self.ring.append(select(block, self._index), self._hub.patient)

    def _begin(self, now: int, duration: int | None, wipe: bool) -> None:
        super()._begin(now, duration, wipe)
        self.ring.begin_at(self._from)

    def _fail(self, error: Exception) -> None:
        self.ring.close(f"the stream broke off: {error!r}")
        super()._fail(error)

    def _halt(self) -> None:
        self.ring.close()
        super()._halt()
