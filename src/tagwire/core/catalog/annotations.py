"""From an annotation to the catalog's type notation.

Two dialects are read: the C++ types that SWIG writes as strings (``"ArgOutCallback< int32_t,size_t >"``,
``"std::vector< int,std::allocator< int > >"``, ``"_IntVector"``), and real Python annotations, including the array
types of `tagwire.core.arrays`.
"""

from __future__ import annotations

import collections.abc
import re
import types
import typing
from dataclasses import dataclass
from enum import Enum, Flag
from os import PathLike
from typing import Annotated, Any, Literal

import numpy as np

from tagwire.core import arrays
from tagwire.core.arrays import Dimensions
from tagwire.core.catalog.names import Names


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A type in the notation of `tagwire.core.catalog.specs`; `dtype` and `ndim` belong to ``array``."""

    type: str = "any"
    dtype: str = ""
    ndim: int = 0

    @property
    def known(self) -> bool:
        """Whether it says anything."""
        return self.type != "any"


UNKNOWN = TypeInfo()

_SCALARS = {
    "void": "none",
    "None": "none",
    "bool": "bool",
    "boolean": "bool",
    "char": "str",
    "string": "str",
    "str": "str",
    "std::string": "str",
    "float": "float",
    "double": "float",
    "dict": "dict",
    # C++ enums that reach Python as plain integers.
    "Tag::Type": "int",
    "State": "int",
}

_INTEGER = re.compile(r"(unsigned )?(int|short|long|long long)|unsigned|u?int\d+_t|size_t|ptrdiff_t")

_ELEMENT_DTYPES = {"bool": "bool", "float": "float32", "double": "float64", "long long": "int64", "int": "int32"}

_VECTORS = {"Double": "float", "Float": "float", "String": "str"}


def read_annotation(annotation: object, names: Names, scope: dict[str, Any]) -> TypeInfo:
    """The type that an annotation means.

    Parameters
    ----------
    annotation
        As found in a signature: a type or a string of either dialect.
    names
        Public names of the module, to recognise its classes and enums.
    scope
        Globals of the annotated function, for strings that are Python expressions.
    """
    if not isinstance(annotation, str):
        return _python(annotation, names)
    info = UNKNOWN if names.pythonic else read_text(annotation, names)
    return info if info.known else _evaluated(annotation, names, scope)


def _evaluated(text: str, names: Names, scope: dict[str, Any]) -> TypeInfo:
    local = vars(arrays) | names.classes | names.enums
    try:
        return _python(eval(text, scope, local), names)
    except (NameError, SyntaxError, AttributeError, TypeError):
        return UNKNOWN


def read_text(text: str, names: Names) -> TypeInfo:
    """The type that a C++ type or the type field of a docstring spells; unknown when it is something else."""
    if " | " in text:
        return union([read_text(part, names) for part in text.split(" | ")])
    if re.match(r"(void|PyObject) *\*", text):
        return UNKNOWN
    text = re.sub(r"\bconst\b|&|\*$", "", text.strip()).strip()
    text = re.sub(r"^std::(?=u?int\d)", "", text)
    role = re.fullmatch(r":py:class:`(\w+)`", text)
    text = role[1] if role else text
    if text in names.enums:
        return TypeInfo("enum:" + text)
    if public := names.spelled(text):
        return TypeInfo("object:" + public)
    if text in _SCALARS:
        return TypeInfo(_SCALARS[text])
    return TypeInfo("int") if _INTEGER.fullmatch(text) else _compound(text, names)


def _compound(text: str, names: Names) -> TypeInfo:
    if array := re.fullmatch(r"ArgOutCallback< (.+?)((?:,size_t)+) >", text):
        dtype = _ELEMENT_DTYPES.get(array[1], array[1].removesuffix("_t"))
        return TypeInfo("array", dtype, array[2].count("size_t"))
    if vector := re.fullmatch(r"_([A-Z][A-Za-z]*?)((?:Vector)+)", text):
        return TypeInfo(_VECTORS.get(vector[1], "int") + "[]" * vector[2].count("Vector"))
    for pattern, suffix in ((r"std::vector< (.+),std::allocator< .+ > >", "[]"), (r"list\[(\w+)\]", "[]")):
        if nested := re.fullmatch(pattern, text):
            inner = read_text(_first_argument(nested[1]), names)
            return TypeInfo(inner.type + suffix) if inner.known else UNKNOWN
    pointer = re.fullmatch(r"std::shared_ptr< (.+) >", text)
    return read_text(pointer[1], names) if pointer else UNKNOWN


def _first_argument(text: str) -> str:
    """The first of the comma-separated template arguments in `text`."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "<") - (sign == ">")
        if sign == "," and depth == 0:
            return text[:place]
    return text


_LISTS = (
    list,
    tuple,
    set,
    frozenset,
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Set,
)


def _python(tp: Any, names: Names) -> TypeInfo:
    """The type that a Python annotation means."""
    origin, args = typing.get_origin(tp), typing.get_args(tp)
    if origin is None:
        return _plain_type(tp, names)
    if origin is Annotated:
        return _annotated(args, names)
    if origin in (typing.Union, types.UnionType):
        return union([_python(a, names) for a in args])
    if origin in _LISTS:
        return _list_of(args, names)
    return _other_generic(origin, args, names)


def _other_generic(origin: Any, args: tuple[Any, ...], names: Names) -> TypeInfo:
    if origin is Literal:
        return union([_python(type(a), names) for a in args])
    if origin is np.ndarray:
        return TypeInfo("array", _dtype_name(args))
    if origin is collections.abc.Callable:
        return TypeInfo("callback")
    return TypeInfo("dict") if origin is collections.abc.Mapping else _plain_type(origin, names)


def _annotated(args: tuple[Any, ...], names: Names) -> TypeInfo:
    info = _python(args[0], names)
    dimensions = [a.count for a in args[1:] if isinstance(a, Dimensions)]
    return TypeInfo(info.type, info.dtype, dimensions[0]) if dimensions else info


def _dtype_name(args: tuple[Any, ...]) -> str:
    scalars = typing.get_args(args[1]) if len(args) > 1 else ()
    return np.dtype(scalars[0]).name if scalars and isinstance(scalars[0], type) else ""


def _list_of(args: tuple[Any, ...], names: Names) -> TypeInfo:
    inner = union([_python(a, names) for a in args if a is not Ellipsis])
    return TypeInfo(inner.type + "[]") if inner.known and "|" not in inner.type else UNKNOWN


def _plain_type(tp: Any, names: Names) -> TypeInfo:
    if tp is None or tp is types.NoneType:
        return TypeInfo("none")
    if not isinstance(tp, type):
        supertype = getattr(tp, "__supertype__", None) or getattr(tp, "__value__", None)
        return _python(supertype, names) if supertype else UNKNOWN
    if issubclass(tp, Enum):
        return TypeInfo("enum:" + names.of_enum(tp) if names.of_enum(tp) else _scalar_name(tp))
    if record := names.of_record(tp):
        return TypeInfo("record:" + record)
    public = names.of_class(tp)
    return TypeInfo("object:" + public) if public else TypeInfo(_scalar_name(tp))


def _scalar_name(tp: type) -> str:
    """Notation of a class that is not the module's own."""
    families: dict[str, tuple[Any, ...]] = {
        "bool": (bool, np.bool_),
        "int": (int, np.integer, Flag),
        "float": (float, np.floating),
        "str": (str, PathLike),
        "dict": (dict,),
        "callback": (types.FunctionType,),
    }
    if tp in (typing.SupportsInt, typing.SupportsIndex):
        return "int"
    return next((name for name, family in families.items() if issubclass(tp, family)), "any")


def union(infos: list[TypeInfo]) -> TypeInfo:
    """One type that accepts each of several: scalars first, then lists, every one once.

    An array among lists says nothing new (lists are accepted as arrays), so it is dropped there.
    """
    parts = list(dict.fromkeys(part for info in infos for part in info.type.split("|")))
    if any(p.endswith("[]") for p in parts):
        parts = [p for p in parts if p != "array"]
    if not parts or "any" in parts:
        return UNKNOWN
    if parts == ["array"]:
        return infos[0]
    return TypeInfo("|".join(sorted(parts, key=lambda p: (p == "none", p.count("[]")))))
