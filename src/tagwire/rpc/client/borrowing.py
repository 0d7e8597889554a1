"""The client's side of shared memory: arrays of answers that lie where the server has put them."""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Callable

import numpy as np

from tagwire.errors import ConnectionBroken
from tagwire.rpc import segments
from tagwire.rpc.loans import LOAN, REFERENCE, read_told
from tagwire.rpc.message import Message, Octets


class Borrower:
    """The segments that the server shares on one connection.

    Parameters
    ----------
    give_back
        Told the id of a loan when nobody uses its array any more; called by the garbage collector.
    """

    def __init__(self, give_back: Callable[[str], object]) -> None:
        self._give_back = give_back
        self._segments: dict[int, mmap.mmap] = {}

    def resolve(self, answer: Message) -> Message:
        """`answer` with all arrays that belong to it."""
        arrays = [self._array(one) if i in answer.shared else one for i, one in enumerate(answer.arrays)]
        return answer._replace(arrays=arrays, shared=())

    def _array(self, reference: Octets) -> Octets:
        loan, number, size = REFERENCE.unpack_from(reference.data)
        try:
            if told := reference[REFERENCE.size :].tobytes():
                self._open(number, *read_told(told))
            array = np.frombuffer(self._segments[number], np.uint8, size)
        except (OSError, ValueError, KeyError) as error:
            raise ConnectionBroken(f"an array of the answer could not be read from shared memory: {error}") from error
        weakref.finalize(array, self._give_back, f"{LOAN}{loan}").atexit = False
        return array

    def _open(self, number: int, name: str, over: list[int]) -> None:
        """A new segment; those that are over stay in memory only as long as there are arrays in them."""
        for one in over:
            self._segments.pop(one, None)
        if number not in self._segments:
            self._segments[number] = segments.take(name)


def read_probe(name: object) -> bytes | None:
    """What the server has written to show that both are on one computer; `None` when it cannot be read."""
    try:
        with segments.take(str(name)) as memory:
            return memory[:32]
    except (OSError, ValueError):
        return None
