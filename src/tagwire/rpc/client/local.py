"""CustomMeasurement at the client: the user's own code runs here, on the tags of a tagger at the server.

Nothing is ever sent to the server to be executed. A TimeTagStream there collects the tags, and a thread here fetches
them and calls the user's hooks, with the records that a measurement in the process of the tagger would get.

The limits that remain: hooks run behind the instrument, by as much as a read takes and 20 ms; and the stream keeps at
most ``N_MAX_EVENTS`` tags between two reads. What comes while it is full is lost, and shows as a pair of overflow tags.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import boolean, integer
from tagwire.core.catalog import ClassSpec, Kind, class_doc
from tagwire.core.mutex import Mutex
from tagwire.core.tags import TAG_DTYPE
from tagwire.errors import ArgumentKindError, NotSupported
from tagwire.rpc.client.feed import Feed
from tagwire.rpc.client.remote import RemoteObject, signature
from tagwire.rpc.client.tag_reader import TagReader

logger = logging.getLogger(__name__)

Records = NDArray[np.void]

_alive: weakref.WeakSet[LocalMeasurement] = weakref.WeakSet()


def runs_on_tags(spec: ClassSpec) -> bool:
    """Whether a class runs the user's code on the tags of channels that it asks for."""
    return spec.kind is Kind.LOCAL and any(m.name == "register_channel" for m in spec.methods)


class LocalMeasurement(RemoteObject):
    """What CustomMeasurement and its base are at a client; methods and hooks as in the process of the tagger.

    Attributes
    ----------
    N_MAX_EVENTS
        Most tags that are kept at the server between two reads; a subclass may choose another number.
    INCOMING_TAGS_DTYPE
        Fields of a tag: ``type`` (uint8), ``missed_events`` (uint16), ``channel`` (int32), ``time`` (int64, ps).
    mutex
        Lock that hooks run under; for methods that read what they write.
    """

    N_MAX_EVENTS = 2**22
    INCOMING_TAGS_DTYPE = TAG_DTYPE

    mutex: Mutex
    _tagwire_class = ""  # no class of the user's
    _tagwire_feed: Feed
    _tagwire_unfinished = True

    def __init_subclass__(cls, **options: object) -> None:
        super(RemoteObject, cls).__init_subclass__(**options)  # hooks are welcome here

    @staticmethod
    def stop_all_custom_measurements() -> None:
        """Stop every custom measurement of this process."""
        for measurement in list(_alive):
            measurement.stop()

    def register_channel(self, channel: int) -> None:
        """Ask for the tags of a channel, at once or later; a second time changes nothing."""
        feed, number = self._tagwire_feed, integer(channel, "channel")
        feed.listen(tuple(dict.fromkeys((*feed.channels, number))))

    registerChannel = register_channel  # noqa: N815

    def unregister_channel(self, channel: int) -> None:
        """Do without the tags of a channel from now on; nothing happens when it is not registered."""
        feed, number = self._tagwire_feed, integer(channel, "channel")
        feed.listen(tuple(c for c in feed.channels if c != number))

    unregisterChannel = unregister_channel  # noqa: N815

    def finalize_init(self) -> None:
        """Join the stream, at the end of the constructor; a second time changes nothing."""
        self._tagwire_feed.open()

    def start(self) -> None:
        """Begin or continue to capture, from the present stream time on."""
        self._tagwire_feed.start()

    def startFor(self, capture_duration: int, clear: bool = True) -> None:  # noqa: N802
        """Capture for an exact span of stream time in ps, then stop."""
        self._tagwire_feed.start_for(integer(capture_duration, "capture_duration", 0), boolean(clear, "clear"))

    def stop(self) -> None:
        """Stop to capture; what the stream has collected up to now is processed."""
        feed = vars(self).get("_tagwire_feed")
        if feed is not None:  # a destructor may call this after a constructor that failed
            feed.stop()

    def clear(self) -> None:
        """Drop the results and begin anew, from the present stream time on if running."""
        self._tagwire_feed.clear()

    def abort(self) -> None:
        """Stop and drop the results."""
        self.stop()
        self.clear()

    def isRunning(self) -> bool:  # noqa: N802
        """Whether tags are being captured, or captured ones not processed yet."""
        return self._tagwire_feed.running

    def is_running(self) -> bool:
        """The same as `isRunning`."""
        return self.isRunning()

    def waitUntilFinished(self, timeout: int = -1) -> bool:  # noqa: N802
        """Wait until the capture has ended and all of it is processed; Ctrl-C interrupts.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Raises
        ------
        StateError
            (RuntimeError) A hook raised, or the server went away; or the caller is in a hook or holds the mutex, so
            that the end would never come.
        """
        limit = integer(timeout, "timeout")
        return self._tagwire_feed.wait(limit / 1000 if limit >= 0 else None)

    def getCaptureDuration(self) -> int:  # noqa: N802
        """Stream time that was captured and processed since creation or the last clear, in ps."""
        return self._tagwire_feed.captured

    def getConfiguration(self) -> dict[str, Any]:  # noqa: N802
        """Name and channels, as values that JSON can hold."""
        channels = sorted(self._tagwire_feed.channels)
        return {"name": type(self).__name__, "params": {}, "registered channels": channels, "virtual channels": []}

    def process(self, incoming_tags: Records, begin_time: int, end_time: int) -> Any:
        """Take in the next block; to be overridden."""
        if self._tagwire_unfinished:
            self._tagwire_unfinished = False
            logger.warning("%s has no process(), so its tags are dropped", type(self).__name__)

    def next_impl(self, incoming_tags: Records, begin_time: int, end_time: int) -> bool:
        """Hand a block to `next_impl_cs`; gives False."""
        self.next_impl_cs(incoming_tags, begin_time, end_time)
        return False

    def next_impl_cs(self, incoming_tags: Records, begin_time: int, end_time: int) -> Any:
        """Hand a block to `process`; gives False."""
        self.process(incoming_tags, begin_time, end_time)
        return False

    def clear_impl(self) -> None:
        """Called by `clear`, and by `startFor` unless told otherwise: drop the results."""

    def on_start(self) -> None:
        """Called when the measurement has started; not when it ran already."""

    def on_stop(self) -> None:
        """Called when the measurement has stopped, whatever the reason, as often as `on_start`."""

    def pre_stop(self) -> None:
        """Called directly before the measurement stops."""

    def on_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not for code that runs here: `NotSupported`."""
        raise NotSupported("this measurement runs here: tell of new data in process(), of the end in on_stop()")

    on_finished = on_update

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._tagwire_feed.close()


def build_local(
    spec: ClassSpec, bases: tuple[type, ...], stream: Callable[[], type[Any]], module: str
) -> type[LocalMeasurement]:
    """The class at the client that `spec` describes.

    Parameters
    ----------
    bases
        Its base classes here; remote ones, or built by this function.
    stream
        Gives the class TimeTagStream of the server.
    """
    body: dict[str, Any] = {
        "__doc__": class_doc(spec),
        "__module__": module,
        "__qualname__": spec.name,
        "_tagwire_class": spec.name,
        "__init__": _initializer(spec, stream),
    }
    own = bases if any(issubclass(base, LocalMeasurement) for base in bases) else (LocalMeasurement, *bases)
    return type(spec.name.rpartition(".")[2], own, body)


def _initializer(spec: ClassSpec, stream: Callable[[], type[Any]]) -> Callable[..., None]:
    assert spec.constructor is not None
    accepted = signature(spec.constructor, bound=True)

    def __init__(self: LocalMeasurement, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        _, tagger = accepted.bind(self, *args, **kwargs).args
        if not isinstance(tagger, RemoteObject):
            raise ArgumentKindError(f"tagger must be a Time Tagger of the same server, not {tagger!r}")
        limit = integer(self.N_MAX_EVENTS, "N_MAX_EVENTS", 1)
        own = weakref.ref(self)

        def open_reader(channels: Any) -> TagReader:
            reader = TagReader(stream(), tagger, channels, limit)
            measurement = own()
            if measurement is not None:  # given to a SynchronizedMeasurements, it is the stream that takes part
                measurement._tagwire_link = reader.remote._tagwire_link
                measurement._tagwire_handle = reader.remote._tagwire_handle
            return reader

        self._tagwire_feed = Feed(self, open_reader)
        self.mutex = Mutex(self._tagwire_feed.commands, self._tagwire_feed.lock)
        _alive.add(self)

    __init__.__signature__ = accepted  # type: ignore[attr-defined]
    __init__.__doc__ = spec.constructor.doc
    return __init__
