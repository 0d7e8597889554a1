"""One connection of a client of ours at the server: several calls at once, each by the thread that read it.

One thread reads the next request and does it at once, without a change of threads. When that takes long, another thread
takes over the reading (see `Watch`), and the first one answers whenever it is done. A call that is known to wait hands
the reading over before it begins.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from tagwire.errors import ProtocolError
from tagwire.rpc import message
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.host.pushes import Pushes
from tagwire.rpc.host.watch import Watch
from tagwire.rpc.limits import Limits
from tagwire.rpc.message import Assembler, Message, Octets
from tagwire.rpc.sending import Outbox
from tagwire.rpc.wire import VALUES_LIMIT

log = logging.getLogger(__name__)

Answer = Callable[[Message, Callable[[], object]], tuple[bool, bytes, list[Octets | bytes]]]
"""Does a request: whether it failed, the packed answer, the arrays beside it. The function is called before a wait."""


class Conversation:
    """Reads requests from `sock`, which has shaken hands, and answers them.

    Parameters
    ----------
    answer
        Does a request.
    watch
        Sees that no request holds up the next one.
    limits
        How large a request may be, and how many are worked on at once; further ones wait in the socket.
    caller
        Tells for whom, once there are requests.
    """

    def __init__(self, sock: Any, answer: Answer, watch: Watch, limits: Limits, caller: Callable[[], Caller]) -> None:
        self._sock = sock
        self._answer = answer
        self._watch = watch
        self._limits = limits
        self._caller = caller
        self._assembler = Assembler(limits.request_bytes, VALUES_LIMIT)
        self._outbox = Outbox(sock)
        self._backlog: deque[Message] = deque()
        self._lock = threading.Lock()
        self._turn = 0
        self._busy: Message | None = None
        self._long = 0
        self._held = 0
        self._home: SimpleQueue[int | None] = SimpleQueue()
        self._home_is_free = False
        self._ended = False
        self.pushes = Pushes(self._outbox)

    def serve(self, ended: Callable[[], object]) -> None:
        """Answer until the connection ends; `ended` is called at once then, when calls may still be under way."""
        self._on_end = ended
        self.pushes.open()
        turn: int | None = 0
        while turn is not None:
            self._read_on(turn)
            turn = self._home.get()
        log.debug("a conversation ended")

    def relieve(self, seen: Message) -> bool:
        """Let another thread read if request `seen` is still under way; False if there may be no more threads."""
        with self._lock:
            if self._busy is not seen:
                return True
            if (
                self._long + 1 >= self._limits.calls
                or self._held > self._limits.request_bytes
                or not self._watch.take(self._caller())
            ):
                return False
            self._busy = None
            self._watch.end(self)  # here: by the end of this request, the next one may be watched
            self._long += 1
            self._turn += 1
            turn, home, self._home_is_free = self._turn, self._home_is_free, False
        if home:
            self._home.put(turn)
            return True
        return self._start(turn)

    @property
    def busy(self) -> Message | None:
        """The request that the reading waits for."""
        return self._busy

    def _start(self, turn: int) -> bool:
        thread = threading.Thread(target=self._read_on, args=(turn, False), daemon=True, name="tagwire-call")
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads; who is busy will read on
            with self._lock:
                self._turn -= 1
            return False
        return True

    def _read_on(self, turn: int, at_home: bool = True) -> None:
        try:
            while self._one(turn):
                pass
        except (OSError, ProtocolError) as error:
            log.debug("a connection ended: %s", error)
            self._end()
        except Exception:
            log.exception("a connection ended by an error of the server")
            self._end()
        if at_home:
            with self._lock:
                self._home_is_free = not self._ended
                if self._ended:
                    self._home.put(None)

    def _one(self, turn: int) -> bool:
        """Read and answer one request; whether this thread goes on reading."""
        request = self._next()
        if request is None:
            self._end()
            return False
        if request.kind == message.PING:
            self._outbox.send(message.buffers(message.PING, request.seq, b"pong"))
            return True
        if request.kind != message.INVOKE:
            raise ProtocolError(f"a message of kind {request.kind} is not accepted here")
        if request.flags & message.ONEWAY:  # nobody awaits it, and what comes behind may build on it
            self._answer(request, lambda: None)
            return True
        self._begin(request)
        try:
            failed, data, arrays = self._answer(request, lambda: self.relieve(request))
        finally:
            mine = self._finish(request, turn)
        flags = message.EXCEPTION if failed else 0
        self._outbox.send(message.buffers(message.RESULT, request.seq, data, arrays, flags))
        return mine

    def _next(self) -> Message | None:
        while not self._backlog:
            arrived = self._assembler.feed(self._sock.recv_into)
            if arrived is None:
                return None
            self._backlog.extend(arrived)
        return self._backlog.popleft()

    def _begin(self, request: Message) -> None:
        with self._lock:
            self._busy = request
            self._held += request.size
        self._watch.begin(self)

    def _finish(self, request: Message, turn: int) -> bool:
        """Whether this thread still has the turn to read."""
        with self._lock:
            self._held -= request.size
            if self._busy is request:
                self._busy = None
                self._watch.end(self)
                return True
            self._long -= 1
            mine = self._turn == turn
        self._watch.give_back(self._caller())
        return mine

    def _end(self) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
            free, self._home_is_free = self._home_is_free, False
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self.pushes.close()
        self._on_end()
        if free:
            self._home.put(None)
