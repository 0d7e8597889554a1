"""Values on a ``tagwire`` connection: msgpack with extensions, so that every value arrives as what it was.

Arrays keep data type and shape, tuples stay tuples, NumPy scalars stay NumPy scalars, ranges stay ranges. A large array
goes beside the packed bytes, from its own memory. Enum members and live objects cannot travel; a `Member` or a `Handle`
goes instead, and the hooks of the `Codec` translate on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import partial
from typing import Any, NoReturn

import msgpack
import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr

from tagwire.errors import ArgumentError, ArgumentKindError, ProtocolError
from tagwire.rpc.message import ARRAYS_MAX, Octets
from tagwire.rpc.narrow import narrowed

PROTOCOL = 2
"""Version of what is said on a ``tagwire`` connection; both sides name theirs in the handshake."""

REQUEST_LIMIT = 32 * 1024 * 1024
"""Most bytes of a request; every byte of one can cost the server fifty and more once it is unpacked."""

INLINE = 16 * 1024
"""Most bytes of an array that are packed among the other values."""

VALUES_LIMIT = 4 * 1024 * 1024
"""Most bytes of a request besides its large arrays: of many small values each byte can cost the server some 70."""

CALLS_MAX = 10_000
"""Most calls of one batch."""

RANGE_LIMIT = 2**20
"""Longest range that travels: the library makes a list of it."""

_BUFFER = 1024

_TEXT = "surrogatepass"
"""File names may hold bytes that are no text; Python keeps them as lone surrogates."""

_DEPTH = 32
"""How deep extensions (tuples, above all) may be nested: each level takes some 50 kB of the thread's stack."""

_COPIES = 8
"""How often a message may be copied while it is unpacked: each level of nesting copies what is inside."""


class _Ext(IntEnum):
    """Extension codes; part of the protocol, so numbers are never given anew."""

    TUPLE = 1
    ARRAY = 2
    SCALAR = 3
    MEMBER = 4
    HANDLE = 5
    BIG_INT = 6
    RANGE = 7
    COMPLEX = 8
    BESIDE = 9
    RECORD = 10


@dataclass(frozen=True, slots=True)
class Handle:
    """Stands for a live object at the server: its id and the name of its class."""

    id: str
    class_name: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """Stands for a member of the enum `enum` of the served module."""

    enum: str
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Record:
    """Stands for a value of the class `name`, made of the values of its fields in order."""

    name: str
    values: tuple[Any, ...]


def _refuse(value: object) -> NoReturn:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise ArgumentKindError(f"a value of type {kind} cannot be sent to or from a server")


class Codec:
    """Packs and unpacks values.

    Parameters
    ----------
    outgoing
        Turns a value that msgpack does not know into one that it does (a `Handle`, a `Member`, a plain value); raises
        `ArgumentKindError` when it cannot.
    handle, member, record
        What to make of a `Handle`, `Member` or `Record` that arrives.
    """

    def __init__(
        self,
        outgoing: Callable[[object], object] = _refuse,
        handle: Callable[[Handle], object] = lambda handle: handle,
        member: Callable[[Member], object] = lambda member: member,
        record: Callable[[Record], object] = lambda record: record,
    ) -> None:
        self._outgoing = outgoing
        self._handle = handle
        self._member = member
        self._record = record

    def pack(self, value: object, beside: list[Octets] | None = None, *, narrow: bool = False) -> bytes:
        """Bytes of `value`; `ArgumentKindError` when some part of it cannot travel.

        Parameters
        ----------
        beside
            Takes the memory of large arrays, which then has to travel beside the bytes; without it they are inside.
        narrow
            Integer arrays beside the bytes may be put into a smaller type.
        """
        return _Packing(self._outgoing, beside, narrow).pack(value)

    def unpack(self, data: bytes | memoryview, beside: Sequence[Octets] = (), *, narrow: bool = False) -> Any:
        """The value of `data`; `ProtocolError` when the bytes make no sense.

        Parameters
        ----------
        beside
            The arrays that came beside the bytes; the value is made of their memory.
        narrow
            Whether the peer may have put integers into a smaller type: what arrives then takes more memory here.
        """
        try:
            return _Unpacking(self._handle, self._member, self._record, len(data), beside, narrow).value(data)
        except ProtocolError:
            raise
        except Exception as error:  # NumPy alone has a dozen kinds for a data type that makes no sense
            raise ProtocolError(f"the peer sent bytes that make no sense: {error}") from error


class _Packing:
    """One message on its way out."""

    def __init__(self, outgoing: Callable[[object], object], beside: list[Octets] | None, narrow: bool) -> None:
        self._outgoing = outgoing
        self._beside = beside
        self._narrow = narrow

    def pack(self, value: object) -> bytes:
        # `packb` would get itself a quarter of a megabyte first
        packer = msgpack.Packer(default=self._extend, strict_types=True, unicode_errors=_TEXT, buf_size=_BUFFER)
        packed: bytes = packer.pack(value)
        return packed

    def _extend(self, value: object) -> object:
        if type(value) is np.ndarray and self._goes_beside(value):
            return msgpack.ExtType(_Ext.BESIDE, self.pack(self._put_beside(value)))
        encode = _ENCODERS.get(type(value))
        if encode is not None:
            code, content = encode(value)
            return msgpack.ExtType(code, self.pack(content))
        if isinstance(value, np.generic):
            return msgpack.ExtType(_Ext.SCALAR, self.pack(_array_content(np.asarray(value))))
        if isinstance(value, np.ndarray):
            return self._extend(np.asarray(value))
        if not isinstance(value, Enum):
            for kind, to_plain in _SUBCLASSABLE.items():
                if isinstance(value, kind):
                    return self._again(to_plain(value))
        return self._again(self._outgoing(value))

    def _goes_beside(self, array: np.ndarray[Any, Any]) -> bool:
        full = self._beside is None or len(self._beside) >= ARRAYS_MAX
        return not full and array.nbytes > INLINE and not array.dtype.hasobject

    def _put_beside(self, array: np.ndarray[Any, Any]) -> list[Any]:
        assert self._beside is not None
        flat = np.ascontiguousarray(array).reshape(-1)
        small = narrowed(flat) if self._narrow else None
        sent = flat if small is None else small
        self._beside.append(sent.view(np.uint8))
        as_sent = None if small is None else _descr(small.dtype)
        return [_descr(array.dtype), list(array.shape), len(self._beside) - 1, as_sent]

    def _again(self, value: object) -> object:
        # msgpack asks once for each value, so the answer must be one that it knows
        return self._extend(value) if type(value) in _ENCODERS else value


class _Unpacking:
    """One message on its way in, with what it may cost."""

    def __init__(
        self,
        handle: Callable[[Handle], object],
        member: Callable[[Member], object],
        record: Callable[[Record], object],
        size: int,
        beside: Sequence[Octets],
        narrow: bool,
    ) -> None:
        self._handle = handle
        self._member = member
        self._record = record
        self._beside = beside
        self._narrow = narrow
        self._depth = 0
        self._bytes_left = _COPIES * max(size, 2**16)

    def value(self, data: bytes | memoryview) -> Any:
        return msgpack.unpackb(data, ext_hook=self._restore, strict_map_key=False, unicode_errors=_TEXT)

    def _restore(self, code: int, data: bytes) -> object:
        self._depth += 1
        self._bytes_left -= len(data)
        if self._depth > _DEPTH or self._bytes_left < 0:
            raise ProtocolError(f"the peer sent values that are nested too deeply; the limit is {_DEPTH} levels")
        content = self.value(data)
        self._depth -= 1
        if code == _Ext.ARRAY:
            return _array(*content)
        if code == _Ext.BESIDE:
            return self._from_beside(*content)
        if code == _Ext.HANDLE:
            return self._handle(Handle(*content))
        if code == _Ext.MEMBER:
            return self._member(Member(*content))
        if code == _Ext.RECORD:
            return self._record(Record(content[0], tuple(content[1])))
        try:
            decode = _DECODERS[code]
        except KeyError:
            raise ProtocolError(f"the peer sent a value of unknown kind {code}") from None
        return decode(content)

    def _from_beside(self, descr: Any, shape: list[int], index: int, as_sent: Any) -> np.ndarray[Any, Any]:
        dtype = _plain_dtype(descr)
        if as_sent is None:
            return np.frombuffer(self._beside[index], dtype=dtype).reshape(shape)
        if not self._narrow:
            raise ProtocolError("the peer sent an array in a smaller type, which was not agreed on")
        return np.frombuffer(self._beside[index], dtype=_plain_dtype(as_sent)).astype(dtype).reshape(shape)


def _range_content(value: range) -> list[int]:
    if value[RANGE_LIMIT:]:
        raise ArgumentError(f"{value} is longer than {RANGE_LIMIT}, the most that can be sent to a server")
    return [value.start, value.stop, value.step]


def _range(start: int, stop: int, step: int) -> range:
    if (value := range(start, stop, step))[RANGE_LIMIT:]:
        raise ProtocolError(f"the peer sent a range longer than {RANGE_LIMIT}")
    return value


def _array_content(array: np.ndarray[Any, Any]) -> list[Any]:
    if array.dtype.hasobject:
        raise ArgumentKindError("an array of Python objects cannot be sent to or from a server")
    return [_descr(array.dtype), list(array.shape), np.ascontiguousarray(array).tobytes()]


def _array(descr: Any, shape: list[int], data: bytes) -> np.ndarray[Any, Any]:
    return np.frombuffer(bytearray(data), dtype=_plain_dtype(descr)).reshape(shape)


def _descr(dtype: np.dtype[Any]) -> Any:
    return dtype.str if dtype.kind in "iufcb" else dtype_to_descr(dtype)


def _plain_dtype(descr: Any) -> np.dtype[Any]:
    if type(descr) is str and descr in _COMMON:
        return _COMMON[descr]
    dtype = descr_to_dtype(descr)
    if dtype.hasobject:
        raise ProtocolError("the peer sent an array of Python objects")
    return dtype


_COMMON = {
    np.dtype(kind).str: np.dtype(kind) for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?")
}

_ENCODERS: dict[type, Callable[[Any], tuple[int, object]]] = {
    tuple: lambda value: (_Ext.TUPLE, list(value)),
    np.ndarray: lambda value: (_Ext.ARRAY, _array_content(value)),
    Member: lambda value: (_Ext.MEMBER, [value.enum, value.value]),
    Handle: lambda value: (_Ext.HANDLE, [value.id, value.class_name]),
    Record: lambda value: (_Ext.RECORD, [value.name, list(value.values)]),
    int: lambda value: (_Ext.BIG_INT, format(value, "x")),
    range: lambda value: (_Ext.RANGE, _range_content(value)),
    complex: lambda value: (_Ext.COMPLEX, [value.real, value.imag]),
}

_SUBCLASSABLE: dict[type, Callable[[Any], object]] = {
    kind: kind for kind in (str, bytes, int, float, list, dict, tuple)
}
"""An instance of a subclass (a named tuple, an ordered dictionary) travels as what it derives from."""

_DECODERS: dict[int, Callable[[Any], object]] = {
    _Ext.TUPLE: tuple,
    _Ext.SCALAR: lambda content: _array(*content)[()],
    _Ext.BIG_INT: partial(int, base=16),
    _Ext.RANGE: lambda content: _range(*content),
    _Ext.COMPLEX: lambda content: complex(*content),
}
