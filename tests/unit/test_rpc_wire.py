"""Bytes that make no sense end as one error, and faults describe errors without naming foreign classes."""

from __future__ import annotations

import contextlib

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire import errors
from tagwire.rpc.faults import from_fault, to_builtin, to_fault
from tagwire.rpc.npy import from_npy, to_npy
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


def test_npy_refuses_pickles() -> None:
    with pytest.raises(ValueError, match="pickle"):
        to_npy(np.array([object()]))
    with pytest.raises(ValueError, match=r"NPY|magic|EOF|allow_pickle"):
        from_npy("AAAA")
