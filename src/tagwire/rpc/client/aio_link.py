"""An asyncio client's way to its server: as `tagwire.rpc.client.link`, without threads."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

from tagwire.errors import (
    ConnectionBroken,
    ConnectionClosed,
    NotSupported,
    ServerGone,
    ServerNotTrusted,
    ServerUnreachable,
    TagwireError,
)
from tagwire.rpc.client import greeting, link
from tagwire.rpc.client.aio_connection import AsyncConnection
from tagwire.rpc.client.batch import RECORDER
from tagwire.rpc.client.borrowing import Borrower, read_probe
from tagwire.rpc.client.connection import Lost, NotSent
from tagwire.rpc.client.events import Ended
from tagwire.rpc.client.remote import adopted
from tagwire.rpc.client.requests import RAW, Keep, broken, keep_object, outcome, pack_request, request_limit
from tagwire.rpc.keepalive import prepare
from tagwire.rpc.message import Message, Octets
from tagwire.rpc.wire import Codec, Handle
from tagwire.security import ClientSecurity, client_context

log = logging.getLogger(__name__)


class AsyncLink:
    """Carries requests to the server; one that is cancelled leaves the connection as it was.

    Attributes
    ----------
    codec
        How values are packed; the module that uses the link puts in its own.
    welcome
        What the server said of itself at the latest connection.
    """

    def __init__(self, security: ClientSecurity, session: str = "") -> None:
        self.host, self.port = security.host, security.port
        self.codec = Codec()
        self.welcome: dict[str, Any] = {}
        self._security = security
        self._said = greeting.hello(secrets.token_hex(16), session, security.token)
        self._loop = asyncio.get_running_loop()
        self._connecting = asyncio.Lock()
        self._numbers = itertools.count()
        self._subscriptions = itertools.count(1)
        self._callbacks: dict[int, tuple[Callable[[Any], object], Ended]] = {}
        self._dropped: deque[str | int] = deque()
        self._connection: AsyncConnection | None = None
        self._holding: asyncio.Task[None] | None = None
        self._given_up = self._closed = False

    async def open(self) -> None:
        """Connect for the first time."""
        self._connection = await self._connect()

    def request(self, operation: str, *operands: object) -> asyncio.Task[Any]:
        """Begin one operation at the server; awaited, it gives the result or raises what that raised."""
        if RECORDER.get() is not None:
            raise NotSupported("calls of an asyncio client cannot be in a batch; asyncio.gather sends them at once")
        task = self._loop.create_task(self._request(self.codec, operation, *operands))
        owner = adopted(Handle(operands[0])) if operands and isinstance(operands[0], str) else None
        if owner is not None:  # `await (await TT.Counter(...)).getData()`: it must live until the answer is there
            task.add_done_callback(lambda done: _last_use(owner))
        return task

    def tell(self, operation: str, *operands: object) -> None:
        """Ask for an operation of which no answer is wanted; without a connection it is not done."""
        if self._connection is not None:
            self._connection.tell(self.codec.pack([next(self._numbers), operation, *operands]))

    async def create(
        self, class_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], adopt: Callable[[Handle], None]
    ) -> None:
        """Make an object at the server; what is called `adopt` with stands for it from then on."""
        await self._request(RAW, "call", class_name, args, kwargs, keep=keep_object(adopt))

    def drop(self, object_id: str) -> None:
        """The object has been collected here; the server hears of it soon. Called by the garbage collector."""
        self._dropped.append(object_id)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._release_dropped)

    def subscribe(self, callback: Callable[[Any], object], ended: Ended = lambda error: None) -> int:
        """Number of a new subscription: what the server sends under it goes to `callback`, in the event loop.

        The error because of which there will be no more, or `None` at `close`, goes to `ended`.
        """
        number = next(self._subscriptions)
        self._callbacks[number] = callback, ended
        return number

    def unsubscribe(self, number: int) -> None:
        """End a subscription; one that has ended is no error."""
        self._callbacks.pop(number, None)

    async def close(self) -> None:
        """Close the connection; the server then releases everything that this client held."""
        self._closed = True
        await self._leave()
        self._end_subscriptions(None)

    async def _request(self, incoming: Codec, *request: object, keep: Keep | None = None) -> Any:
        self._check_usable()
        self._release_dropped()
        number = next(self._numbers)
        data, arrays = pack_request(self.codec, number, request, self._limit)
        await self._connected()  # without one nothing is sent, so there is nothing that the server had to take back
        try:
            failed, result = outcome(incoming, await self._exchange(data, arrays), keep)
        except BaseException:
            self._dropped.append(number)
            self._release_dropped()
            raise
        if failed:
            raise result
        return result

    async def _exchange(self, data: bytes, arrays: list[Octets]) -> Message:
        try:
            try:
                return await (await self._connected()).exchange(data, arrays)
            except NotSent:  # so it was not done: it may go on a new connection
                return await (await self._connected()).exchange(data, arrays)
        except (NotSent, Lost) as error:
            self._check_usable()
            raise broken(self.host, self.port) from error

    async def _connected(self) -> AsyncConnection:
        async with self._connecting:
            self._check_usable()
            assert self._connection is not None
            if self._connection.ended is not None:
                self._connection = await self._connect_again(self._connection.ended)
                self._release_dropped()
                if self._closed:  # meanwhile: nobody else closes what was just made
                    await self._leave()
                    self._check_usable()
            return self._connection

    async def _leave(self) -> None:
        """Say goodbye, so that the server releases at once what the client has."""
        if self._connection is not None:
            self._connection.tell(RAW.pack([next(self._numbers), "bye"]))
            await self._connection.close()

    async def _connect(self) -> AsyncConnection:
        where = f"{self.host}:{self.port}"
        borrower = Borrower(self.drop)
        context = client_context() if self._security.tls else None
        made = self._loop.create_connection(
            lambda: AsyncConnection(self._arrived, self._hold_on, borrower), self.host, self.port, ssl=context
        )
        try:
            transport, connection = await asyncio.wait_for(made, greeting.CONNECT_S)
        except (OSError, TimeoutError) as error:
            if context is not None and isinstance(error, ConnectionError):
                raise ServerNotTrusted(f"the server at {where} does not encrypt: {error}") from error
            raise greeting.nobody(self.host, self.port, error) from error
        try:
            greeting.refuse_itself(transport.get_extra_info("socket"), self.host, self.port)
            self._look_at(transport)
            answer = connection.greet(greeting.opening(self._said), greeting.ANSWER_LIMIT)
            self.welcome = greeting.welcome(await asyncio.wait_for(answer, greeting.CONNECT_S), where)
        except TimeoutError as error:
            transport.abort()
            raise ServerUnreachable(greeting.silent(where)) from error
        except Lost as error:
            transport.abort()
            raise ConnectionBroken(f"the server at {where} went away in the middle of the greeting") from error
        except BaseException:
            transport.abort()
            raise
        self._limit = request_limit(self.welcome)
        if "probe" in self.welcome and (read := read_probe(self.welcome["probe"])) is not None:
            connection.tell(RAW.pack([next(self._numbers), "shares", read]))
        return connection

    def _look_at(self, transport: asyncio.Transport) -> None:
        prepare(transport.get_extra_info("socket"))
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self._security.check(tls.getpeercert(binary_form=True) or b"")

    async def _connect_again(self, ended: Exception) -> AsyncConnection:
        before, where = self.welcome, f"{self.host}:{self.port}"
        failed: TagwireError | None = None
        for pause in (0.0,) if self._given_up else link.PAUSES_S:
            await asyncio.sleep(pause)
            self._check_usable()
            try:
                connection = await self._connect()
            except (ServerUnreachable, ConnectionBroken) as error:
                failed = error
                continue
            self._given_up = False
            lost = link.what_was_lost(before, self.welcome)
            log.warning("the connection to %s was broken (%s) and is there again%s", where, ended, lost)
            if (end := link.end_of_subscriptions(lost, self.welcome, where)) is not None:
                self._end_subscriptions(end)
            return connection
        if not self._given_up:
            log.warning("the connection to %s was broken (%s) and could not be made again", where, ended)
        self._given_up = True
        raise ServerGone(f"the server at {where} is gone: {failed}") from failed

    def _hold_on(self) -> None:
        """The connection has ended: somebody who waits for events makes no call that would make it again."""
        if self._callbacks and not self._closed:
            self._holding = self._loop.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        try:
            await self._connected()
        except TagwireError as error:
            self._end_subscriptions(error)

    def _release_dropped(self) -> None:
        if self._dropped and self._connection is not None and self._connection.ended is None:
            count = min(1000, len(self._dropped))
            dropped = [self._dropped.popleft() for _ in range(count)]
            self._connection.tell(RAW.pack([next(self._numbers), "release", dropped]))

    def _arrived(self, push: Message) -> None:
        try:
            number, value = self.codec.unpack(push.data, push.arrays, narrow=True)
            if number in self._callbacks:
                self._callbacks[number][0](value)
        except Exception:
            log.exception("a function that was called with an event failed")

    def _end_subscriptions(self, error: Exception | None) -> None:
        subscriptions, self._callbacks = self._callbacks, {}
        for _, ended in subscriptions.values():
            ended(error)

    def _check_usable(self) -> None:
        if self._closed:
            raise ConnectionClosed(f"the connection to {self.host}:{self.port} was closed")


def _last_use(owner: object) -> None:
    """Nothing: whoever calls this has kept `owner` until now."""
