"""One connection of a client, for all its threads, with any number of calls in flight.

There is no thread that reads: of the threads that wait for an answer one reads the socket and hands the others theirs,
and when it has its own, another one goes on. So a call that is alone costs no change of threads.

A thread may be broken off anywhere, by Ctrl-C. What has arrived and what is to be sent are kept such that whoever comes
next goes on where it stopped (see `Assembler` and `Outbox`); the notes are made in C, where no signal can come between
doing and noting.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from tagwire.errors import ProtocolError
from tagwire.rpc import message
from tagwire.rpc.client.borrowing import Borrower
from tagwire.rpc.message import Assembler, Message, Octets
from tagwire.rpc.readiness import SIGNALS_END_WAITS, wait_until_ready
from tagwire.rpc.sending import Outbox

_PATIENCE_S = 0.25
"""How often somebody who waits looks whether anybody reads: a reader may be broken off before it calls the next one."""

_IDLE_S = 0.5
"""After so long without a call, a connection is looked at before it is used."""


_QUIET_S = 0.01
"""How long there was no call when somebody who listens begins to read."""

_LISTEN_S = 5.0


class NotSent(Exception):
    """The request has not gone out as a whole, so it was not done."""


class Lost(Exception):
    """The connection ended while the request was out; whether it was done is unknown."""


class _Call:
    """Somebody who waits for an answer, or the error that ended the connection.

    Attributes
    ----------
    bell
        Wakes it, when it leaves the reading to somebody else.
    """

    __slots__ = ("answer", "bell")

    def __init__(self) -> None:
        self.answer: Message | Exception | None = None
        self.bell: SimpleQueue[None] | None = None

    def put(self, answer: Message | Exception) -> None:
        self.answer = answer
        if self.bell is not None:
            self.bell.put(None)


class Connection:
    """Carries requests on `sock`, which has shaken hands.

    Parameters
    ----------
    assembler
        Has read the greeting.
    on_push
        Gets messages that the server sends by itself; must not wait.
    borrower
        Finds arrays in shared memory.
    early
        Messages that came right behind the greeting.

    Attributes
    ----------
    ended
        Why it is of no use any more.
    """

    def __init__(
        self,
        sock: Any,
        assembler: Assembler,
        on_push: Callable[[Message], object],
        borrower: Borrower,
        early: Sequence[Message] = (),
    ) -> None:
        self._sock = sock
        self._on_push = on_push
        self._borrower = borrower
        self._assembler = assembler
        self._exact = isinstance(sock, socket.socket)
        self._direct = self._exact and SIGNALS_END_WAITS
        self._receive_into = sock.recv_into
        self._outbox = Outbox(sock, self._when_full if self._exact else None)
        self._reading = threading.Lock()
        self._sequence = itertools.count()
        self._calls: dict[int, _Call] = {}
        self._waiting: dict[_Call, None] = {}
        self._used = time.monotonic()
        self.ended: Exception | None = None
        for arrived in early:
            self._deliver(arrived)

    def exchange(self, data: bytes, arrays: Sequence[Octets] = ()) -> Message:
        """Send a request and wait for its answer; raises `NotSent` or `Lost`."""
        self._check()
        call = _Call()
        seq = next(self._sequence) & 0xFFFF
        while self._calls.setdefault(seq, call) is not call:  # one that nobody waits for any more
            seq = next(self._sequence) & 0xFFFF
        try:
            self._send(message.buffers(message.INVOKE, seq, data, arrays))
        except BaseException:
            if self.ended is not None:
                self._calls.pop(seq, None)
            raise
        answer = self._answer(call)
        return self._borrower.resolve(answer) if answer.shared else answer

    def tell(self, data: bytes) -> None:
        """Send a request that has no answer; raises `NotSent`."""
        self._check()
        self._send(message.buffers(message.INVOKE, 0, data, flags=message.ONEWAY))

    def listen(self) -> None:
        """Read while nobody else does, for the sake of what the server sends by itself; returns at the end.

        Whoever makes calls reads for itself; this one begins when there was no call for a moment.
        """

        def work() -> None:
            while not self._waiting and self.ended is None:
                if self._has_come(_LISTEN_S):
                    self._read()

        while self.ended is None:
            if time.monotonic() - self._used < _QUIET_S or not self._in_turn(work):
                time.sleep(_QUIET_S)
            else:
                self._call_next()

    def close(self) -> None:
        """Close; whoever waits gets `Lost`."""
        self._end(ConnectionError("it was closed"))
        self._sock.close()

    def leave_to_parent(self) -> None:
        """Let go of the socket in a forked child, without a word to the server: it is the parent's."""
        self._sock.close()

    def _check(self) -> None:
        now = time.monotonic()
        if now - self._used > _IDLE_S and self.ended is None and not self._waiting:
            self._look()
        self._used = now
        if self.ended is not None:
            raise NotSent from self.ended

    def _look(self) -> None:
        """See what has come while nobody waited: the end of the connection, perhaps."""

        def work() -> None:
            while self.ended is None and self._has_come(0):
                self._read()

        self._in_turn(work)

    def _send(self, parts: Sequence[message.Buffer]) -> None:
        try:
            self._outbox.send(parts)
        except OSError as error:
            self._end(error)
            raise NotSent from error
        except BaseException:
            if not self._outbox.exact:
                self._end(ConnectionError("a call was broken off in the middle of a message"))
            raise

    def _answer(self, call: _Call) -> Message:
        held: list[bool] = []
        try:
            held.extend(map(self._reading.acquire, (False,)))
            if held[0]:
                while call.answer is None:
                    self._read()
        finally:
            if held and held[0]:  # no call may stand before the release: a signal could come after it
                self._reading.release()
            if self._waiting:
                self._call_next()
        if call.answer is None:
            self._follow(call)
        if isinstance(call.answer, Message):
            return call.answer
        raise Lost from call.answer

    def _follow(self, call: _Call) -> None:
        """Somebody else reads; wait until the answer is there, or until nobody reads any more."""
        bell = call.bell = SimpleQueue()
        self._waiting[call] = None

        def work() -> None:
            while call.answer is None:
                self._read()

        try:
            while call.answer is None:
                if not self._in_turn(work):
                    with contextlib.suppress(Empty):
                        bell.get(timeout=_PATIENCE_S)
        finally:
            self._waiting.pop(call, None)
            self._call_next()

    def _call_next(self) -> None:
        if not self._reading.locked():
            for other in list(self._waiting)[:1]:
                if other.bell is not None:
                    other.bell.put(None)

    def _in_turn(self, work: Callable[[], None]) -> bool:
        """Do `work` as the one who reads; False when somebody else does."""
        held: list[bool] = []
        try:
            held.extend(map(self._reading.acquire, (False,)))
            if held[0]:
                work()
            return held[0]
        finally:
            if held and held[0]:  # no call may stand before the release: a signal could come after it
                self._reading.release()

    def _when_full(self) -> None:
        """The server takes no more for now; perhaps it waits until its answers are read."""

        def work() -> None:
            if wait_until_ready(self._sock, read=True, write=True):
                self._read()

        if not self._in_turn(work):
            wait_until_ready(self._sock, write=True, timeout=_PATIENCE_S)

    def _read(self) -> None:
        """Take what the socket has, waiting for it if need be; the caller has the turn."""
        try:
            if self._receive():
                messages, state = self._assembler.parse()
                for arrived in messages:
                    self._deliver(arrived)  # twice does no harm
                self._assembler.commit(state)
            else:
                self._end(ConnectionError("the server closed the connection"))
        except (OSError, ProtocolError) as error:
            self._end(error)

    def _receive(self) -> bool:
        if self._direct:
            return self._assembler.receive(self._receive_into)
        self._has_come(None)
        try:
            return self._assembler.receive(self._receive_into)
        except OSError:
            raise
        except BaseException:
            if not self._exact:
                self._end(ConnectionError("a call was broken off in the middle of a message"))
            raise

    def _has_come(self, timeout: float | None) -> bool:
        """Wait until there is something to read."""
        held_back = not self._exact and self._sock.pending() > 0
        return held_back or wait_until_ready(self._sock, read=True, timeout=timeout)

    def _deliver(self, arrived: Message) -> None:
        if arrived.kind == message.INVOKE:
            self._on_push(arrived)
        elif arrived.kind == message.RESULT:
            call = self._calls.get(arrived.seq)
            if call is not None:  # else nobody waits for it any more
                call.put(arrived)
                self._calls.pop(arrived.seq, None)

    def _end(self, reason: Exception) -> None:
        if self.ended is None:
            self.ended = reason
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
        for call in list(self._calls.values()):
            call.put(self.ended)
