"""A client's way to its server: a few connections, used from any thread, and the objects it has no use for any more.

One connection, the anchor, is opened first and carries no calls: as long as it stands the server keeps the client's
objects. Each call takes a free connection or opens one. A call that is broken off, by Ctrl-C for instance, costs the
connection it used and nothing else.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from tagwire.core.faults import from_fault
from tagwire.errors import ConnectionBroken, ConnectionClosed, ProtocolError, TagwireError
from tagwire.rpc.connection import Connection
from tagwire.rpc.wire import Codec, Handle
from tagwire.security import ClientSecurity

_RAW = Codec()
_SPARE = 8
"""Connections kept open for the next call."""


class Link:
    """Carries requests to the server at `host`:`port` (see `tagwire.rpc.operations.Operations`).

    Attributes
    ----------
    codec
        How values are packed; the module that uses the link puts in its own.
    """

    def __init__(self, host: str, port: int, security: ClientSecurity) -> None:
        self.host, self.port = host, port
        self._security = security
        self.codec = Codec()
        self._session = secrets.token_hex(16)
        self._pid = os.getpid()
        self._closed = False
        self._spare: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._dropped: deque[str | int] = deque()
        self._numbers = itertools.count()
        self._releasing = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._anchoring = threading.Lock()
        self._anchor = Connection(host, port, self._session, security)
        self._anchor_doubtful = False
        self._busy.add(self._anchor)
        _links.add(self)
        self._finalizer = weakref.finalize(self, _finish, self._wake, self._spare, self._busy, self._pid)
        threading.Thread(target=_flush, args=(weakref.ref(self), self._wake), daemon=True, name="tagwire-gc").start()

    def request(self, operation: str, *operands: object) -> Any:
        """Result of one operation at the server; raises what it raised."""
        self._check_usable()
        self.release_dropped()
        return self._request(self.codec, operation, *operands)

    def create(
        self, class_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], adopt: Callable[[Handle], None]
    ) -> None:
        """Make an object at the server; what is called `adopt` with stands for it from then on."""

        def keep(result: Any) -> Any:
            if isinstance(result, Handle):
                adopt(result)
            return result

        self._check_usable()
        self.release_dropped()
        if not isinstance(self._request(_RAW, "call", class_name, args, kwargs, keep=keep), Handle):
            raise ProtocolError(f"the server made no object of {class_name}")

    def drop(self, object_id: str) -> None:
        """The object has been collected here; the server hears of it soon, and before the next request is made.

        Called by the garbage collector at any moment in any thread, so it takes no lock and does no I/O.
        """
        self._dropped.append(object_id)
        self._wake.put(None)

    def release_dropped(self) -> None:
        """Tell the server which objects are not needed any more, and which requests' answers nobody awaits."""
        with self._releasing:
            dropped = [self._dropped[i] for i in range(len(self._dropped))]
            if dropped:
                self._request(self.codec, "release", dropped)
            for _ in dropped:  # only now: the server takes no harm from hearing it twice
                self._dropped.popleft()

    def close(self) -> None:
        """Close all connections; the server then releases everything that this client held."""
        self._closed = True
        self._finalizer()

    def _request(
        self, incoming: Codec, operation: str, *operands: object, keep: Callable[[Any], Any] = lambda result: result
    ) -> Any:
        number = next(self._numbers)
        payload = self.codec.pack([number, operation, *operands])
        connection = self._take()
        try:
            failed, answer = connection.exchange(payload)
            result = keep(incoming.unpack(answer))
        except BaseException as error:
            # Part of an answer may still be on its way, so nobody must use this connection again; and what was made
            # at the server is not known here, so the server has to take it back.
            self._busy.discard(connection)
            connection.close()
            self._dropped.append(number)
            self._wake.put(None)
            self._anchor_doubtful |= isinstance(error, ConnectionBroken)
            if self._closed and isinstance(error, ConnectionBroken):
                raise ConnectionClosed(self._closed_message()) from error
            raise
        self._give_back(connection)
        if failed:
            raise from_fault(result)
        return result

    def _take(self) -> Connection:
        self._check_usable()
        if self._anchor_doubtful:
            self._renew_anchor()
        try:
            connection = self._spare.pop()
        except IndexError:
            connection = Connection(self.host, self.port, self._session, self._security)
        self._busy.add(connection)
        return connection

    def _check_usable(self) -> None:
        if os.getpid() != self._pid:
            raise ConnectionClosed("this connection was made before a fork; connect again in the new process")
        if self._closed:
            raise ConnectionClosed(self._closed_message())

    def _renew_anchor(self) -> None:
        """After a break, the server may have been restarted: hold on to the new one too, and forget the old."""
        with self._anchoring:
            if self._anchor_doubtful:
                old, self._anchor = self._anchor, Connection(self.host, self.port, self._session, self._security)
                self._anchor_doubtful = False
                self._busy.add(self._anchor)
                self._busy.discard(old)
                old.close()

    def _give_back(self, connection: Connection) -> None:
        self._busy.discard(connection)
        if self._closed or len(self._spare) >= _SPARE:
            connection.close()
        else:
            self._spare.append(connection)

    def _leave_to_parent(self) -> None:
        for connection in (*self._spare, *self._busy):
            connection.leave_to_parent()

    def _closed_message(self) -> str:
        return f"the connection to {self.host}:{self.port} was closed"


_links: weakref.WeakSet[Link] = weakref.WeakSet()


def _after_fork() -> None:
    """In a forked child: a socket that stayed open here would keep the session alive after the parent's death."""
    for link in tuple(_links):
        link._leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _finish(wake: SimpleQueue[None], spare: deque[Connection], busy: set[Connection], pid: int) -> None:
    wake.put(None)
    if os.getpid() != pid:
        return  # the connections belong to the parent process
    for connection in (*spare, *busy):
        connection.close()


def _flush(link_ref: weakref.ref[Link], wake: SimpleQueue[None]) -> None:
    while True:
        wake.get()
        link = link_ref()
        if link is None or link._closed:
            return
        with contextlib.suppress(TagwireError):
            link.release_dropped()
        del link
