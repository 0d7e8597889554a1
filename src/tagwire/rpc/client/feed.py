"""The life of a measurement whose code runs here, on the tags of a tagger at the server.

It follows the rules of a measurement in the process of its tagger: exact spans of stream time, hooks under one lock, an
error ends this measurement and no other. A thread fetches the tags; it keeps the measurement no longer than others do.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.errors import ConnectionBroken, ConnectionClosed, StateError
from tagwire.rpc.client.tag_reader import Piece, TagReader, interrupted

logger = logging.getLogger(__name__)

INTERVAL_S = 0.02
"""Pause between two reads while tags come slowly."""

IDLE_S = 0.1
"""Pause between two looks at a stream that a group of measurements is going to start."""

SLICE_S = 0.1
"""Longest sleep of a caller who waits, so that Ctrl-C gets through everywhere."""


class Hooks(Protocol):
    """What a measurement implements, or leaves to its base."""

    def next_impl(self, incoming_tags: NDArray[np.void], begin_time: int, end_time: int, /) -> Any:
        """Take in a block."""

    def clear_impl(self) -> Any:
        """Drop the results."""

    def on_start(self) -> Any:
        """The measurement has started."""

    def pre_stop(self) -> Any:
        """It is going to stop."""

    def on_stop(self) -> Any:
        """It has stopped."""


class Feed:
    """Feeds a measurement with tags.

    Parameters
    ----------
    owner
        The measurement; not kept alive.
    open_reader
        Gives a reader of the tags of some channels, which collects at once unless a group steers it.

    Attributes
    ----------
    commands
        Held by whoever reads or steers the stream; taken before `lock`.
    lock
        Held while a hook runs.
    captured
        Stream time captured since the last `clear`, in ps.
    """

    def __init__(self, owner: Hooks, open_reader: Callable[[Sequence[int]], TagReader]) -> None:
        self.lock = threading.RLock()
        self.channels: tuple[int, ...] = ()
        self.captured = 0
        self._owner = weakref.ref(owner)
        self._open_reader = open_reader
        self._reader: TagReader | None = None
        self.commands = threading.RLock()
        self._finished = threading.Condition(self.lock)
        self._running = False
        self._in_hook = False
        self._begun: int | None = None  # of the stream, as far as known
        self._counted = 0  # stream time captured since then
        self._position = 0
        self._span: int | None = None
        self._until = TIME_MAX
        self._failure: Exception | None = None
        self._steered = False
        self._interrupted = False
        self._thread: threading.Thread | None = None

    @property
    def reader(self) -> TagReader:
        """The stream at the server; `StateError` before `open`."""
        if self._reader is None:
            raise StateError("this measurement does not listen yet: call finalize_init() first")
        return self._reader

    @property
    def running(self) -> bool:
        """Whether it captures; when not, a group may have started it meanwhile."""
        idle = not self._running and self._failure is None
        if idle and self._reader is not None and not self._in_hook:
            self.poll()
        return self._running

    def open(self) -> None:
        """Join the stream, and start unless a group of measurements is to do that; a second time changes nothing."""
        with self.commands:
            if self._reader is not None:
                return
            _require(self.channels)
            self._reader = self._open_reader(self.channels)
            piece = self._reader.read()
            self._note(piece)
            self._steered = not piece.running
            if piece.running:
                self._enter(None)
                self._digest(piece)
            self._fetch()

    def listen(self, channels: Sequence[int]) -> None:
        """Get the tags of other channels from now on, without a gap."""
        with self.commands:
            if self._reader is None or tuple(channels) == self.channels:
                self.channels = tuple(channels)
                return
            _require(channels)
            old, self._reader = self._reader, self._open_reader(channels)
            self.channels = tuple(channels)
            if self._running:
                # The new stream has been collecting for a moment; up to where the old one is read now, that one counts.
                self._digest(old.read())
                self._begun = None
            else:
                self._reader.stop()
                self._note(self._reader.read())
            old.close()

    def start(self) -> None:
        """Capture from the present stream time on; nothing when it does."""
        with self.commands:
            self.reader  # noqa: B018
            if not self.running:
                self._begin(None)

    def start_for(self, duration: int, wipe: bool) -> None:
        """Capture for `duration` ps of stream time; one that runs and is not wiped goes on without a gap."""
        with self.commands:
            self.reader  # noqa: B018
            if self._running and not wipe:
                if not self._in_hook:
                    self.poll()
                self._until = self._position + duration
            elif wipe:
                self._wipe()
            if not duration:
                self._failure = None
                self._end()
            elif wipe or not self._running:
                self._begin(duration)

    def stop(self) -> None:
        """Take in what has been captured up to now, and no more."""
        with self.commands:
            if self._reader is None or not self._running:
                return
            self._reader.stop()
            if not self._in_hook:
                self._digest(self._reader.read())
            self._halt()

    def clear(self) -> None:
        """Drop what was captured; one that runs goes on from the present stream time."""
        with self.commands:
            if self._running:
                self.reader.start()
                self._begun = None
            self._wipe()

    def close(self) -> None:
        """Leave the stream for good."""
        with self.commands:
            if self._reader is not None:
                self._end()
                self._steered = False
                self._reader.close()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until the capture has ended; False when the time was up before, `StateError` when it broke off.

        Likewise `StateError` in a hook and under the mutex, for no tags come in as long as the caller is there.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        running = self.running
        if running and timeout_s != 0 and self.commands._is_owned():  # type: ignore[attr-defined]
            raise StateError(
                "no tags come in as long as this thread is in a hook of the measurement or holds its mutex: leave it "
                "first, then wait"
            )
        with self._finished:
            while running and self._running:
                left = SLICE_S if deadline is None else min(SLICE_S, deadline - time.monotonic())
                if left <= 0:
                    return False
                self._finished.wait(left)
            if self._failure is not None:
                raise StateError(f"the capture broke off: {self._failure!r}") from self._failure
            return True

    def poll(self) -> float | None:
        """Take in what there is; after how many seconds to look again, or `None` when nothing more is to come."""
        with self.commands:
            try:
                piece = self.reader.read()
            except ConnectionBroken:
                if not self._running:
                    raise
                self._interrupted = True  # the tags may have been on their way; the next read makes a new connection
                return INTERVAL_S
            except Exception as error:
                if not self._running:
                    raise
                self._fail(error)
                return None
            if not self._running:
                self._follow(piece)
            self._digest(piece)
            if self._running:
                return 0.0 if len(piece.block) >= self.reader.many else INTERVAL_S
            return IDLE_S if self._steered else None

    def fetch(self) -> float | None:
        """Poll for the thread that fetches; when it returns `None` or raises, that thread counts as gone."""
        with self.commands:
            pause = None
            try:
                pause = self.poll()
            finally:
                if pause is None:  # before anybody can start anew and find a thread that is about to end
                    self._thread = None
            return pause

    def _note(self, piece: Piece) -> None:
        """Where a stream begins that nobody here has started."""
        self._begun, self._position, self._counted = piece.begun, piece.begun, piece.captured

    def _follow(self, piece: Piece) -> None:
        """A group has started the stream, or started and ended it."""
        new = piece.begun != self._begun
        if piece.running or (new and piece.captured):
            self._position = piece.block.end - (piece.captured - (0 if new else self._counted))
            self._begun = piece.begun
            if new:
                self._wipe()
            self._enter(None)
            self._fetch()

    def _begin(self, duration: int | None) -> None:
        self.reader.start()
        self._begun = None
        self._enter(duration)
        if not self._in_hook:
            self.poll()
        self._fetch()

    def _enter(self, duration: int | None) -> None:
        owner = self._owner()
        with self._finished:
            ran, self._running, self._failure = self._running, True, None
            self._span, self._until = duration, TIME_MAX
            try:
                if not ran and owner is not None:
                    owner.on_start()
            except BaseException:
                self._running = False
                raise

    def _fetch(self) -> None:
        """See to it that a thread fetches the tags."""
        wanted = self._running or self._steered
        if wanted and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=_run, args=(weakref.ref(self),), daemon=True, name="tagwire-tags")
            self._thread.start()

    def _digest(self, piece: Piece) -> None:
        """Give the owner what belongs to the capture."""
        if self._begun is None:
            self._begun, self._position = piece.begun, max(self._position, piece.begun)
        elif piece.begun != self._begun and self._running:
            self._wipe()  # a group has cleared it
            self._begun, self._position = piece.begun, max(self._position, piece.begun)
        if self._span is not None:
            self._until, self._span = self._position + self._span, None
        self._counted = piece.captured
        part = piece.block.take(self._position, self._until)
        if self._interrupted and part.begin < part.end:
            part, self._interrupted = interrupted(part, part.begin), False
        self._process(part)
        if self._running and (self._position >= self._until or not piece.running):
            self._end()

    def _process(self, part: TagBlock) -> None:
        owner = self._owner()
        if owner is None or not self._running or part.begin >= part.end:
            return
        with self._finished:
            self._in_hook = True
            try:
                owner.next_impl(part.records(), part.begin, part.end)
            except Exception as error:
                self._fail(error)
            finally:
                self._in_hook = False
            self.captured += part.end - part.begin
            self._position = part.end

    def _end(self) -> None:
        self.reader.stop()
        self._halt()

    def _halt(self) -> None:
        owner = self._owner()
        with self._finished:
            if not self._running:
                return
            try:
                if owner is not None:
                    owner.pre_stop()
            finally:
                self._running = False
                self._finished.notify_all()
            if owner is not None:
                owner.on_stop()

    def _wipe(self) -> None:
        owner = self._owner()
        with self._finished:
            self.captured = 0
            if owner is not None:
                owner.clear_impl()

    def _fail(self, error: Exception) -> None:
        """End the capture because something broke: the owner's code, or the way to the server."""
        name = type(self._owner()).__name__
        if not isinstance(error, ConnectionClosed):
            logger.error("%s failed and was stopped", name, exc_info=error)
        self._failure = error
        try:
            self._halt()
        except Exception:
            logger.exception("%s failed again when it was stopped", name)
        with contextlib.suppress(Exception):  # the server may be what failed
            self.reader.stop()


def _require(channels: Sequence[int]) -> None:
    if not channels:
        raise StateError("a remote tagger gives the tags of channels that are named: register at least one channel")


def _run(feed_ref: weakref.ref[Feed]) -> None:
    """Fetch tags as long as somebody wants them."""
    pause: float | None = 0.0
    while pause is not None:
        time.sleep(pause)
        feed = feed_ref()
        try:
            pause = None if feed is None or feed._owner() is None else feed.fetch()
        except Exception as error:  # nothing was running, so nobody is told
            logger.debug("no more tags come: %s", error)
            return
        del feed
