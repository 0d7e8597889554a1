"""A client's way to its server: one connection, made again when it breaks.

A call is never made twice. One that was out when the connection broke raises `ConnectionBroken`, since nobody knows
whether it was done; the next one makes a new connection, by which the server knows the client again.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from tagwire.errors import (
    ConnectionBroken,
    ConnectionClosed,
    ObjectGone,
    ServerGone,
    ServerUnreachable,
    TagwireError,
)
from tagwire.rpc.client import greeting
from tagwire.rpc.client.batch import RECORDER
from tagwire.rpc.client.borrowing import Borrower, read_probe
from tagwire.rpc.client.connection import Connection, Lost, NotSent
from tagwire.rpc.client.dropped import Dropped
from tagwire.rpc.client.events import Ended, Events, Forgotten
from tagwire.rpc.client.requests import (
    RAW,
    Keep,
    broken,
    keep_object,
    outcome,
    outcomes_of_batch,
    pack_request,
    request_limit,
    with_list,
)
from tagwire.rpc.message import Assembler, Message, Octets
from tagwire.rpc.wire import Codec, Handle
from tagwire.security import ClientSecurity

log = logging.getLogger(__name__)

PAUSES_S = (0.0, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 4.0)
"""How long to wait before each attempt to reach a server again; after the last one it counts as gone."""

_AGAIN_S = 2.0
"""How often somebody who waits for events tries to reach a server that is gone."""


class Link:
    """Carries requests to the server at `host`:`port` (see `tagwire.rpc.host.operations.Operations`).

    Parameters
    ----------
    security
        Whether to use TLS, whom to expect, and the token to show; `ServerNotTrusted` and `AccessRefused` otherwise.
    session
        Name of the session to join; without one the client has its own.

    Attributes
    ----------
    codec
        How values are packed; the module that uses the link puts in its own.
    welcome
        What the server said of itself at the latest connection.
    """

    def __init__(self, host: str, port: int, security: ClientSecurity, session: str = "") -> None:
        self.host, self.port = host, port
        self.codec = Codec()
        self.welcome: dict[str, Any] = {}
        self._said = greeting.hello(secrets.token_hex(16), session, security.token)
        self._security = security
        self._pid = os.getpid()
        self._closed = self._is_left = False
        self._dropped = Dropped()
        self._numbers = itertools.count()
        self._connecting = threading.Lock()
        self._given_up = False
        self._events = Events()
        self._listener: threading.Thread | None = None
        self._connections = [self._connect()]
        _links.add(self)
        end = (self._dropped, self._events, self._connections, self._numbers, self._pid)
        self._finalizer = weakref.finalize(self, _finish, *end)
        threading.Thread(target=_flush, args=(weakref.ref(self), self._dropped), daemon=True, name="tagwire-gc").start()

    def request(self, operation: str, *operands: object) -> Any:
        """Result of one operation at the server; raises what it raised."""
        if (recorder := RECORDER.get()) is not None:
            return recorder.note(self, operation, operands)
        self._check_usable()
        if self._dropped:
            self.release_dropped()
        return self._request(self.codec, operation, *operands)

    def batch(self, requests: list[list[Any]]) -> list[tuple[bool, Any]]:
        """Do several requests with one message: of each whether it failed, and its result or error."""

        self._check_usable()
        self.release_dropped()
        requests = [with_list(request) for request in requests]
        keep = partial(outcomes_of_batch, self.codec)
        return cast("list[tuple[bool, Any]]", self._request(RAW, "batch", requests, keep=keep))

    def create(
        self, class_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], adopt: Callable[[Handle], None]
    ) -> None:
        """Make an object at the server; what is called `adopt` with stands for it from then on."""

        if (recorder := RECORDER.get()) is not None:
            recorder.note(self, "create", ())
        self._check_usable()
        self.release_dropped()
        self._request(RAW, "call", class_name, args, kwargs, keep=keep_object(adopt))

    def drop(self, object_id: str) -> None:
        """The object has been collected here; the server hears of it soon, and before the next request is made.

        Called by the garbage collector at any moment in any thread, so it takes no lock and does no I/O.
        """
        self._dropped.add(object_id)

    def release_dropped(self) -> None:
        """Tell the server which objects are not needed any more, and which requests' answers nobody awaits."""
        with contextlib.suppress(NotSent):
            self._dropped.tell(lambda some: self._connections[0].tell(RAW.pack([next(self._numbers), "release", some])))

    def tell(self, operation: str, *operands: object) -> None:
        """Ask for an operation of which no answer is wanted; without a connection it is not done."""
        with contextlib.suppress(NotSent):
            self._connections[0].tell(self.codec.pack([next(self._numbers), operation, *operands]))

    def subscribe(self, callback: Callable[[Any], object], ended: Ended = lambda error: None) -> int:
        """Number of a new subscription: what the server sends under it goes to `callback`, on a thread for that.

        The error because of which there will be no more, or `None` at `close`, goes to `ended`.
        """
        self._check_usable()
        self._events.codec = self.codec
        if self._listener is None:
            self._listener = threading.Thread(
                target=_listen, args=(weakref.ref(self),), daemon=True, name="tagwire-link"
            )
            self._listener.start()
        return self._events.subscribe(callback, ended)

    def unsubscribe(self, number: int) -> None:
        """End a subscription; one that has ended is no error."""
        self._events.unsubscribe(number)

    def close(self) -> None:
        """Close the connection; the server then releases everything that this client held."""
        self._closed = True
        self._finalizer()

    def _request(self, incoming: Codec, *request: object, keep: Keep | None = None) -> Any:
        number = next(self._numbers)
        data, arrays = pack_request(self.codec, number, request, self._limit)
        self._connection()  # without one nothing is sent, so there is nothing that the server had to take back
        try:
            failed, result = outcome(incoming, self._exchange(data, arrays), keep)
        except BaseException:
            # What was made at the server is not known here, so the server has to take it back.
            self._dropped.add(number)
            raise
        if failed:
            raise result
        return result

    def _exchange(self, data: bytes, arrays: list[Octets]) -> Message:
        try:
            try:
                return self._connection().exchange(data, arrays)
            except NotSent:  # so it was not done: it may go on a new connection
                return self._connection().exchange(data, arrays)
        except (NotSent, Lost) as error:
            if self._closed:
                raise ConnectionClosed(self._closed_message()) from error
            raise broken(self.host, self.port) from error

    def _connection(self) -> Connection:
        connection = self._connections[0]
        if connection.ended is None:
            return connection
        with self._connecting:
            self._check_usable()
            old = self._connections[0]
            if old.ended is not None:
                self._connections[0] = self._connect_again(old.ended)
                old.close()
                self._dropped.wake()  # what was dropped meanwhile could not be told
                if self._closed:  # meanwhile: nobody else closes what was just made
                    _leave(self._connections, self._numbers)
                    self._check_usable()
            return self._connections[0]

    def _connect(self) -> Connection:
        sock = greeting.dial(self.host, self.port, self._security)
        try:
            assembler = Assembler()
            self.welcome, early = greeting.introduce(sock, self._said, f"{self.host}:{self.port}", assembler)
        except BaseException:
            sock.close()
            raise
        self._limit = request_limit(self.welcome)
        # A bound method would keep the link alive that the connection belongs to.
        borrower = Borrower(self._dropped.add)
        connection = Connection(sock, assembler, self._events.inlet(), borrower, early)
        if "probe" in self.welcome and (read := read_probe(self.welcome["probe"])) is not None:
            with contextlib.suppress(NotSent):
                connection.tell(RAW.pack([next(self._numbers), "shares", read]))
        return connection

    def _connect_again(self, ended: Exception) -> Connection:
        before, where = self.welcome, f"{self.host}:{self.port}"
        for pause in (0.0,) if self._given_up else PAUSES_S:
            time.sleep(pause)
            self._check_usable()
            try:
                connection = self._connect()
            except (ServerUnreachable, ConnectionBroken) as error:
                failed: TagwireError = error
                continue
            self._given_up = False
            lost = what_was_lost(before, self.welcome)
            log.warning("the connection to %s was broken (%s) and is there again%s", where, ended, lost)
            if (end := end_of_subscriptions(lost, self.welcome, where)) is not None:
                self._events.end(end)
            return connection
        if not self._given_up:
            log.warning("the connection to %s was broken (%s) and could not be made again", where, ended)
        self._given_up = True
        raise ServerGone(f"the server at {where} is gone: {failed}") from failed

    def _check_usable(self) -> None:
        if self._is_left:
            raise ConnectionClosed("this connection was made before a fork; connect again in the new process")
        if self._closed:
            raise ConnectionClosed(self._closed_message())

    def _leave_to_parent(self) -> None:
        self._is_left = True
        for connection in self._connections:
            connection.leave_to_parent()

    def _closed_message(self) -> str:
        return f"the connection to {self.host}:{self.port} was closed"


def what_was_lost(before: dict[str, Any], now: dict[str, Any]) -> str:
    """What a break has cost the user, in words, by what the server said of itself before and now."""
    if now.get("server") != before.get("server"):
        return "; the server was restarted, so objects made before are gone"
    same = now["session"]["id"] == before["session"]["id"]
    return "" if same else "; the objects made before have been freed"


def end_of_subscriptions(lost: str, now: dict[str, Any], where: str) -> ObjectGone | None:
    """What ends the subscriptions that there were before a break, if anything."""
    if lost:
        return ObjectGone(f"the connection to {where} was broken{lost}")
    return None if now["known"] else Forgotten(f"the connection to {where} was broken for too long")


_links: weakref.WeakSet[Link] = weakref.WeakSet()


def _after_fork() -> None:
    """In a forked child: a socket that stayed open here would keep the session alive after the parent's death."""
    for link in tuple(_links):
        link._leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _finish(
    dropped: Dropped, events: Events, connections: list[Connection], numbers: itertools.count[int], pid: int
) -> None:
    dropped.wake()
    events.close()
    if os.getpid() != pid:
        return  # the connection belongs to the parent process
    _leave(connections, numbers)


def _leave(connections: list[Connection], numbers: itertools.count[int]) -> None:
    """Say goodbye, so that the server releases at once what the client has."""
    for connection in connections:
        with contextlib.suppress(NotSent):
            connection.tell(RAW.pack([next(numbers), "bye"]))
        connection.close()


def _listen(link_ref: weakref.ref[Link]) -> None:
    """Read what the server sends by itself, and keep the connection for it."""
    while (link := link_ref()) is not None and not link._closed:
        try:
            connection = link._connection()
        except TagwireError as error:
            link._events.end(error)
            pause: float = _AGAIN_S
        else:
            pause = 0.0
            del link
            connection.listen()
            del connection
        time.sleep(pause)


def _flush(link_ref: weakref.ref[Link], dropped: Dropped) -> None:
    while True:
        dropped.wait()
        link = link_ref()
        if link is None or link._closed:
            return
        with contextlib.suppress(TagwireError):
            link.release_dropped()
        del link
