"""Measurements of the user's own: the raw tags of some channels, block by block, in a method of a subclass."""

from __future__ import annotations

import logging
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import ChannelIndex
from tagwire.core.mutex import Mutex
from tagwire.core.tags import TAG_DTYPE, Int32Array, Int64Array, TagBlock, TagType, UInt8Array, UInt16Array
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import StateError
from tagwire.kernel import kernel

logger = logging.getLogger(__name__)

Records = NDArray[np.void]

TIME_TAG = int(TagType.TimeTag)
MISSED_EVENTS = int(TagType.MissedEvents)

_alive: weakref.WeakSet[CustomMeasurementBase] = weakref.WeakSet()


class CustomMeasurementBase(IteratorBase):
    """Base of measurements whose processing is the user's; in Python derive from `CustomMeasurement`.

    Parameters
    ----------
    tagger
        Time Tagger object.

    Notes
    -----
    A subclass calls `register_channel` for every channel it wants and, at the end of its constructor,
    `finalize_init`, which starts it. From then on the thread that drives the stream calls its hooks, and the stream
    waits for them: `next_impl_cs` with every block, `clear_impl`, `on_start`, `pre_stop` and `on_stop`.

    While a hook runs, the object is locked. Methods of the user's that read the same state lock it too
    (``with self.mutex`` in `CustomMeasurement`). There is one rule: whoever is inside, a hook or a holder of the mutex,
    stands between two blocks of the stream, so everything may be called there, `start`, `stop` and `clear` too, but the
    stream of the whole tagger stands still meanwhile. What waits for the stream (`waitUntilFinished`, ``sync``) raises
    a StateError (RuntimeError) there instead of waiting for ever.

    An exception in a hook is reported in the log (on the screen, unless ``logging`` is set up otherwise) and ends this
    measurement, and no other; `waitUntilFinished` then raises.
    """

    def __init__(self, tagger: TimeTaggerBase) -> None:
        super().__init__(require_tagger(tagger), (), {})
        self._index = ChannelIndex(())
        self._finalized = False
        _alive.add(self)

    @staticmethod
    def stop_all_custom_measurements() -> None:
        """Stop every custom measurement that runs, on whichever tagger."""
        for measurement in list(_alive):
            measurement.stop()

    def register_channel(self, channel: int) -> None:
        """Ask for the tags of a channel, at once or later; a second time changes nothing.

        Raises
        ------
        ArgumentError
            (ValueError) The tagger has no such channel.
        """
        number = self._tagger._channel(channel, "channel")
        self._hub.command(lambda now: self._listen(dict.fromkeys((*self._inputs, number))))

    def unregister_channel(self, channel: int) -> None:
        """Do without the tags of a channel from now on; nothing happens when it is not registered."""
        number = self._tagger._channel(channel, "channel")
        self._hub.command(lambda now: self._listen(dict.fromkeys(c for c in self._inputs if c != number)))

    def finalize_init(self) -> None:
        """Join the stream, at the end of the constructor; a second time changes nothing.

        `clear_impl` is not called: a subclass sets up its state itself, or calls it.
        """
        if not self._finalized:
            self._finalized = True
            self._hub.attach(self)
            self._tagger._adopt(self)

    def is_running(self) -> bool:
        """The same as `isRunning`."""
        return self.isRunning()

    def stop(self) -> None:
        """Stop to capture, at once; nothing happens before the constructor has run, or the second time."""
        if not hasattr(self, "_finalized"):  # a destructor may call this after a constructor that failed
            return
        if self in _alive:
            super().stop()
        else:  # collected as garbage, by a thread that may hold another lock: wait for nothing, nobody else is there
            self._halt()

    def next_impl(self, incoming_tags: Records, begin_time: int, end_time: int) -> bool:
        """Hand a block to `next_impl_cs`; gives False."""
        self.next_impl_cs(incoming_tags, begin_time, end_time)
        return False

    def next_impl_cs(self, incoming_tags: Records, begin_time: int, end_time: int) -> Any:
        """Process a block; see `CustomMeasurement.process`."""

    def clear_impl(self) -> None:
        """Called by `clear`, and by `startFor` unless told otherwise: drop the results."""

    def on_start(self) -> None:
        """Called when the measurement has started; not when it ran already."""

    def on_stop(self) -> None:
        """Called when the measurement has stopped, whatever the reason, as often as `on_start`."""

    def pre_stop(self) -> None:
        """Called directly before the measurement stops."""

    def _listen(self, channels: dict[int, None]) -> None:
        with self._lock:
            self._inputs = tuple(channels)
            self._index = ChannelIndex(channels)

    def _process(self, block: TagBlock) -> None:
        self.next_impl(selected_records(block, self._index), block.begin, block.end)

    def _reset(self) -> None:
        self.clear_impl()

    def _begin(self, now: int, duration: int | None, wipe: bool) -> None:
        if not self._finalized:
            raise StateError("this measurement does not listen yet: call finalize_init() first")
        with self._finished:
            ran = self._running
            super()._begin(now, duration, wipe)
            if self._running and not ran:
                self._call_on_start()

    def _fail(self, error: Exception) -> None:
        try:
            super()._fail(error)
        except Exception:  # the stream of all others goes on
            logger.exception("%s failed again when it was stopped", type(self).__name__)

    def _call_on_start(self) -> None:
        try:
            self.on_start()
        except BaseException:
            super()._halt()
            raise

    def _halt(self) -> None:
        with self._finished:
            if not self._running:
                return
            try:
                self.pre_stop()
            finally:
                super()._halt()
            self.on_stop()


class CustomMeasurement(CustomMeasurementBase):
    """A measurement in Python: derive a class and implement `process`.

    Parameters
    ----------
    time_tagger
        Time Tagger object.

    Attributes
    ----------
    INCOMING_TAGS_DTYPE : dtype
        Fields of a tag: ``type`` (uint8), ``missed_events`` (uint16), ``channel`` (int32), ``time`` (int64, ps); 16
        bytes in all.
    mutex
        Lock of this object, for ``with self.mutex`` in methods that read what `process` writes; it comes between two
        blocks of the stream. `process` and the hooks hold it already.

    Notes
    -----
    Order of calls, hooks, locks and errors stand in `CustomMeasurementBase`. A loop over tags is fast when it is
    compiled: give the array to a function under ``numba.njit(nogil=True)``.

    Examples
    --------
    >>> class Gaps(CustomMeasurement):
    ...     def __init__(self, tagger, channel):
    ...         super().__init__(tagger)
    ...         self.register_channel(channel)
    ...         self.clear_impl()
    ...         self.finalize_init()
    ...
    ...     def clear_impl(self):
    ...         self.gaps = 0
    ...
    ...     def process(self, incoming_tags, begin_time, end_time):
    ...         self.gaps += int((incoming_tags["type"] == 2).sum())
    ...
    ...     def getData(self):
    ...         with self.mutex:
    ...             return self.gaps
    """

    INCOMING_TAGS_DTYPE = TAG_DTYPE

    def __init__(self, time_tagger: TimeTaggerBase) -> None:
        super().__init__(time_tagger)
        self.mutex = Mutex(self._hub.exclusive, self._lock)
        self._warned = False

    def process(self, incoming_tags: Records, begin_time: int, end_time: int) -> Any:
        """Take in the next block; to be overridden.

        Parameters
        ----------
        incoming_tags
            Tags of the registered channels in order of time, perhaps none, with the fields of `INCOMING_TAGS_DTYPE`.
            Time tags and missed events come for registered channels only, overflow and error tags always; these have
            the channel `CHANNEL_UNUSED`. The array belongs to this call: it may be kept and changed.
        begin_time, end_time
            The block tells all that happened from `begin_time` up to, but without, `end_time`, in ps of stream time.
            Within a capture blocks follow each other without a gap. How long they are is nobody's promise: a result
            must not depend on it.
        """
        if not self._warned:
            self._warned = True
            logger.warning("%s has no process(), so its tags are dropped", type(self).__name__)

    def next_impl_cs(self, incoming_tags: Records, begin_time: int, end_time: int) -> bool:
        """Hand a block to `process`; gives False."""
        self.process(incoming_tags, begin_time, end_time)
        return False


def selected_records(block: TagBlock, index: ChannelIndex) -> Records:
    """The tags of the channels in `index`, and overflow and error tags, as `TAG_DTYPE` records."""
    words = np.empty((len(block), 2), np.int64)
    size = _pack(block.time, block.channel, block.type, block.missed, index.table, index.first, words)
    return words[:size].view(TAG_DTYPE).ravel()


@kernel
def _pack(
    time: Int64Array,
    channel: Int32Array,
    kind: UInt8Array,
    missed: UInt16Array,
    table: NDArray[np.int16],
    first: int,
    words: Int64Array,
) -> int:
    """Write the wanted tags as records of two words; gives their number."""
    plain = len(kind) == 0
    size = 0
    for i in range(len(time)):
        k = channel[i] - first
        wanted = 0 <= k < len(table) and table[k] >= 0
        head = np.int64(channel[i]) << 32
        if not plain:
            wanted |= kind[i] != TIME_TAG and kind[i] != MISSED_EVENTS
            head |= np.int64(kind[i]) | np.int64(missed[i]) << 16
        words[size, 0] = head
        words[size, 1] = time[i]
        size += wanted
    return size
