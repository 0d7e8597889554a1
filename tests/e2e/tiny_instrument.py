"""A small real module with the Time Tagger API: two devices, one measurement, and state that tests can look at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from enum import IntEnum, IntFlag
from typing import Any, Self

import numpy as np

from tagwire.core.arrays import Int32Array2D, Int64Array1D
from tagwire.errors import ArgumentError, NoDevice, StateError

__all__ = [
    "CHANNEL_UNUSED",
    "Counter",
    "CounterData",
    "CustomMeasurement",
    "Edge",
    "Experimental",
    "Gate",
    "IteratorBase",
    "Resolution",
    "SynchronizedMeasurements",
    "TimeTagger",
    "TimeTaggerBase",
    "TimeTaggerVirtual",
    "createTimeTagger",
    "createTimeTaggerVirtual",
    "echo",
    "edgeName",
    "fail",
    "freeTimeTagger",
    "getVersion",
    "hold",
    "merge",
    "say",
    "setLogger",
    "typeName",
]

_LOCK = threading.Lock()
_open: dict[str, TimeTagger] = {}
_running: list[Counter] = []
_entered = threading.Event()
_go_on = threading.Event()
_loggers: list[Callable[[int, str], None]] = []

CHANNEL_UNUSED = -134217728


class Resolution(IntEnum):
    """Resolutions."""

    Standard = 0
    HighRes = 1


class Edge(IntFlag):
    """Edges, with a zero and a composite member."""

    All = 0
    Rising = 1
    Falling = 2
    Both = 3


class TimeTaggerBase:
    """Any Time Tagger."""

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - class is abstract")

    def _set_up(self, serial: str) -> None:
        self._serial, self._delays, self._fences, self.freed = serial, {}, 0, False
        self._overflows = 0

    def setInputDelay(self, channel: int, delay: int) -> None:
        """Delay a channel.

        Parameters
        ----------
        channel
            Number of the channel.
        delay
            Delay in ps.
        """
        if self.freed:
            raise StateError("the Time Tagger was freed")
        if not 1 <= channel <= 8:
            raise ArgumentError(f"channel must be in 1..8, not {channel}")
        self._delays[channel] = delay

    def getInputDelay(self, channel: int) -> int:
        """Delay of a channel in ps."""
        return self._delays.get(channel, 0)

    def getOverflows(self) -> int:
        """Number of overflows."""
        return self._overflows

    def overflow(self) -> None:
        """Lose a tag."""
        self._overflows += 1

    def getFence(self) -> int:
        """A new fence."""
        self._fences += 1
        return self._fences

    def waitForFence(self, fence: int, timeout: int = -1) -> bool:
        """Wait for a fence.

        Parameters
        ----------
        fence
            From `getFence`.
        timeout
            Longest wait in ms; negative waits for ever.
        """
        return fence <= self._fences and timeout <= 250

    def sync(self, timeout: int = -1) -> bool:
        """Wait for what is on its way.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative waits for ever.
        """
        return self.waitForFence(self.getFence(), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        freeTimeTagger(self)


class TimeTagger(TimeTaggerBase):
    """A device."""

    def getSerial(self) -> str:
        """Serial number."""
        return self._serial


class TimeTaggerVirtual(TimeTaggerBase):
    """Replays a file."""

    def getFile(self) -> str:
        """Name of the file."""
        return self._serial


def createTimeTagger(serial: str = "", resolution: Resolution = Resolution.Standard) -> TimeTagger:
    """Open a device."""
    with _LOCK:
        free = [s for s in ("T1", "T2") if s not in _open and serial in ("", s)]
        if not free:
            raise NoDevice(f"no Time Tagger {serial!r}, or already in use")
        tagger = _open[free[0]] = TimeTagger.__new__(TimeTagger)
        tagger._set_up(free[0])
        tagger._resolution = Resolution(resolution)
        return tagger


def createTimeTaggerVirtual(filename: str = "") -> TimeTaggerVirtual:
    """Open a file.

    Parameters
    ----------
    filename
        Name of the file to read.
    """
    tagger = TimeTaggerVirtual.__new__(TimeTaggerVirtual)
    tagger._set_up(filename)
    return tagger


def freeTimeTagger(tagger: TimeTaggerBase) -> None:
    """Close a Time Tagger."""
    if not isinstance(tagger, TimeTaggerBase):
        raise TypeError("in method 'freeTimeTagger', argument 1 of type 'TimeTaggerBase'")
    with _LOCK:
        tagger.freed = True
        if _open.get(tagger._serial) is tagger:
            del _open[tagger._serial]


class IteratorBase:
    """Base of all that reads tags."""

    def __init__(self, tagger: TimeTaggerBase) -> None:
        raise AttributeError("No constructor defined - class is abstract")

    def _set_up(self, tagger: TimeTaggerBase) -> None:
        if tagger is None:
            raise ValueError("a valid Time Tagger must be provided.")
        if not isinstance(tagger, TimeTaggerBase):
            raise TypeError("argument 1 must be a TimeTaggerBase")
        self._tagger, self._finished = tagger, threading.Event()
        _running.append(self)

    def finish(self) -> None:
        """Let `waitUntilFinished` return."""
        self._finished.set()

    def isRunning(self) -> bool:
        """Whether it has not finished."""
        return not self._finished.is_set()

    def waitUntilFinished(self, timeout: int = -1) -> bool:
        """Wait for the end.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative waits for ever.
        """
        return self._finished.wait(None if timeout < 0 else timeout / 1000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        if self in _running:
            _running.remove(self)


class CounterData:
    """A snapshot."""

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    def getTime(self) -> Int64Array1D:
        """Times in ps."""
        return self._time


class Counter(IteratorBase):
    """Counts clicks."""

    def __init__(
        self, tagger: TimeTaggerBase, channels: Sequence[int], binwidth: int = 1000, n_values: int = 1
    ) -> None:
        if n_values < 1:
            raise ArgumentError(f"n_values must be at least 1, not {n_values}")
        self._set_up(tagger)
        self._data = np.arange(len(channels) * n_values, dtype=np.int32).reshape(len(channels), n_values)
        self._binwidth = binwidth

    def getData(self, rolling: bool = True) -> Int32Array2D:
        """Counts, one row a channel."""
        return self._data

    def count(self) -> None:
        """One click in every bin."""
        self._data = self._data + np.int32(1)

    def getDataObject(self) -> CounterData:
        """Everything at once."""
        data = CounterData.__new__(CounterData)
        data._time = np.arange(self._data.shape[1], dtype=np.int64) * self._binwidth
        return data


class SynchronizedMeasurements:
    """Several measurements together."""

    def __init__(self, tagger: TimeTaggerBase) -> None:
        self._tagger, self._members = tagger, []
        self._proxy = TimeTaggerBase.__new__(TimeTaggerBase)
        self._proxy._set_up("proxy")

    def registerMeasurement(self, measurement: IteratorBase) -> None:
        """Add one."""
        self._members.append(measurement)

    def getTagger(self) -> TimeTaggerBase:
        """Stands for the tagger."""
        return self._proxy

    def getMembers(self) -> list[IteratorBase]:
        """What was registered."""
        return list(self._members)


class Gate:
    """A value with properties."""

    Kind_Open = 1

    def __init__(self, channel: int, edge: Edge = Edge.All) -> None:
        self._channel, self._edge = channel, edge

    @property
    def channel(self) -> int:
        """Number of the channel."""
        return self._channel

    @channel.setter
    def channel(self, channel: int) -> None:
        self._channel = channel

    @property
    def edge(self) -> Edge:
        """Edge that counts."""
        return self._edge


class CustomMeasurement(IteratorBase):
    """For code of the user's own."""

    def next_impl_cs(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
        """Called with every block."""


class Experimental:
    """Not settled yet."""

    class Pulser(IteratorBase):
        """A virtual channel."""

        def __init__(self, tagger: TimeTaggerBase, rate: float = 1.0) -> None:
            self._set_up(tagger)
            self._rate = rate

        def getChannel(self) -> int:
            """Its number."""
            return 1001


def getVersion() -> str:
    """Version."""
    return "1.2.3"


def setLogger(callback: Callable[[int, str], None] | None) -> None:
    """Hand log messages to a function."""
    _loggers[:] = [callback] if callback else []


def say(message: str) -> int:
    """Log something; how many hear it."""
    for logger in _loggers:
        logger(10, message)
    return len(_loggers)


def echo(value: Any) -> Any:
    """The value itself."""
    return value


def typeName(value: Any) -> str:
    """Name of the type of the value as the library gets it."""
    return type(value).__name__


def edgeName(edge: Edge = Edge.Both) -> str:
    """Name of an edge; needs a real member."""
    return edge.name


def hold() -> int:
    """Return when the test says so."""
    _entered.set()
    _go_on.wait(120)
    return 1


def merge(output_filename: str, input_filenames: Sequence[str]) -> list[str]:
    """The names as the library gets them.

    Parameters
    ----------
    output_filename
        Name of the file to write.
    input_filenames
        Names of the files to read.
    """
    return [output_filename, *input_filenames]


def fail(kind: str) -> None:
    """Raise an error."""

    class LibraryError(OSError):
        pass

    class Odd(Exception):
        pass

    kinds = {"KeyError": KeyError("x"), "library": LibraryError("disk"), "odd": Odd("strange")}
    kinds["unicode"] = UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")
    raise kinds.get(kind, StateError(kind))
