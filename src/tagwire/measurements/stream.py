"""The raw tags, handed out in buffers."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer
from tagwire.core.arrays import Int32Array1D, Int64Array1D, UInt8Array1D, UInt16Array1D
from tagwire.core.channels import ChannelIndex
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)
FIRST_CAPACITY = 4096


class TimeTagStreamBuffer:
    """Raw tags as columns; comes from `TimeTagStream.getData` or a file reader, and is not created by itself.

    Every getter returns an array of its own with one entry per tag, in order of time.
    """

    _block: TagBlock
    _begun: int
    _taken: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @classmethod
    def _from_block(cls, block: TagBlock, t_start: int, t_get_data: int) -> Self:
        """A buffer that holds `block`, with the stream times in ps of `tStart` and `tGetData`."""
        buffer = cls.__new__(cls)
        buffer._block, buffer._begun, buffer._taken = block, t_start, t_get_data
        return buffer

    def getTimestamps(self) -> Int64Array1D:
        """Time of each tag in ps, int64."""
        return self._block.time.copy()

    def getChannels(self) -> Int32Array1D:
        """Channel of each tag, int32; overflow and error tags carry `CHANNEL_UNUSED`."""
        return self._block.channel.copy()

    def getOverflows(self) -> UInt8Array1D:
        """The same as `getEventTypes`, under its old name."""
        return self.getEventTypes()

    def getEventTypes(self) -> UInt8Array1D:
        """What each tag reports, uint8: 0 time tag, 1 error, 2 overflow begins, 3 overflow ends, 4 missed events."""
        return self._block.types.copy()

    def getMissedEvents(self) -> UInt16Array1D:
        """Number of lost events that each tag of type 4 stands for, uint16; 0 for all others."""
        return self._block.missed_events.copy()

    @property
    def size(self) -> int:
        """Number of tags; when it equals ``n_max_events`` of the stream, further tags were most likely dropped."""
        return len(self._block)

    @property
    def hasOverflows(self) -> bool:
        """Whether any tag reports an overflow or missed events of the instrument."""
        return bool(np.any(self._block.type >= TagType.OverflowBegin))

    @property
    def tStart(self) -> int:
        """Stream time in ps at which the capture began: at the creation, the last `clear`, or the file's begin."""
        return self._begun

    @property
    def tGetData(self) -> int:
        """Stream time in ps up to which the tags had been captured when this buffer was taken."""
        return self._taken

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""


class TimeTagStream(IteratorBase):
    """The raw tags of some channels, collected until they are asked for.

    Parameters
    ----------
    tagger
        Time Tagger object.
    n_max_events
        Largest number of tags kept between two calls of `getData`, at least 1. Memory is taken as tags come, 15 bytes
        each, and not in advance.
    channels
        Channels to collect.

    Notes
    -----
    Time tags and missed events are kept for the given channels, overflow and error tags always. When the buffer is
    full, the tags that follow are dropped until `getData` is called; a buffer whose `size` equals `n_max_events` says
    so. `stop` and `start` keep what is in the buffer, `clear` drops it.
    """

    _store: _Store
    _captured_span: tuple[int, int] | None

    def __init__(self, tagger: TimeTaggerBase, n_max_events: int, channels: Sequence[int]) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        self._limit = integer(n_max_events, "n_max_events", 1)
        super().__init__(tagger, numbers, {"n_max_events": self._limit, "channels": numbers})
        self._index = ChannelIndex(self._inputs)
        self._launch()

    def getData(self) -> TimeTagStreamBuffer:
        """The tags collected since the last call; each tag is given out once."""
        with self._lock:
            begun, taken = self._captured_span or (self._from, self._from)
            store, self._store = self._store, _Store(self._limit)
        return TimeTagStreamBuffer._from_block(store.block(begun, taken), begun, taken)

    def getCounts(self) -> int:
        """How many tags a call of `getData` would give out now."""
        with self._lock:
            return self._store.size

    def _reset(self) -> None:
        self._store = _Store(self._limit)
        self._captured_span = None

    def _process(self, block: TagBlock) -> None:
        self._store.add(block, self._index)
        begun = self._captured_span[0] if self._captured_span else block.begin
        self._captured_span = begun, block.end


class _Store:
    """Columns that grow up to `limit` tags."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._time = np.empty(0, np.int64)
        self._channel = np.empty(0, np.int32)
        self._type = np.empty(0, np.uint8)
        self._missed = np.empty(0, np.uint16)

    def add(self, block: TagBlock, index: ChannelIndex) -> None:
        """Append the tags of the channels in `index`, and overflow and error tags, as far as there is room."""
        self._reserve(min(self._limit, self.size + len(block)))
        columns = self._time, self._channel, self._type, self._missed
        arriving = block.time, block.channel, block.type, block.missed
        self.size = _append(*arriving, index.table, index.first, *columns, self.size)

    def block(self, begin: int, end: int) -> TagBlock:
        """All tags, as a block that shares this store's memory."""
        n = self.size
        return TagBlock(begin, end, self._time[:n], self._channel[:n], self._type[:n], self._missed[:n])

    def _reserve(self, size: int) -> None:
        if size > len(self._time):
            room = min(self._limit, max(size, 2 * len(self._time), FIRST_CAPACITY))
            for name in ("_time", "_channel", "_type", "_missed"):
                column = getattr(self, name)
                grown = np.empty(room, column.dtype)
                grown[: self.size] = column[: self.size]
                setattr(self, name, grown)


@kernel
def _append(
    time: NDArray[np.int64],
    channel: NDArray[np.int32],
    kind: NDArray[np.uint8],
    missed: NDArray[np.uint16],
    table: NDArray[np.int16],
    first: int,
    out_time: NDArray[np.int64],
    out_channel: NDArray[np.int32],
    out_kind: NDArray[np.uint8],
    out_missed: NDArray[np.uint16],
    size: int,
) -> int:
    """Copy the wanted tags behind the first `size` ones until the output is full; gives the new size."""
    plain = len(kind) == 0
    for i in range(len(channel)):
        if size == len(out_time):
            break
        k = channel[i] - first
        wanted = 0 <= k < len(table) and table[k] >= 0
        if not plain and kind[i] != TIME_TAG and kind[i] != MISSED_EVENTS:
            wanted = True
        if wanted:
            out_time[size] = time[i]
            out_channel[size] = channel[i]
            out_kind[size] = TIME_TAG if plain else kind[i]
            out_missed[size] = 0 if plain else missed[i]
            size += 1
    return size
