"""What a server tells a client without being asked, handed to the client's functions on a thread of their own."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

from tagwire.errors import ObjectGone, ProtocolError
from tagwire.rpc.message import Message
from tagwire.rpc.wire import Codec

log = logging.getLogger(__name__)

HELD = 1000
"""Most events that wait for the client's functions; more are dropped, and counted."""

HELD_BYTES = 64 * 1024 * 1024
"""Most bytes of them; a single one may be larger."""


class Forgotten(ObjectGone):
    """The session was kept, but the client was away for so long that its subscriptions were not."""


Ended = Callable[[Exception | None], object]
"""Hears why nothing more will come."""


class Events:
    """The subscriptions of a client.

    Attributes
    ----------
    dropped
        How many events were lost because the functions took too long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._callbacks: dict[int, tuple[Callable[[Any], object], Ended]] = {}
        self._connections = itertools.count()
        self._queue: SimpleQueue[tuple[int, Message] | Exception | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._taken = self._done = 0
        self.codec = Codec()
        self.dropped = 0

    def subscribe(self, callback: Callable[[Any], object], ended: Ended = lambda error: None) -> int:
        """Number of a new subscription; its values go to `callback`.

        What ends it from this side goes to `ended`: an error, or `None` at `close`.
        """
        with self._lock:
            number = next(self._numbers)
            self._callbacks[number] = callback, ended
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="tagwire-events")
                self._thread.start()
        return number

    def unsubscribe(self, number: int) -> None:
        """End it; one that has ended is no error."""
        self._callbacks.pop(number, None)

    def inlet(self) -> Callable[[Message], None]:
        """Takes the messages of a new connection; never waits."""
        return partial(self._arrived, next(self._connections))

    def _arrived(self, connection: int, push: Message) -> None:
        if self._queue.qsize() < HELD and self._taken - self._done < HELD_BYTES:
            self._taken += push.size
            self._queue.put((connection, push))
        else:
            self.dropped += 1

    def end(self, error: Exception) -> None:
        """End all subscriptions by `error`, after what has arrived before."""
        self._queue.put(error)

    def close(self) -> None:
        """End all subscriptions in good order, and let the thread end."""
        self._end_all(None)
        self._queue.put(None)

    def _run(self) -> None:
        latest = (-1, -1)
        while (arrived := self._queue.get()) is not None:
            if isinstance(arrived, Exception):
                self._end_all(arrived)
                continue
            connection, push = arrived
            self._done += push.size
            if latest == (connection, push.seq):  # a reader was broken off after it had handed this one over
                continue
            latest = connection, push.seq
            self._hand_over(push)

    def _hand_over(self, push: Message) -> None:
        try:
            number, value = self.codec.unpack(push.data, push.arrays, narrow=True)
            known = self._callbacks.get(number)
            if known is not None:
                known[0](value)
        except (ProtocolError, ValueError) as error:
            log.warning("an event of the server makes no sense: %s", error)
        except Exception:
            log.exception("a function that was called with an event failed")

    def _end_all(self, error: Exception | None) -> None:
        with self._lock:
            callbacks, self._callbacks = list(self._callbacks.values()), {}
        for _, ended in callbacks:
            ended(error)
