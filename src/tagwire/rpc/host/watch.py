"""Sees that no long call at the server holds up the other calls of the same connection."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable
from typing import Protocol

from tagwire.rpc.host.objects import Caller
from tagwire.rpc.limits import Limits
from tagwire.rpc.message import Message

LONG_S = 0.003
"""A call that takes longer gets its connection's reading taken over by another thread."""

_IDLE_ROUNDS = 300


class Watched(Protocol):
    """A connection that may be busy."""

    @property
    def busy(self) -> Message | None:
        """The request that the reading waits for."""

    def relieve(self, seen: Message) -> bool:
        """Let another thread read."""


class Watch:
    """Looks at the connections that are busy; sleeps while none is.

    A request is taken for long when it is seen in two looks that follow each other, `LONG_S` apart.

    Parameters
    ----------
    limits
        How many threads may be busy with long calls: in all, of one token, of one session. A call that does not get
        through is tried again.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._busy: set[Watched] = set()
        self._long: Counter[Hashable] = Counter()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._asleep = True
        self._closed = False

    def begin(self, conversation: Watched) -> None:
        """It does a request now."""
        self._busy.add(conversation)
        if self._asleep:
            self._wake.set()

    def end(self, conversation: Watched) -> None:
        """It has done it."""
        self._busy.discard(conversation)

    def take(self, caller: Caller) -> bool:
        """Whether there may be one more thread that is busy for `caller`."""
        shares = self._shares(caller)
        with self._lock:
            if any(self._long[key] >= most for key, most in shares.items()):
                return False
            self._long.update(shares.keys())
            return True

    def give_back(self, caller: Caller) -> None:
        """One of them has ended."""
        with self._lock:
            self._long.subtract(self._shares(caller).keys())
            self._long = +self._long  # forgets who has none

    def run(self) -> None:
        """Look until `close`."""
        while not self._closed:
            self._asleep = True
            if not self._busy:  # somebody may have begun when this did not sleep yet
                self._wake.wait()
            self._wake.clear()
            self._asleep = False
            self._look()

    def close(self) -> None:
        """Let `run` return."""
        self._closed = True
        self._wake.set()

    def _shares(self, caller: Caller) -> dict[Hashable, int]:
        """Who is counted, and how far; without tokens, clients cannot be told from each other but by their sessions."""
        limits = self._limits
        shares: dict[Hashable, int] = {"all": limits.long_calls, ("session", caller.owner): limits.calls}
        return shares | ({("token", caller.principal): limits.long_calls_per_token} if caller.principal else {})

    def _look(self) -> None:
        pause, idle = threading.Event(), 0
        seen: dict[Watched, Message | None] = {}
        while idle < _IDLE_ROUNDS and not self._closed:
            now = {conversation: conversation.busy for conversation in tuple(self._busy)}
            for conversation, request in now.items():
                if request is not None and seen.get(conversation) is request:
                    conversation.relieve(request)
            idle, seen = 0 if now else idle + 1, now
            pause.wait(LONG_S)
