"""The Time Tagger that replays recordings, or simulates where there is none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from tagwire.core.arguments import boolean, integer, real, text
from tagwire.engine.device import DeviceChain
from tagwire.engine.hub import Hub
from tagwire.errors import ArgumentError
from tagwire.recording.files import named_file
from tagwire.tagger.library import getVersion
from tagwire.tagger.lifetime import Flow
from tagwire.tagger.serving import Serving
from tagwire.tagger.virtual_source import VirtualSource

AS_FAST_AS_POSSIBLE = -1.0
SLOWEST = 0.1
"""Lowest speed of a replay, in stream time per real time."""

LATENCY = 20 * 10**9
"""Longest block of a replay that keeps a pace, in ps of stream time."""

POLL = 0.01
"""Time in s between two looks at whether a replay is complete."""


class TimeTaggerVirtual(Serving):
    """A Time Tagger that plays recordings, made by `createTimeTaggerVirtual`.

    Notes
    -----
    Stream time stands still before `run`, so every measurement made before it sees every tag. Replayed tags keep the
    times of the first recording; later ones follow it without a gap. Input delay, dead time and conditional filter act
    on them. There is no event divider and no hardware delay. Overflow tags are passed on as they were recorded.
    """

    _source: VirtualSource
    _flow: Flow
    _speed: float

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - use createTimeTaggerVirtual()")

    @classmethod
    def _open(cls, source: VirtualSource) -> Self:
        tagger = cls.__new__(cls)
        tagger._source = source
        tagger._hub = Hub(source, DeviceChain())
        tagger._flow = Flow(tagger, tagger._hub, "replay")
        tagger._speed = AS_FAST_AS_POSSIBLE
        return tagger

    def run(self, speed: float = -1.0) -> tuple[int, ...]:
        """Begin to replay what is queued.

        Parameters
        ----------
        speed
            Stream time per real time: 1 is real time, at least 0.1. A replay that keeps a pace goes on with silence
            when the queue is empty, until it is stopped. Negative: as fast as possible, up to the end of the queue;
            where nothing is queued this means 1. Files that are appended after such a replay has come to its end
            wait for the next `run`.

        Returns
        -------
        tuple of int
            IDs of the queued files.
        """
        self._speed = _speed(speed)
        queued = self._source.replay.queued
        self._flow.stop()
        pace = self._speed if queued or self._speed > 0 else 1.0
        self._source.prepare(endless=pace > 0)
        self._flow.start(pace, LATENCY)
        return queued

    def stop(self) -> None:
        """Stop the replay where it is and empty the queue; what was captured stays."""
        self._flow.stop()
        self._hub.rest()
        self._source.replay.clear()

    def appendFile(self, filename: str, begin: int = 0, duration: int = -1, clear: bool = False) -> int:
        """Queue another file.

        Parameters
        ----------
        filename
            Recording to replay; tags of channels that the first one does not have are left out.
        begin
            How much of the file is left out at first, in ps; a negative number puts that much silence before it.
        duration
            Time in ps to replay from there; negative: up to the end.
        clear
            Empty the queue before.

        Returns
        -------
        int
            ID of the file, for `waitUntilFinished`.

        Raises
        ------
        ArgumentError
            (ValueError) There is no such file.
        FileUnreadable
            (RuntimeError) It cannot be understood.
        """
        path = _existing(filename)
        return self._source.replay.append(path, begin, duration, boolean(clear, "clear"))

    def replay(self, file: str, begin: int = 0, duration: int = -1, queue: bool = True) -> int:
        """Queue a file and begin to replay at once, unless that goes on already; `appendFile` and `run` are its heirs.

        Parameters
        ----------
        file, begin, duration
            As for `appendFile`.
        queue
            False drops what is queued and being replayed.

        Returns
        -------
        int
            ID of the file.
        """
        number = self.appendFile(file, begin, duration, not boolean(queue, "queue"))
        # Between two blocks: either the running replay finds the new file, or it has seen the end of the queue.
        ended: list[bool] = []
        self._hub.command(lambda now: ended.append(self._source.ended))
        if ended[0] or not self._flow.running:
            self.run(self._speed)
        return number

    def waitUntilFinished(self, ID: int = 0, timeout: int = -1) -> bool:
        """Wait until a file was replayed to its end and all its tags were handed on; Ctrl-C interrupts.

        Before `run` nothing comes to an end, so this waits for somebody else to call it.

        Parameters
        ----------
        ID
            From `appendFile` or `run`; 0 stands for all that is queued.
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            False when the time was up before.

        Raises
        ------
        StateError
            (RuntimeError) The stream broke off because a file turned out to be damaged; `stop` or `run` begin anew.
        """
        number, limit = integer(ID, "ID", 0), integer(timeout, "timeout")
        deadline = time.monotonic() + limit / 1000
        if limit and not self._finished(number):
            self._hub.check_wait()
        while not self._finished(number):
            self._hub.check()
            if limit >= 0 and deadline <= time.monotonic():
                return False
            time.sleep(POLL)
        return True

    def waitForCompletion(self, ID: int = 0, timeout: int = -1) -> bool:
        """Former name of `waitUntilFinished`.

        Parameters
        ----------
        ID
            From `appendFile` or `run`; 0 stands for all that is queued.
        timeout
            Longest wait in ms; negative: for ever, 0: only look.
        """
        return self.waitUntilFinished(ID, timeout)

    def setReplaySpeed(self, speed: float) -> None:
        """Set the speed of the present replay and of the next one that `replay` begins; now a parameter of `run`.

        Parameters
        ----------
        speed
            As for `run`.
        """
        pace = _speed(speed)
        if self._flow.running:
            self.run(pace)
        self._speed = pace

    def getReplaySpeed(self) -> float:
        """Speed that was set last; -1 stands for as fast as possible."""
        return self._speed

    def reset(self) -> None:
        """Stop, empty the queue, and bring all settings back to their state after creation."""
        self.stop()
        self._change(lambda chain: chain.reset())
        self.clearOverflows()
        self._hub.command(lambda now: self._source.connect(self._source.connected(), False))
        self._speed = AS_FAST_AS_POSSIBLE

    def getChannelList(self) -> tuple[int, ...]:
        """Channels of the first file, or of the simulated instrument; rising edges first."""
        return tuple(sorted(self._source.channels, key=lambda c: (c < 0, abs(c))))

    def setTestSignal(self, channel: int | Sequence[int], enabled: bool) -> None:
        """Add a simulated test signal of about 0.8 MHz with a jitter of 9 ps rms, also to what is replayed.

        Parameters
        ----------
        channel
            A channel from 1 to 18 or its negative, or a list of them.
        enabled
            Whether to add.
        """
        numbers = self._physicals(channel, "channel") if isinstance(channel, Iterable) else [self._physical(channel)]
        on = boolean(enabled, "enabled")
        self._hub.command(lambda now: self._source.connect(numbers, on))

    def getTestSignal(self, channel: int) -> bool:
        """Whether there is a test signal on the channel's input."""
        return abs(self._physical(channel)) in self._source.connected()

    def getConfiguration(self) -> dict[str, Any]:
        """All settings, measurements and virtual channels, as values that JSON can hold."""
        return {
            "inputs": self._chain().input_settings(self.getChannelList()),
            "late tags dropped": self._chain().late,
            "replay speed": self._speed,
            "software version": getVersion(),
        } | super().getConfiguration()

    def _finished(self, number: int) -> bool:
        """Asked between two blocks, so that what was read has been handed on."""
        done: list[bool] = []
        self._hub.command(lambda now: done.append(self._source.replay.finished(number)))
        return done[0]

    def _free(self) -> None:
        self.stopServer()
        self._flow.end()
        super()._free()


def createTimeTaggerVirtual(filename: str = "", begin: int = 0, duration: int = -1) -> TimeTaggerVirtual:
    """Open a recording to replay it.

    Parameters
    ----------
    filename
        A recording of `FileWriter`, PicoQuant PTU (T2 or T3) or, where the vendor's library is installed, the vendor's
        ``.ttbin``: the header file of a sequence for all of it, a numbered one for that alone. Empty: a simulated
        instrument with 18 inputs, on which test signals can be switched on and to which files can be appended.
    begin
        How much of the file is left out at first, in ps; a negative number puts that much silence before it.
    duration
        Time in ps to replay from there; negative: up to the end.

    Raises
    ------
    ArgumentError
        (ValueError) There is no such file.
    FileUnreadable
        (RuntimeError) It cannot be understood.
    """
    path = _existing(filename) if text(filename, "filename") else None
    return TimeTaggerVirtual._open(VirtualSource(path, begin, duration))


def _existing(filename: str) -> str:
    if not named_file(Path(text(filename, "filename"))).is_file():
        raise ArgumentError(f"File '{filename}' could not be opened: there is no such file")
    return filename


def _speed(value: float) -> float:
    speed = real(value, "speed")
    if 0 <= speed < SLOWEST:
        raise ArgumentError(f"speed is {speed:g}, but must be at least {SLOWEST}, or negative: as fast as possible")
    return speed if speed > 0 else AS_FAST_AS_POSSIBLE
