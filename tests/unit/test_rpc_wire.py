"""Bytes that make no sense end as one error, and faults describe errors without naming foreign classes."""

from __future__ import annotations

import base64
import contextlib
import threading
import tracemalloc
from enum import IntEnum

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire import errors
from tagwire.core.faults import from_fault, to_builtin, to_fault
from tagwire.rpc.host.npy import from_npy, to_npy
from tagwire.rpc.wire import Codec, Handle, Member

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=20,
)


@given(VALUES)
def test_plain_values_come_back(value: object) -> None:
    codec = Codec()
    answer = codec.unpack(codec.pack(value))
    assert answer == value
    assert repr(answer) == repr(value)  # lists are lists and tuples are tuples, at any depth


@given(st.binary())
def test_any_bytes_give_a_value_or_one_error(data: bytes) -> None:
    with contextlib.suppress(errors.ProtocolError):
        Codec().unpack(data)


@given(st.integers(0, 10), st.binary())
def test_any_extension_gives_a_value_or_one_error(code: int, data: bytes) -> None:
    with contextlib.suppress(errors.ProtocolError):
        Codec().unpack(msgpack.packb(msgpack.ExtType(code, data)))


def nested(code: int, depth: int, core: bytes = b"") -> bytes:
    data = core or msgpack.packb([1])
    for _ in range(depth):
        data = msgpack.packb([msgpack.ExtType(code, data)])
    return data


@pytest.mark.parametrize("code", range(10))
def test_deep_nesting_cannot_exhaust_the_stack(code: int) -> None:
    caught: list[Exception] = []

    def unpack() -> None:  # a thread of the server has a small stack
        try:
            Codec().unpack(nested(code, 300))
        except errors.ProtocolError as error:
            caught.append(error)

    thread = threading.Thread(target=unpack)
    thread.start()
    thread.join(120)
    assert len(caught) == 1


def test_nesting_cannot_multiply_the_memory() -> None:
    tracemalloc.start()
    with pytest.raises(errors.ProtocolError, match="nested"):
        Codec().unpack(nested(1, 25, msgpack.packb(b"x" * 1_000_000)))
    assert tracemalloc.get_traced_memory()[1] < 12_000_000
    tracemalloc.stop()


def test_reasonable_nesting_is_kept() -> None:
    value: object = np.arange(100_000)
    for _ in range(5):
        value = (value, [value and 1] if isinstance(value, tuple) else 2)
    codec = Codec()
    assert repr(codec.unpack(codec.pack(value))) == repr(value)


def test_a_range_stands_for_a_list_of_bounded_length() -> None:
    codec = Codec()
    assert codec.unpack(codec.pack(range(2**20))) == range(2**20)
    for long in (range(2**20 + 1), range(-(2**62), 2**62), range(0, -(2**40), -1)):
        with pytest.raises(errors.ArgumentError, match="longer than 1048576"):
            codec.pack(long)
        content = codec.pack([long.start, long.stop, long.step])
        with pytest.raises(errors.ProtocolError, match="range longer"):
            codec.unpack(msgpack.packb(msgpack.ExtType(7, content)))


DTYPES = st.sampled_from(
    ["<i4", ">f8", "|V0", "|S0", "|O", "<U1", "<M8[s]", "|V99999999999", "(2,)i4", "i4,f8", "\ud800", ""]
)
FIELDS = st.lists(st.tuples(st.text(max_size=2), DTYPES).map(list), max_size=3)
DESCRS = DTYPES | FIELDS | st.integers(-9, 9) | st.none()
SHAPES = st.lists(st.sampled_from([0, 1, -1, -5, 2, 2**31, 2**62, 2**64 - 1]), max_size=40) | st.text() | st.none()


@given(st.sampled_from([2, 3]), DESCRS, SHAPES, st.binary(max_size=64) | st.none())
def test_absurd_arrays_give_an_array_or_one_error(code: int, descr: object, shape: object, data: bytes | None) -> None:
    content = msgpack.packb([descr, shape, data], unicode_errors="surrogatepass")
    with contextlib.suppress(errors.ProtocolError):
        value = Codec().unpack(msgpack.packb(msgpack.ExtType(code, content)))
        assert value.nbytes <= 64
        assert value.size <= 64


def test_numbers_of_any_size_travel_in_any_disguise() -> None:
    class Number(int):
        pass

    class Large(IntEnum):
        HUGE = 2**70

    codec = Codec(outgoing=lambda value: value.value)  # type: ignore[attr-defined]
    assert codec.unpack(codec.pack([Number(2**70), Large.HUGE, Number(3)])) == [2**70, 2**70, 3]


def test_an_array_of_objects_is_never_made() -> None:
    data = msgpack.packb(msgpack.ExtType(2, msgpack.packb(["|O", [1], b"\0" * 8])))
    with pytest.raises(errors.ProtocolError):
        Codec().unpack(data)


def test_handles_and_members_go_through_the_hooks() -> None:
    codec = Codec(handle=lambda handle: handle.class_name, member=lambda member: member.value)
    assert codec.unpack(codec.pack([Handle("1", "Counter"), Member("Edge", 3)])) == ["Counter", 3]


def test_subclasses_travel_as_what_they_derive_from() -> None:
    class Text(str):
        pass

    class Numbers(dict):  # type: ignore[type-arg]
        pass

    codec = Codec()
    assert codec.unpack(codec.pack([Text("a"), Numbers({"b": (1,)})])) == ["a", {"b": (1,)}]


def rebuilt(error: Exception) -> Exception:
    try:
        raise error
    except Exception as raised:
        codec = Codec()
        return from_fault(codec.unpack(codec.pack(to_fault(raised))))


OURS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize("kind", [ValueError, KeyError, OSError, ZeroDivisionError, *OURS])
def test_known_errors_arrive_as_themselves(kind: type[Exception]) -> None:
    answer = rebuilt(kind("what", 3))
    assert (type(answer), answer.args) == (kind, ("what", 3))
    assert "test_rpc_wire.py" in answer.__notes__[0]


def test_foreign_errors_arrive_as_the_builtin_they_derive_from() -> None:
    class Mine(LookupError):
        pass

    class Unknown(Exception):
        pass

    assert (type(rebuilt(Mine("gone"))), str(rebuilt(Mine("gone")))) == (LookupError, "gone")
    assert type(rebuilt(Unknown("odd"))) is errors.RemoteError
    assert "Unknown: odd" in str(to_builtin(Unknown("odd")))


def test_a_fault_cannot_name_another_class() -> None:
    fault = to_fault(ValueError("x")) | {"ours": True, "type": "annotations", "bases": ["print", "BaseException"]}
    assert type(from_fault(fault)) is errors.RemoteError


def test_arguments_that_are_not_plain_become_text() -> None:
    assert rebuilt(ValueError(object)).args == (str(object),)
    assert type(to_builtin(errors.ArgumentError("x"))) is ValueError


@pytest.mark.parametrize("array", [np.arange(6, dtype="i4").reshape(2, 3), np.array(2.5), np.zeros((0, 2), "u2")])
def test_npy(array: np.ndarray) -> None:  # type: ignore[type-arg]
    answer = from_npy(to_npy(array)["data"])
    assert (answer.dtype, answer.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(answer, array)


def npy(header: str, data: bytes = b"") -> str:
    text = header.encode().ljust(118) + b"\n"
    return base64.b64encode(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data).decode()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|V0', 'fortran_order': False, 'shape': (1099511627776,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1152921504606846976, 1152921504606846976)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1073741824,)}",
        "{'descr': '<i8', 'fortran_order': __import__('os'), 'shape': (1,)}",
        "((((((((((((((((",
    ],
)
def test_npy_headers_that_lie_are_refused(header: str) -> None:
    with pytest.raises(ValueError, match="NPY"):
        from_npy(npy(header, b"\x80\x04."))


def test_npy_refuses_pickles() -> None:
    with pytest.raises(ValueError, match="pickle"):
        to_npy(np.array([object()]))
    with pytest.raises(ValueError, match="NPY"):
        from_npy("AAAA")
