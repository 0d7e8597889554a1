"""One connection of an asyncio client: the protocol core of the blocking one, driven by the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import cast

from tagwire.errors import ProtocolError
from tagwire.rpc import message
from tagwire.rpc.client.borrowing import Borrower
from tagwire.rpc.client.connection import Lost, NotSent
from tagwire.rpc.message import Assembler, Buffer, Message, Octets

_PART = 256 * 1024
"""Bytes handed to the loop at once, so that what waits to be sent is not copied as a whole."""


_CLOSING_S = 2.0


class AsyncConnection(asyncio.BufferedProtocol):
    """Carries requests; made by ``loop.create_connection``.

    Parameters
    ----------
    on_push
        Gets messages that the server sends by itself.
    on_end
        Called when it has ended.
    borrower
        Finds arrays in shared memory.

    Attributes
    ----------
    ended
        Why it is of no use any more.
    """

    def __init__(self, on_push: Callable[[Message], object], on_end: Callable[[], object], borrower: Borrower) -> None:
        self._on_push = on_push
        self._on_end = on_end
        self._borrower = borrower
        self._assembler = Assembler()
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, asyncio.Future[Message]] = {}
        self._greeting: asyncio.Future[Message] = self._loop.create_future()
        self._sequence = itertools.count()
        self._sending = asyncio.Lock()
        self._telling: set[asyncio.Task[None]] = set()
        self._lost = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.ended: Exception | None = None

    async def greet(self, opening: Sequence[Buffer], limit: int) -> Message:
        """Send the first message; the answer to it. Raises `Lost` or `ProtocolError`."""
        usual, self._assembler.limit = self._assembler.limit, limit
        self._transport.writelines(opening)
        try:
            return await self._greeting
        finally:
            self._assembler.limit = usual

    async def exchange(self, data: bytes, arrays: Sequence[Octets] = ()) -> Message:
        """Send a request and wait for its answer; raises `NotSent` or `Lost`. May be cancelled at any moment."""
        answer: asyncio.Future[Message] = self._loop.create_future()
        seq = next(self._sequence) & 0xFFFF
        while self._calls.setdefault(seq, answer) is not answer:  # one that nobody waits for any more
            seq = next(self._sequence) & 0xFFFF
        # A message that has begun is sent to its end, whatever becomes of the one who waits for the answer.
        await asyncio.shield(self._loop.create_task(self._send(message.buffers(message.INVOKE, seq, data, arrays))))
        got = await answer
        return self._borrower.resolve(got) if got.shared else got

    def tell(self, data: bytes) -> None:
        """Send a short request that has no answer, behind what is being sent."""
        parts = message.buffers(message.INVOKE, 0, data, flags=message.ONEWAY)
        if self.ended is None and not self._sending.locked():
            self._transport.writelines(parts)
        elif self.ended is None:
            telling = self._loop.create_task(self._tell(parts))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def _tell(self, parts: Sequence[Buffer]) -> None:
        with contextlib.suppress(NotSent):
            await self._send(parts)

    async def _send(self, parts: Sequence[Buffer]) -> None:
        async with self._sending:
            for part in parts:
                for begin in range(0, len(part), _PART):
                    await self._room.wait()
                    if self.ended is not None:
                        raise NotSent from self.ended
                    self._transport.write(part if len(part) <= _PART else memoryview(part)[begin : begin + _PART])

    async def close(self) -> None:
        """Send what was told, and close; whoever waits gets `Lost`."""
        if self._telling:
            await asyncio.wait(self._telling, timeout=_CLOSING_S)
        self._end(ConnectionError("it was closed"))
        self._transport.close()
        try:
            await asyncio.wait_for(self._lost.wait(), _CLOSING_S)
        except TimeoutError:  # the server does not read
            self._transport.abort()
            await self._lost.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._assembler.target()

    def buffer_updated(self, nbytes: int) -> None:
        self._assembler.state.counts.append(nbytes)
        try:
            messages, state = self._assembler.parse()
        except ProtocolError as error:
            self._end(error)
            self._transport.abort()
            return
        self._assembler.commit(state)
        for arrived in messages:
            self._deliver(arrived)

    def eof_received(self) -> None:
        self._end(ConnectionError("the server closed the connection"))

    def connection_lost(self, error: Exception | None) -> None:
        self._lost.set()
        self._end(error or ConnectionError("the server closed the connection"))

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _deliver(self, arrived: Message) -> None:
        if not self._greeting.done():
            self._greeting.set_result(arrived)
        elif arrived.kind == message.INVOKE:
            self._on_push(arrived)
        elif arrived.kind == message.RESULT:
            waiting = self._calls.pop(arrived.seq, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(arrived)

    def _end(self, reason: Exception) -> None:
        if self.ended is None:
            self.ended = reason
            self._loop.call_soon(self._on_end)
        self._room.set()
        for waiting in (self._greeting, *self._calls.values()):
            if not waiting.done():
                lost = Lost()
                lost.__cause__ = self.ended
                waiting.set_exception(lost)
                waiting.exception()  # seen: nobody may wait for it
        self._calls.clear()
