"""Pyro5's messages without a socket: bytes in, whole messages out, and the buffers of a message to send.

A message is a header, annotations and data. On a ``tagwire`` connection each annotation is a large array, which is sent
from its own memory and received straight into the new array. Nothing here does input or output, so the blocking client,
the asyncio client and the server share it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tagwire.errors import ArgumentError, ProtocolError

CONNECT, CONNECT_OK, CONNECT_FAIL, INVOKE, RESULT, PING = 1, 2, 3, 4, 5, 6
EXCEPTION, ONEWAY = 1 << 0, 1 << 2
MSGPACK = 4

ARRAYS_MAX = 4096
"""Most arrays of a message that travel outside its data."""

Octets = npt.NDArray[np.uint8]
Buffer = bytes | memoryview

_HEADER = struct.Struct("!4sHBBHHII16sHH")
_CHUNK = struct.Struct("!4sI")
_OWN, _SHARED = b"A", b"S"
_VERSION, _MAGIC, _NO_ID = 502, 0x4DC5, b"\0" * 16
_SIZE_MAX = 2**32 - 1
_SCRATCH = 64 * 1024
_ROOM = 4 * 1024
"""Least room worth asking the socket for."""


def buffers(kind: int, seq: int, data: bytes, arrays: Sequence[Octets | bytes] = (), flags: int = 0) -> list[Buffer]:
    """What to send, in order; `ArgumentError` when a message cannot be that large.

    Parameters
    ----------
    arrays
        Memory that is sent as it is, without a copy; bytes stand for a shared array (see `tagwire.rpc.host.lending`).
    """
    size = checked_size(data, arrays)
    header = _HEADER.pack(b"PYRO", _VERSION, kind, MSGPACK, flags, seq, len(data), size, _NO_ID, 0, _MAGIC)
    if not arrays:
        return [header + data]
    made: list[Buffer] = [header]
    for index, array in enumerate(arrays):
        tag, memory = (_SHARED, array) if isinstance(array, bytes) else (_OWN, array.data)
        made += (_CHUNK.pack(tag + b"%03x" % index, len(array)), memory)
    return [*made, data]


def checked_size(data: bytes, arrays: Sequence[Octets | bytes]) -> int:
    """Bytes of the annotations; `ArgumentError` when a message cannot be that large."""
    size = sum(_CHUNK.size + len(array) for array in arrays) if arrays else 0
    if size > _SIZE_MAX or len(data) > _SIZE_MAX:
        raise ArgumentError(f"{size + len(data)} bytes cannot be sent at once; at most {_SIZE_MAX} can")
    return size


class Message(NamedTuple):
    """A message that has arrived, its data still packed; `shared` are the indices of arrays that lie elsewhere."""

    kind: int
    flags: int
    seq: int
    size: int
    data: bytes | memoryview
    arrays: Sequence[Octets]
    shared: Sequence[int] = ()


class _Head(NamedTuple):
    kind: int
    flags: int
    seq: int
    annotations: int
    data: int


class State(NamedTuple):
    """How far the reading has come. Only `counts` is ever changed: `Assembler.parse` makes a new one."""

    scratch: bytearray
    view: memoryview
    start: int
    end: int
    head: _Head | None
    left: int
    """Bytes of annotations that have not begun."""
    arrays: tuple[Octets, ...]
    shared: tuple[int, ...]
    body: Octets | None
    """What is being filled: an array, or the data when it is large."""
    filled: int
    counts: list[int]
    """The number of bytes that the socket has given since; empty or one number."""


class Assembler:
    """Makes messages of bytes that come in any pieces.

    The owner lets `receive` get some bytes, asks `parse` for messages and the state after them, and at last makes
    that state the present one. As `parse` changes nothing, a reader that is broken off anywhere in between, by Ctrl-C,
    leaves the next one everything it needs.

    Parameters
    ----------
    limit
        Most bytes of a message; a longer one is refused before anything of it is stored.
    values
        Most bytes of its data, which cost far more once they are unpacked; arrays beside them do not.
    """

    def __init__(self, limit: int = 2 * _SIZE_MAX, values: int = _SIZE_MAX) -> None:
        self.limit, self._values = limit, values
        scratch = bytearray(_SCRATCH)
        self.state = State(scratch, memoryview(scratch), 0, 0, None, 0, (), (), None, 0, [])

    def target(self) -> memoryview:
        """Where the next bytes belong."""
        state = self.state
        if state.body is not None:
            return state.body.data[state.filled :]
        return state.view[state.end :] if state.end else state.view

    def receive(self, receive_into: Callable[[memoryview], int]) -> bool:
        """Let the socket give some bytes, unless there are some that were not looked at yet; False at its end."""
        counts = self.state.counts
        if not counts:
            counts.extend(map(receive_into, (self.target(),)))  # in C: no signal can come between getting and noting
        return counts[0] > 0

    def parse(self) -> tuple[list[Message], State | None]:
        """The messages that are whole now, and the state after them; `ProtocolError` when the bytes make no sense."""
        alone = self._alone(self.state)
        if alone is not None:
            return [alone], None
        work = _Pass(self.state, self.limit, self._values)
        while work.step():
            pass
        return work.done, work.state()

    def commit(self, state: State | None) -> None:
        """Go on from `state`."""
        if state is None:  # all that came was used
            self.state.counts.clear()
        else:
            self.state = state

    def _alone(self, state: State) -> Message | None:
        """The one short message that has come, if it is just that: most are, so they have a short way."""
        if state.end or state.head is not None or state.body is not None or sum(state.counts) < _HEADER.size:
            return None
        count = state.counts[0]
        tag, version, kind, _, flags, seq, data, more, _, _, magic = _HEADER.unpack_from(state.scratch)
        if more or data + _HEADER.size != count or data > self.limit:
            return None
        if tag != b"PYRO" or version != _VERSION or magic != _MAGIC:
            return None
        return Message(kind, flags, seq, data, bytes(state.view[_HEADER.size : count]), ())

    def feed(self, receive_into: Callable[[memoryview], int]) -> list[Message] | None:
        """One step of a reader that nothing can break off: messages that are whole now, `None` at the end."""
        if not self.receive(receive_into):
            return None
        messages, state = self.parse()
        self.commit(state)
        return messages


class _Pass:
    """One look at the bytes that are there."""

    def __init__(self, state: State, limit: int, values: int) -> None:
        self._scratch, self._view, self._start, self._end = state.scratch, state.view, state.start, state.end
        self._head, self._left, self._arrays, self._shared = state.head, state.left, [*state.arrays], [*state.shared]
        self._body, self._filled, counts = state.body, state.filled, state.counts
        self._limit, self._values = limit, values
        self.done: list[Message] = []
        if self._body is not None:
            self._filled += sum(counts)
        else:
            self._end += sum(counts)

    def step(self) -> bool:
        """Take the next piece; False when it is not all there."""
        if self._body is not None:
            return self._fill(self._body)
        if self._head is None:
            return self._begin()
        return self._chunk() if self._left else self._data(self._head)

    def state(self) -> State:
        scratch, view, start, end = self._scratch, self._view, self._start, self._end
        if start == end:
            start = end = 0
        elif len(scratch) - end < _ROOM:
            scratch, start, end = bytearray(_SCRATCH), 0, end - start
            scratch[:end] = self._scratch[self._start : self._end]
            view = memoryview(scratch)
        arrays, shared = tuple(self._arrays), tuple(self._shared)
        return State(scratch, view, start, end, self._head, self._left, arrays, shared, self._body, self._filled, [])

    def _begin(self) -> bool:
        if self._end - self._start < _HEADER.size:
            return False
        tag, version, kind, _, flags, seq, data, more, _, _, magic = _HEADER.unpack_from(self._scratch, self._start)
        if tag != b"PYRO" or version != _VERSION or magic != _MAGIC:
            raise ProtocolError("what arrived is no message of Pyro5")
        if data + more > self._limit:
            raise ProtocolError(f"a message of {data + more} bytes is not accepted; at most {self._limit} are")
        if data > self._values:
            raise ProtocolError(f"values of {data} bytes are not accepted; at most {self._values} are, besides arrays")
        self._start += _HEADER.size
        self._head, self._left = _Head(kind, flags, seq, more, data), more
        return True

    def _chunk(self) -> bool:
        if self._end - self._start < _CHUNK.size:
            return False
        tag, size = _CHUNK.unpack_from(self._scratch, self._start)
        left = self._left - _CHUNK.size - size
        if left < 0 or len(self._arrays) >= ARRAYS_MAX:
            raise ProtocolError("the annotations of a message make no sense")
        self._start += _CHUNK.size
        if tag.startswith(_SHARED):
            self._shared.append(len(self._arrays))
        self._left, self._body, self._filled = left, np.empty(size, np.uint8), 0
        return True

    def _data(self, head: _Head) -> bool:
        if self._end - self._start >= head.data:
            data = bytes(self._view[self._start : self._start + head.data])
            self._start += head.data
            self._finish(head, data)
            return True
        if head.data > _SCRATCH // 2:
            self._left, self._body, self._filled = -1, np.empty(head.data, np.uint8), 0
            return True
        return False

    def _fill(self, body: Octets) -> bool:
        count = min(self._end - self._start, len(body) - self._filled)
        if count:
            body[self._filled : self._filled + count] = np.frombuffer(self._scratch, np.uint8, count, self._start)
            self._start += count
            self._filled += count
        if self._filled < len(body):
            return False
        self._body = None
        if self._left < 0:
            assert self._head is not None
            self._finish(self._head, body.data)
        else:
            self._arrays.append(body)
        return True

    def _finish(self, head: _Head, data: bytes | memoryview) -> None:
        size = head.annotations + head.data
        self.done.append(Message(head.kind, head.flags, head.seq, size, data, self._arrays, self._shared))
        self._head, self._left, self._arrays, self._shared = None, 0, [], []
