"""What a client wants to be told by the server, without asking again and again and without an open port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from tagwire.core.faults import from_fault
from tagwire.errors import NotSupported, ObjectGone, TagwireError
from tagwire.rpc.client.events import Forgotten
from tagwire.rpc.client.link import Link

log = logging.getLogger(__name__)

KEPT = 1000
"""Most events that wait to be read; of data only the latest waits."""

_PATIENCE_S = 0.25
"""How long to wait at once: not every system lets Ctrl-C through a wait without end."""

Value = TypeVar("Value")


class Subscription(Generic[Value]):
    """Values from the server as they come: to a function, or in a ``for`` or ``async for`` loop.

    >>> for data in counter.on_update(0.5):  # doctest: +SKIP
    ...     print(data)

    A loop ends when the object that it is about has gone, or after `close`. If the server could not give more because
    of an error, that error is raised at the end.

    Attributes
    ----------
    lost
        How many events came while there was no room for them, or went out on a connection that broke before it was
        known that they arrived. Of data none is lost: each value replaces the one before.
    """

    def __init__(
        self,
        link: Link,
        what: str,
        owner: Any = None,
        options: dict[str, Any] | None = None,
        *,
        latest: bool = False,
        read: Callable[[Any], Value] = lambda value: value,
        callback: Callable[[Value], object] | None = None,
    ) -> None:
        self.lost = 0
        self._link, self._callback, self._read, self._latest = link, callback, read, latest
        self._values: deque[Value] = deque()
        self._changed = threading.Condition()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._ended = False
        self._error: Exception | None = None
        # Nobody but the loop needs the object any more, whereas a function is called as long as somebody else has it.
        self._owner = owner if callback is None else None
        object_id = None if owner is None else owner._tagwire_handle.id
        self._wanted = (what, object_id, options or {})
        self._start()

    def close(self) -> None:
        """Hear no more; loops end. Closing twice is no error."""
        if self._ended:
            return
        self._end(None)
        self._values.clear()
        if self._asked is not None:
            self._asked.cancel()
        self._link.tell("unsubscribe", self._number)

    @property
    def closed(self) -> bool:
        """Whether nothing more comes."""
        return self._ended

    def next(self, timeout: float | None = None) -> Value:
        """The next value.

        Parameters
        ----------
        timeout
            Longest wait in s; `None` waits for ever.

        Raises
        ------
        TimeoutError
            None came in time.
        StopIteration
            Nothing more comes.
        NotSupported
            (RuntimeError) The client is one for asyncio: a wait would hold up the event loop.
        """
        if self._asked is not None:
            raise NotSupported("waiting here would stop the event loop; use: async for value in ...")
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._values:
                self._check_end()
                left = _PATIENCE_S if deadline is None else min(_PATIENCE_S, deadline - time.monotonic())
                if left <= 0:
                    raise TimeoutError(f"nothing new within {timeout:g} s")
                self._changed.wait(left)
            return self._values.popleft()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Value:
        return self.next()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Value:
        while True:
            with self._changed:
                if self._values:
                    return self._values.popleft()
                try:
                    self._check_end()
                except StopIteration:
                    raise StopAsyncIteration from None
                loop = asyncio.get_running_loop()
                future: asyncio.Future[None] = loop.create_future()
                self._waiting.append((loop, future))
            await future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        """Ask the server for it."""
        link = self._link
        if self._callback is not None:
            self._number = link.subscribe(self._hear, self._lose)
        else:
            self._number = link.subscribe(_weakly(self, Subscription._hear), _weakly(self, Subscription._lose))
        self._finalizer = weakref.finalize(self, _drop, weakref.ref(link), self._number)
        self._finalizer.atexit = False
        try:
            asked = link.request("subscribe", self._number, *self._wanted, _take_dropped(link))
        except BaseException:
            self._finalizer()
            raise
        self._asked: asyncio.Task[None] | None = None
        if inspect.isawaitable(asked):  # an asyncio client: whoever waits for the first value hears of an error
            self._asked = asyncio.ensure_future(self._await(asked))

    def _lose(self, error: Exception | None) -> None:
        """The link can give no more; ask again for what there still is, after a restart or a long absence."""
        about_nothing = isinstance(error, ObjectGone) and self._wanted[1] is None
        if (about_nothing or isinstance(error, Forgotten)) and not self._ended:
            self._finalizer.detach()
            try:
                self._start()
            except TagwireError as another:
                error = another
            else:
                return
        if error is not None and self._callback is not None:
            log.warning("nothing more comes of %r from the server: %s", self._wanted[0], error)
        self._end(error)

    async def _await(self, asked: Awaitable[object]) -> None:
        try:
            await asked
        except Exception as error:
            self._end(error)

    def _check_end(self) -> None:
        if self._ended:
            error, self._error = self._error, None
            raise error or StopIteration

    def _hear(self, content: Sequence[Any]) -> None:
        """Take what the server sends: ``["value", value, lost]`` or ``["end", fault, lost]``."""
        kind, value, lost = content
        self.lost += int(lost)
        if kind == "end":
            self._lose(None if value is None else from_fault(value))
            return
        try:
            self._give(self._read(value))
        finally:
            self._link.tell("seen", self._number)

    def _give(self, value: Value) -> None:
        if self._ended:
            return
        if self._callback is not None:
            self._callback(value)
            return
        with self._changed:
            if self._latest:
                self._values.clear()
            elif len(self._values) >= KEPT:
                self._values.popleft()
                self.lost += 1
            self._values.append(value)
            self._notify()

    def _end(self, error: Exception | None) -> None:
        with self._changed:
            if not self._ended:
                self._ended, self._error, self._owner = True, error, None
                self._notify()
        self._link.unsubscribe(self._number)
        self._finalizer.detach()

    def _notify(self) -> None:
        self._changed.notify_all()
        waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_wake, future)


def _weakly(subscription: Subscription[Any], take: Callable[[Any, Any], None]) -> Callable[[Any], None]:
    """Hands on what comes as long as somebody has the subscription."""
    known = weakref.ref(subscription)

    def hear(content: Any) -> None:
        living = known()
        if living is not None:
            take(living, content)

    return hear


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_dropped: weakref.WeakKeyDictionary[Link, deque[int]] = weakref.WeakKeyDictionary()
"""Subscriptions that nobody has any more; the server hears of them with the next one."""


def _drop(link_ref: weakref.ref[Link], number: int) -> None:
    """Called by the garbage collector at any moment, so nothing is sent from here."""
    link = link_ref()
    if link is not None:
        link.unsubscribe(number)
        _dropped.setdefault(link, deque()).append(number)


def _take_dropped(link: Link) -> list[int]:
    numbers = _dropped.get(link, deque())
    return [numbers.popleft() for _ in range(len(numbers))]
