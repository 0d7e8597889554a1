"""Messages without a socket: cut anywhere, broken off anywhere, and never more memory than was allowed."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from Pyro5 import protocol

from tagwire.errors import ProtocolError
from tagwire.rpc import message
from tagwire.rpc.message import Assembler, Message, buffers


def octets(count: int, seed: int = 0) -> message.Octets:
    return np.random.default_rng(seed).integers(0, 256, count, np.uint8)


def wire(*parts: Iterable[bytes | memoryview]) -> bytes:
    return b"".join(bytes(part) for made in parts for part in made)


def source(data: bytes, cuts: Iterable[int]) -> Callable[[memoryview], int]:
    """A socket that gives `data` in pieces of these sizes, the rest as it is asked for."""
    rest, sizes = memoryview(data), iter(cuts)

    def receive_into(target: memoryview) -> int:
        nonlocal rest
        size = min(len(target), len(rest), max(1, next(sizes, len(rest))))
        target[:size] = rest[:size]
        rest = rest[size:]
        return size

    return receive_into


def read(assembler: Assembler, receive_into: Callable[[memoryview], int]) -> list[Message]:
    done: list[Message] = []
    while (messages := assembler.feed(receive_into)) is not None:
        done += messages
    return done


def same(got: Message, seq: int, data: bytes, arrays: list[message.Octets]) -> bool:
    alike = all(np.array_equal(one, other) for one, other in zip(got.arrays, arrays, strict=True))
    return (got.seq, bytes(got.data)) == (seq, data) and alike


SMALL = [(1, b"", []), (2, b"x", [octets(3)]), (3, b"yy" * 20, []), (4, b"z", [octets(0), octets(50, 1)])]


def test_cut_at_every_byte() -> None:
    data = wire(*(buffers(message.RESULT, seq, load, arrays) for seq, load, arrays in SMALL))
    for cut in range(1, len(data)):
        got = read(Assembler(), source(data, [cut]))
        assert len(got) == len(SMALL)
        assert all(same(one, *expected) for one, expected in zip(got, SMALL, strict=True))


@given(
    st.lists(st.tuples(st.integers(0, 70_000), st.lists(st.integers(0, 90_000), max_size=3)), max_size=4),
    st.lists(st.integers(1, 80_000), max_size=20),
)
def test_any_sizes_in_any_pieces(sizes: list[tuple[int, list[int]]], cuts: list[int]) -> None:
    sent = [(i, octets(n).tobytes(), [octets(m, m) for m in arrays]) for i, (n, arrays) in enumerate(sizes)]
    data = wire(*(buffers(message.INVOKE, *one) for one in sent))
    got = read(Assembler(), source(data, cuts))
    assert len(got) == len(sent)
    assert all(same(one, *expected) for one, expected in zip(got, sent, strict=True))


def test_a_reader_that_is_broken_off_leaves_everything_to_the_next() -> None:
    sent = [(1, b"a" * 100, [octets(100_000)]), (2, b"b", [])]
    assembler, done = Assembler(), []
    receive = source(wire(*(buffers(message.RESULT, *one) for one in sent)), [7, 30, 60, 1000, 70_000])
    for step in range(1000):
        if not assembler.receive(receive):
            break
        if step % 3 == 0:
            continue  # broken off after the bytes were got
        messages, state = assembler.parse()
        if step % 3 == 1:
            continue  # broken off after they were looked at
        done += messages
        assembler.commit(state)
    assert all(same(one, *expected) for one, expected in zip(done, sent, strict=True))


def test_pyro_reads_what_is_sent() -> None:
    arrays = [octets(20_000, 1), octets(5, 2)]
    data = wire(buffers(message.RESULT, 77, b"packed", arrays, message.EXCEPTION))
    got = protocol.ReceivingMessage(data[:40], data[40:])
    assert (got.type, got.seq, got.flags, bytes(got.data)) == (5, 77, 1, b"packed")
    assert [bytes(chunk) for chunk in got.annotations.values()] == [array.tobytes() for array in arrays]


def test_we_read_what_pyro_sends() -> None:
    made = protocol.SendingMessage(protocol.MSG_INVOKE, 4, 9, 4, b"payload", {"ABCD": b"chunk"})
    (got,) = read(Assembler(), source(made.data, []))
    assert (got.kind, got.flags, got.seq, bytes(got.data), bytes(got.arrays[0])) == (4, 4, 9, b"payload", b"chunk")


def header(data: int, annotations: int, tag: bytes = b"PYRO", version: int = 502, magic: int = 0x4DC5) -> bytes:
    return struct.pack("!4sHBBHHII16sHH", tag, version, 4, 4, 0, 0, data, annotations, b"\0" * 16, 0, magic)


@pytest.mark.parametrize(
    "data",
    [
        header(0, 0, tag=b"HTTP"),
        header(0, 0, version=501),
        header(0, 0, magic=1),
        header(2**31, 0),
        header(0, 2**31),
        header(600, 600),
        header(0, 100) + b"A000" + struct.pack("!I", 93),
        header(0, 3) + b"A000" + struct.pack("!I", 0),
    ],
    ids=["tag", "version", "magic", "data", "annotations", "together", "chunk", "rest"],
)
def test_what_makes_no_sense_is_refused_before_it_is_stored(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        read(Assembler(1000), source(data, []))
    assert tracemalloc.get_traced_memory()[1] < 200_000
    tracemalloc.stop()


def test_there_is_an_end_to_the_number_of_arrays() -> None:
    chunk = b"A000" + struct.pack("!I", 0)
    data = header(0, 5000 * 8) + 5000 * chunk
    with pytest.raises(ProtocolError):
        read(Assembler(), source(data, []))
