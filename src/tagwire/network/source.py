"""The stream of one server as a source of tags: it comes again when it breaks off, and changes channels on the way.

One thread receives and decodes; whoever pulls takes the blocks from a queue of bounded size. When that is full nothing
more is read from the network, so that the server's ring fills, where loss is counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagwire.core.tags import TagBlock
from tagwire.errors import AccountsDiffer, ArgumentError, DamagedFrame, EndOfFeed, RemoteError, StateError
from tagwire.network.assembly import Assembler
from tagwire.network.frame import Frame, Resume
from tagwire.network.handover import Handover, is_gap
from tagwire.network.inbox import Inbox
from tagwire.network.marks import beginning, elsewhere, primed

logger = logging.getLogger(__name__)

QUIET_S = 5.0
"""Seconds without a sign of life after which a connection counts as broken."""

RETRY_S = 0.2
"""Seconds between two attempts to reach a server that has gone."""

HANDOVER_S = 10.0
"""Longest time in s to wait until the stream has gone over to other channels, before it is asked for others still."""

ALIVE_S = 2.0
"""Seconds that a server gets to take note that the client lives."""

PS_PER_S = 10**12


class Stream(Protocol):
    """Frames of a server, the greeting first; see `tagwire.network.client.FrameStream`."""

    greeting: dict[str, Any]

    def read(self) -> list[tuple[int, Frame]]: ...
    def cancel(self) -> None: ...


class Link(Protocol):
    """What is needed of a connection; see `tagwire.network.client.Connection`."""

    def ask(self, action: str, request: dict[str, Any] | None = None, timeout: float | None = None) -> Any: ...
    def open(self, channels: Sequence[int], resume: Resume | None = None) -> Any: ...
    def renew(self) -> None: ...


class NetworkSource:
    """The tags of one server; a `tagwire.sources.base.Source`.

    Parameters
    ----------
    link
        Connection to the server.
    channels
        Every channel that the server offers; may be assigned anew.
    ready
        Given where the server's times are those of a time base that others have, too, so that they must not be shifted
        when it was started anew. It is called before the stream is taken up again, and raises StateError (RuntimeError)
        while the server is not on that time base.

    Attributes
    ----------
    connected
        Whether the stream comes in.

    Notes
    -----
    The stream has tags of the channels that were asked for with `request`; those that `read` names are not looked at,
    because asking takes the network's time.
    """

    def __init__(self, link: Link, channels: Collection[int], ready: Callable[[], object] | None = None) -> None:
        self.channels = tuple(channels)
        self._link, self._ready = link, ready
        self._asking = threading.Lock()
        self._taking = threading.Lock()
        self._stream: Stream = link.open(())
        self._assembler = primed(Assembler((), absolute=ready is not None), self._stream.greeting)
        self._next: Stream | None = None
        self._handover: Handover | None = None
        self._since: dict[int, int] = {}
        self._wanted: tuple[int, ...] = ()
        self._heard = self._broken_at = time.monotonic()
        self._inbox = Inbox(self._assembler.end)
        self._changed = self._inbox.changed
        self.connected = True
        self._receiver = threading.Thread(target=self._run, name="tagwire-stream", daemon=True)
        self._receiver.start()

    # --- whoever pulls -----------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Stream time in ps up to which blocks were taken."""
        return self._inbox.position

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` s until `read` has something to give."""
        return self._inbox.wait(timeout)

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next block, of at most `span` ps; an empty one of no length while nothing has come. Never waits.

        Raises
        ------
        StateError
            (RuntimeError) What the server sends makes no sense.
        """
        return self._inbox.read(span)

    def close(self) -> None:
        """Give the stream up; more than once is fine."""
        with self._changed:
            self._inbox.close()
            streams = [s for s in (self._stream, self._next) if s is not None]
        for stream in streams:
            stream.cancel()
        if threading.current_thread() is not self._receiver:
            self._receiver.join()

    # --- channels ----------------------------------------------------------------------------------------------

    def request(self, channels: Collection[int]) -> None:
        """Let the stream carry just these channels from about now on; waits for the server, not for the stream.

        Raises
        ------
        ArgumentError
            (ValueError) The server does not offer one of them.
        """
        wanted = tuple(sorted(set(channels)))
        with self._asking:
            with self._changed:
                self._changed.wait_for(lambda: self._handover is None or not self.connected, HANDOVER_S)
                self._wanted = wanted
                coming = self._assembler.channels if self._next is None else tuple(self._next.greeting["channels"])
                if not self.connected or self._inbox.closed or self._handover is not None or wanted == coming:
                    return  # where the stream is broken, it will be asked for when it is back
            self._ask_for(wanted)

    def carried_since(self, channels: Collection[int]) -> int | None:
        """Stream time in ps from which on the stream carries all these channels; `None` while it does not.

        A stream that is broken carries everything: what is lost shows as an overflow.
        """
        with self._changed:
            if not self.connected or self._inbox.closed:
                return self.position
            since = [self._since.get(c) for c in channels]
            return None if None in since else max((s for s in since if s is not None), default=self.position)

    @property
    def carried(self) -> frozenset[int]:
        """Channels that the stream carries, or was asked to."""
        with self._changed:
            return frozenset(self._wanted)

    # --- accounts ----------------------------------------------------------------------------------------------

    def accounts(self) -> dict[str, NDArray[np.int64]]:
        """Events received, missed and sent since the present channels were chosen, each in the order of `channels`."""
        with self._changed:
            a = self._assembler
            return {
                "channels": np.array(a.channels, np.int64),
                "received": a.received.copy(),
                "missed": a.missed.copy(),
                "sent": a.sent.copy(),
            }

    def client_time(self, epoch: int, time: int) -> int:
        """The time of the stream here that a time of the server's is."""
        with self._changed:
            return time + self._assembler.offset if epoch == self._epoch else self.position

    @property
    def _epoch(self) -> int:
        return int(self._stream.greeting["epoch"])

    # --- the thread that receives ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._inbox.closed:
                self._receive_or_come_again()
        except Exception as error:  # nobody calls this thread, so whoever pulls is told
            logger.exception("the stream cannot be taken up again")
            with self._changed:
                self.connected = False
                self._inbox.close(error)

    def _receive_or_come_again(self) -> None:
        try:
            self._receive()
        except (AccountsDiffer, DamagedFrame) as error:
            self._lose(error, anew=True)  # the same frames would come again
        except (EndOfFeed, RemoteError) as error:
            if not self._adopt_next():
                self._lose(error)
        except Exception as error:
            logger.exception("a stream cannot be understood")
            self._lose(error, anew=True)

    def _receive(self) -> None:
        """Take what comes next from the stream."""
        received = self._stream.read()
        self._heard = time.monotonic()
        for epoch, frame in received:
            with self._taking:
                block = self._assembler.add(frame, epoch, self._pause())
                parts, ended = self._handed_over(block)
            for part in parts:
                self._deliver(part)
            if ended:
                return

    def _handed_over(self, block: TagBlock) -> tuple[list[TagBlock], bool]:
        """What can be handed on of a block, and whether it is the last one before the next stream takes over."""
        if self._handover is not None:
            parts = self._handover.push(block)
            if parts:
                self._handover = None
            return parts, False
        with self._changed:
            following, old = self._next, self._assembler
            at = None if following is None else self._begin_of(following)
            if following is None or at is None or block.end < at:
                return [block], False
            if is_gap(block, at):
                self._next = None
                following.cancel()
                self._ask_again()
                return [block], False
            if not self._adopt_next():
                return [block], False
            if block.end == at:
                return [block], True
            self._handover = Handover(block, at, old.channels, old.within)
            return [], True

    def _adopt_next(self) -> bool:
        """Go over to the next stream, if the present one has come to where it begins."""
        with self._changed:
            following = self._next
            if following is None or self._inbox.closed or self._handover is not None:
                return False
            begin = self._begin_of(following)
            old, self._next = self._stream, None
            if begin is None or begin > self._assembler.end:
                following.cancel()  # the present stream broke before; the server will be asked again
                self._changed.notify_all()
                return False
            self._stream = following
            channels = tuple(following.greeting["channels"])
            self._assembler = primed(self._assembler.successor(channels), following.greeting)
            self._since = {c: self._since.get(c, begin) for c in channels}
            self._changed.notify_all()
        old.cancel()
        return True

    def _begin_of(self, stream: Stream) -> int | None:
        """Where another stream of the server begins, in the time of this one; `None` if the server was restarted."""
        if stream.greeting["epoch"] != self._epoch:
            return None
        return int(stream.greeting["begin"]) + self._assembler.offset

    def _deliver(self, block: TagBlock) -> None:
        """Queue a block as soon as there is room."""
        if block.begin == block.end:
            return
        with self._changed:
            self._inbox.put(block)
            self._heard = time.monotonic()

    # --- a broken stream ---------------------------------------------------------------------------------------

    def _lose(self, error: Exception, anew: bool = False) -> None:
        """The stream broke off: reach the server again, and go on in the stream where it was or begin it anew."""
        with self._changed:
            if self._inbox.closed:
                return
            self.connected = False
            following, self._next = self._next, None
            self._broken_at = time.monotonic()
            self._changed.notify_all()
        logger.warning("the stream broke off and will be taken up again: %s", error)
        if following is not None:
            following.cancel()
        wait = anew  # what is damaged may be so again at once, and for ever
        while wait or not self._reopened(anew):
            wait = False
            with self._changed:
                if self._changed.wait_for(lambda: self._inbox.closed, RETRY_S):
                    return

    def _reopened(self, anew: bool) -> bool:
        """Whether the stream is back."""
        try:
            self._link.renew()
            if self._ready is not None:
                self._ready()
            stream = self._begun_anew() if anew else self._continued()
        except (RemoteError, EndOfFeed, ArgumentError, StateError) as error:
            logger.debug("not yet back: %s", error)
            return False
        with self._changed:
            self._stream, self.connected, self._heard = stream, True, time.monotonic()
            self._changed.notify_all()
            wanted = self._wanted
            if self._inbox.closed:
                stream.cancel()
        logger.warning("the stream is back")
        if set(wanted) != set(self._assembler.channels):
            self._ask_again()
        return True

    def _continued(self) -> Stream:
        """The same stream over a new connection."""
        place = self._assembler.resume()
        try:
            stream: Stream = self._link.open(self._assembler.channels, place)
        except ArgumentError as error:  # the server was started anew, without a virtual channel that it had
            logger.warning("%s", error)
            return self._begun_anew()
        if place is None or int(stream.greeting["feed"]) != place.feed:
            # Told now, and not with the first tags: a fence may ask before that which time here is one of the server's.
            self._deliver(self._assembler.add(beginning(stream.greeting), int(stream.greeting["epoch"]), self._pause()))
        return stream

    def _begun_anew(self) -> Stream:
        """A new stream of the channels that there still are, behind an overflow of unknown size."""
        offered = self._link.ask("info")["exposed channels"]
        channels = tuple(c for c in self._assembler.channels if c in offered)
        stream: Stream = self._link.open(channels)
        begin, epoch = int(stream.greeting["begin"]), int(stream.greeting["epoch"])
        mark = elsewhere(len(self._assembler.channels), begin)
        self._deliver(self._assembler.add(mark, epoch, self._pause()))
        with self._changed:
            self._assembler = primed(self._assembler.successor(channels), stream.greeting)
            self._since = {c: self._since.get(c, self._inbox.end) for c in channels}
            self._wanted = channels
        return stream

    def _ask_again(self) -> None:
        """Ask once more for the channels that are wanted, without holding up this thread."""
        threading.Thread(target=self._request_wanted, name="tagwire-stream-channels", daemon=True).start()

    def _request_wanted(self) -> None:
        with suppress(ArgumentError):  # the server has them no longer
            self.request(self._wanted)

    def _pause(self) -> int:
        """Time in ps since the stream broke off."""
        return int((time.monotonic() - self._broken_at) * PS_PER_S)

    def _ask_for(self, channels: tuple[int, ...]) -> None:
        """Open the stream of other channels beside the present one.

        Meanwhile nothing is taken from the present one, so that it cannot come past the place where the other begins.
        """
        with self._taking:
            try:
                stream: Stream = self._link.open(channels)
            except (RemoteError, EndOfFeed) as error:
                logger.debug("the stream of %s cannot be opened now: %s", channels, error)
                return
            with self._changed:
                begin, replaced = self._begin_of(stream), self._next
                usable = begin is not None and bool(self.connected)
                superfluous = replaced if usable else stream
                if usable:
                    self._next = stream
                here = usable and begin == self._assembler.end
                present = self._stream
        if superfluous is not None:
            superfluous.cancel()
        if here:
            present.cancel()  # it has come to the place already and may be waiting for long

    def look_after(self) -> None:
        """For a thread of whoever owns this, about once a second.

        Breaks off a stream that shows no sign of life, asks again for channels that could not be had, and tells a
        server that waits for its clients that this one lives, however slow it is.
        """
        with self._changed:
            full = self._inbox.full
            silent = self.connected and not full and time.monotonic() - self._heard > QUIET_S
            stream, wanted = self._stream, self._wanted
            refused = self._next is None and wanted != self._assembler.channels
        if silent:
            stream.cancel()
        elif stream.greeting.get("synchronous"):
            with suppress(RemoteError):
                self._link.ask("alive", timeout=ALIVE_S)
        if refused:
            self._request_wanted()
