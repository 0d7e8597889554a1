"""The server's side of shared memory: large arrays of answers are put where a client on the same computer sees them.

A segment is lent with an answer, and comes back when the client has no use for the array any more. The client takes the
name away as soon as it has opened a segment, so nothing is left behind by whoever is killed.
"""

from __future__ import annotations

import itertools
import mmap
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tagwire.rpc import segments
from tagwire.rpc.loans import LOAN, REFERENCE, told_of
from tagwire.rpc.message import Octets

LEAST = 256 * 1024
"""Fewest bytes of an array that go through shared memory."""

MOST = 256 * 1024 * 1024
"""Most bytes shared with one client; further arrays go through the connection."""

_STEP = 1024 * 1024


@dataclass
class _Segment:
    number: int
    name: str
    memory: mmap.mmap
    told: bool = False

    @property
    def size(self) -> int:
        return len(self.memory)


class Lender:
    """What is shared with one client on one connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[_Segment] = []
        self._lent: dict[str, _Segment] = {}
        self._numbers = itertools.count()
        self._loans = itertools.count(secrets.randbits(48))  # those of an earlier connection are unknown here
        self._size = 0
        self._over: list[int] = []
        self._probe = b""
        self._probe_name = ""
        self._trusted = False
        self._closed = False

    @property
    def lends(self) -> bool:
        """Whether the client has shown that it sees the same memory."""
        return self._trusted

    def probe(self) -> str:
        """Name of a segment that the client has to read; empty when there is no room for one."""
        try:
            self._probe_name, memory = segments.create(mmap.PAGESIZE)
        except OSError:
            return ""
        with memory:
            self._probe = memory[:32] = secrets.token_bytes(32)
        return self._probe_name

    def prove(self, read: object) -> None:
        """The client says what it has read: with the right bytes, lending begins."""
        self._trusted = bool(self._probe) and read == self._probe

    def lend(self, arrays: Sequence[Octets], made: list[str]) -> list[Octets | bytes]:
        """`arrays`, those that are shared replaced by references; the ids of the loans are added to `made`."""
        if not self._trusted:
            return list(arrays)
        return [self._put(array, made) if array.nbytes >= LEAST else array for array in arrays]

    def give_back(self, loan: str) -> None:
        """The client does not need the array any more; an unknown loan is no error."""
        with self._lock:
            segment = self._lent.pop(loan, None)
            if segment is not None:
                self._free.append(segment)

    def forget(self, loan: str) -> None:
        """Nobody has taken the array, and perhaps not opened its segment either, so that is not used again."""
        with self._lock:
            segment = self._lent.pop(loan, None)
            if segment is not None:
                self._give_up(segment)

    def close(self) -> None:
        """Let go of everything; what the client has stays with it."""
        with self._lock:
            self._closed, self._trusted = True, False
            names = [segment.name for segment in (*self._free, *self._lent.values())]
            self._free.clear()
            self._lent.clear()
        for name in (*names, self._probe_name):
            if name:
                segments.remove(name)

    def _put(self, array: Octets, made: list[str]) -> Octets | bytes:
        with self._lock:
            segment = None if self._closed else self._find(array.nbytes)
            if segment is None:
                return array
            loan = next(self._loans)
            self._lent[f"{LOAN}{loan}"] = segment
            told = b"" if segment.told else told_of(segment.name, self._over)
            if not segment.told:
                segment.told, self._over = True, []
        made.append(f"{LOAN}{loan}")
        np.frombuffer(segment.memory, np.uint8, array.nbytes)[:] = array
        return REFERENCE.pack(loan, segment.number, array.nbytes) + told

    def _give_up(self, segment: _Segment) -> None:
        """Use it no more; the client hears of it with the next new one."""
        self._size -= segment.size
        self._over.append(segment.number)
        segments.remove(segment.name)  # if the client has not opened it

    def _find(self, size: int) -> _Segment | None:
        """A free segment that is large enough, the smallest of them, or a new one."""
        fitting = [segment for segment in self._free if segment.size >= size]
        if fitting:
            best = min(fitting, key=lambda segment: segment.size)
            self._free.remove(best)
            return best
        wanted = -(-size // _STEP) * _STEP
        while self._free and self._size + wanted > MOST:
            self._give_up(self._free.pop(0))
        if self._size + wanted > MOST:
            return None
        try:
            name, memory = segments.create(wanted)
        except OSError:
            return None
        self._size += wanted
        return _Segment(next(self._numbers), name, memory)
