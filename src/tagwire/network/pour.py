"""Passes the bytes of one socket on to another, without the GIL where the system lets us.

A thread of Python that does it wakes up some thousand times a second, and each time it waits for the GIL and takes it
away from those who encode tags.
"""

from __future__ import annotations

import os
import socket
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from tagwire.core.tags import Int64Array
from tagwire.kernel import kernel

CHUNK = 2**18
"""Most bytes passed on at a time."""

COMPILED = os.name != "nt"
"""Whether sockets are file descriptors, which a compiled loop can use."""

_CALL = types.int64(types.int32, types.voidptr, types.uintp, types.int32)
_recv: Any = types.ExternalFunction("recv", _CALL)
_send: Any = types.ExternalFunction("send", _CALL)

_NO_FLAGS = np.int32(0)


class Pour:
    """Bytes on their way from `source` to `target`, both of which block.

    Attributes
    ----------
    poured
        How many have been passed on.
    """

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self._source, self._target = source, target
        self._space = np.empty(CHUNK, np.uint8)
        self._counts = np.zeros(3, np.int64)

    @property
    def poured(self) -> int:
        """See the class."""
        return int(self._counts[0])

    def run(self) -> None:
        """Pass on until `source` ends; `OSError` when one of both breaks."""
        while True:
            if COMPILED and _pour(self._source.fileno(), self._target.fileno(), self._space, self._counts):
                return
            if not self._step():
                return

    def _step(self) -> bool:
        """Do what is next in Python, which knows of interruptions by signals, and of errors; False at the end."""
        space, counts = self._space.data, self._counts
        if counts[1] == counts[2]:
            counts[1:] = 0, self._source.recv_into(space)
        self._target.sendall(space[counts[1] : counts[2]])
        counts[0] += counts[2]
        counts[1] = counts[2]
        return bool(counts[2])


def warm_up() -> None:
    """Compile the kernel."""
    if COMPILED:
        _pour(-1, -1, np.empty(1, np.uint8), np.zeros(3, np.int64))


@kernel
def _pour(source: int, target: int, space: NDArray[np.uint8], counts: Int64Array) -> bool:
    """Pass on until the source ends (True), or a call fails (False).

    `counts` has the number of bytes passed on before the present chunk, how many of that one, and its size.
    """
    base = space.ctypes.data
    while counts[1] == counts[2]:
        size = _recv(source, base, np.uint64(len(space)), _NO_FLAGS)
        if size <= 0:
            return bool(size == 0)
        counts[1], counts[2] = 0, size
        while counts[1] < size:
            sent = _send(target, base + counts[1], np.uint64(size - counts[1]), _NO_FLAGS)
            if sent < 0:
                return False
            counts[1] += sent
        counts[0] += size
    return False
