"""The two dialects of docstrings and annotations, and what the words about a parameter tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from os import PathLike
from typing import Annotated, Any, Literal, NewType, SupportsInt

import numpy as np
import pytest
from numpy.typing import NDArray

from tagwire.core.arrays import Dimensions, Float64Array2D
from tagwire.core.catalog.annotations import TypeInfo, read_annotation, union
from tagwire.core.catalog.calls import read_call
from tagwire.core.catalog.docstrings import read_docstring
from tagwire.core.catalog.meaning import default_text, read_default, read_file_role, read_unit
from tagwire.core.catalog.names import Names


class Colour(IntEnum):
    Red = 0
    Blue = 2


class Lamp:
    pass


class Inner:
    pass


Picoseconds = NewType("Picoseconds", int)

NAMES = Names(
    classes={"Lamp": Lamp, "Space.Lamp2": type("Space_Lamp2", (), {})},
    enums={"Colour": Colour},
    constants={"UNUSED": -1},
)


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("int", "int"),
        ("long long", "int"),
        ("unsigned int", "int"),
        ("std::uint32_t", "int"),
        ("size_t const", "int"),
        ("double", "float"),
        ("boolean", "bool"),
        ("void", "none"),
        ("std::string const &", "str"),
        ("_IntVector", "int[]"),
        ("_IntVectorVector", "int[][]"),
        ("_DoubleVector", "float[]"),
        ("_StringVector", "str[]"),
        ("std::vector< int,std::allocator< int > > const &", "int[]"),
        ("std::vector< std::string,std::allocator< std::string > >", "str[]"),
        (
            "std::vector< std::vector< int,std::allocator< int > >,"
            "std::allocator< std::vector< int,std::allocator< int > > > >",
            "int[][]",
        ),
        ("std::vector< std::shared_ptr< Lamp >,std::allocator< std::shared_ptr< Lamp > > >", "object:Lamp[]"),
        ("Lamp *", "object:Lamp"),
        (":py:class:`Lamp`", "object:Lamp"),
        ("Space_Lamp2", "object:Space.Lamp2"),
        ("Colour const", "enum:Colour"),
        ("list[Lamp]", "object:Lamp[]"),
        ("void *", "any"),
        ("PyObject *", "any"),
        ("Unheard< of >", "any"),
    ],
)
def test_wrapper_types(text: str, type_: str) -> None:
    assert read_annotation(text, NAMES, {}).type == type_


@pytest.mark.parametrize(
    ("text", "dtype", "ndim"),
    [
        ("ArgOutCallback< int32_t,size_t,size_t >", "int32", 2),
        ("ArgOutCallback< long long,size_t >", "int64", 1),
        ("ArgOutCallback< double,size_t,size_t,size_t >", "float64", 3),
        ("ArgOutCallback< float,size_t >", "float32", 1),
        ("ArgOutCallback< bool,size_t >", "bool", 1),
        ("ArgOutCallback< uint8_t,size_t >", "uint8", 1),
    ],
)
def test_wrapper_arrays(text: str, dtype: str, ndim: int) -> None:
    assert read_annotation(text, NAMES, {}) == TypeInfo("array", dtype, ndim)


@pytest.mark.parametrize(
    ("annotation", "type_"),
    [
        (int, "int"),
        (np.int64, "int"),
        (SupportsInt, "int"),
        (Picoseconds, "int"),
        (np.float32, "float"),
        (bool, "bool"),
        (None, "none"),
        (str | PathLike[str], "str"),
        (dict[str, Any], "dict"),
        (Mapping[str, int], "dict"),
        (Callable[[int], None], "callback"),
        (Literal["a", "b"], "str"),
        (Colour, "enum:Colour"),
        (Lamp, "object:Lamp"),
        (Lamp | None, "object:Lamp|none"),
        (int | Sequence[int], "int|int[]"),
        (Sequence[int] | int, "int|int[]"),
        (Sequence[int] | NDArray[np.int32], "int[]"),
        (tuple[int, int], "int[]"),
        (tuple[float, ...], "float[]"),
        (Iterable[Sequence[int]], "int[][]"),
        (list[Lamp], "object:Lamp[]"),
        (Annotated[int, "some words"], "int"),
        (Inner, "any"),
        (Any, "any"),
        (int | Inner, "any"),
        (list[int | str], "any"),
    ],
)
def test_python_annotations(annotation: Any, type_: str) -> None:
    assert read_annotation(annotation, NAMES, {}).type == type_


def test_python_arrays() -> None:
    assert read_annotation(Float64Array2D, NAMES, {}) == TypeInfo("array", "float64", 2)
    assert read_annotation(Annotated[NDArray[np.uint16], Dimensions(1)], NAMES, {}) == TypeInfo("array", "uint16", 1)
    assert read_annotation("Float64Array2D", NAMES, {}) == TypeInfo("array", "float64", 2)
    assert read_annotation("NDArray[np.int8]", NAMES, {"NDArray": NDArray, "np": np}) == TypeInfo("array", "int8")


def test_names_that_exist_only_for_type_checkers_are_unknown() -> None:
    assert read_annotation("OnlyForCheckers | None", NAMES, {}).type == "any"


def test_union_keeps_each_type_once() -> None:
    assert union([TypeInfo("str[]"), TypeInfo("str"), TypeInfo("str")]).type == "str|str[]"
    assert not union([TypeInfo("int"), TypeInfo()]).known


WRAPPED = """
    What it does,
    in two lines.

    :type first_one: int, optional
    :param first_one:  Words that
        go on (default: 5).
    :type lamps: std::vector< Lamp >
    :param lamps: List of lamps.
    :rtype: boolean
    :return: Whether
        it works.
    Notes: what comes after the fields is prose again.
"""


def test_fields() -> None:
    [docs] = read_docstring(WRAPPED)
    assert docs.text == "What it does,\nin two lines.\n\nNotes: what comes after the fields is prose again."
    assert [(p.name, p.type, p.optional, p.doc) for p in docs.params] == [
        ("first_one", "int", True, "Words that go on (default: 5)."),
        ("lamps", "std::vector< Lamp >", False, "List of lamps."),
    ]
    assert (docs.returns, docs.returns_type) == ("Whether it works.", "boolean")


def test_overloads() -> None:
    text = "*Overload 1:*\n\nOne.\n\n:type a: int\n:param a: The a.\n\n|\n\n*Overload 2:*\n\nTwo.\n\n:type b: string\n"
    first, second = read_docstring(text)
    assert (first.text, first.params[0].name, second.text, second.params[0].type) == ("One.", "a", "Two.", "string")


def test_signature_lines() -> None:
    empty, full = read_docstring("f(self) -> X\nf(self, a, b=2) -> X")
    assert empty.params == []
    assert [(p.name, p.optional, p.doc) for p in full.params] == [("a", False, ""), ("b", True, "(default: 2)")]


def test_numpydoc() -> None:
    [docs] = read_docstring("""Short.

    Parameters
    ----------
    a, b : int, optional
        Both.
    c
        In
        two lines.

    Returns
    -------
    int
        The sum.

    Raises
    ------
    ValueError
        Never.
    """)
    assert docs.text == "Short.\n\nRaises\n------\nValueError\n    Never."
    assert [(p.name, p.type, p.optional, p.doc) for p in docs.params] == [
        ("a", "int", True, "Both."),
        ("b", "int", True, "Both."),
        ("c", "", False, "In two lines."),
    ]
    assert docs.returns == "The sum."


@pytest.mark.parametrize("text", [None, "", "   \n  "])
def test_no_docstring(text: str | None) -> None:
    [docs] = read_docstring(text)
    assert (docs.text, docs.params) == ("", [])


@pytest.mark.parametrize(
    ("doc", "type_", "value"),
    [
        ("Width (default: 1000).", "int", 1000),
        ("Width (default: 1e9).", "int", 10**9),
        ("Default: 10E6, for 10 MHz.", "float", 10e6),
        ("Default is 0.", "int", 0),
        ("Default is 0.5.", "float", 0.5),
        ("Default is 1 s, so that", "int", 10**12),
        ("Offset (default: -1)", "int", -1),
        ("Frequency (default: 0.0 Hz)", "float", 0.0),
        ("Flag (default: *False*, i.e. off)", "bool", False),
        ("Flag. (default: *True)*", "bool", True),
        ("Not used (optional, default: 'UNUSED').", "int", -1),
        ("Hue (default: `Colour::Blue`).", "enum:Colour", 2),
        ("Hue. The default is `Colour.Blue`.", "enum:Colour", 2),
        ("Name (default: empty).", "str", ""),
        ('Name (default: "").', "str", ""),
        ("Default is an empty string which", "str", None),
        ("Size (default: ~1 GByte).", "int", None),
        ("Half (default: 0.5).", "int", None),
        ("default is mixed traffic.", "bool", None),
        ("No word of it.", "int", None),
    ],
)
def test_defaults(doc: str, type_: str, value: object) -> None:
    got = read_default(doc, type_, NAMES)
    assert got == (value, value is not None)
    assert type(got[0]) is type(value)


def test_default_text_is_cut_at_punctuation() -> None:
    assert default_text("(default: 5, in most cases)") == "5"
    assert default_text("the current default") == ""


@pytest.mark.parametrize(
    ("name", "type_", "doc", "unit"),
    [
        ("x", "int", "Time in picoseconds.", "ps"),
        ("x", "int", "Width in ps (default: 3 ms)", "ps"),
        ("x", "int", "Longest wait in milliseconds.", "ms"),
        ("x", "float", "Constant in seconds.", "s"),
        ("x", "float", "Drift in sqrt(Hz), or sqrt(s).", ""),
        ("x", "float", "Rate in Hz.", "Hz"),
        ("x", "float", "Level in Volts.", "V"),
        ("x", "int", "Hysteresis in mV.", "mV"),
        ("offset_ppm", "float", "", "ppm"),
        ("binwidth", "int", "", "ps"),
        ("deadtime", "float", "", ""),
        ("exponent", "float", "Exponent 10^x in seconds.", ""),
        ("n", "int", "Number of bins in ps.", ""),
        ("text", "str", "in ps", ""),
        ("channel", "int", "Some channel.", ""),
    ],
)
def test_units(name: str, type_: str, doc: str, unit: str) -> None:
    assert read_unit(name, type_, doc) == unit


@pytest.mark.parametrize(
    ("name", "type_", "doc", "role"),
    [
        ("filename", "str", "File to read.", "read"),
        ("filename", "str", "Name of the output file.", "write"),
        ("new_filename", "str", "", "write"),
        ("output_filename", "str", "", "write"),
        ("input_filenames", "str[]", "Files that will be merged.", "read"),
        ("filenames", "str|str[]", "", "read"),
        ("folder", "str", "", "read"),
        ("max_file_size", "int", "Size of the file.", ""),
        ("marker", "str", "Text for the file.", ""),
    ],
)
def test_files(name: str, type_: str, doc: str, role: str) -> None:
    assert read_file_role(name, type_, doc) == role


def test_arguments_that_nothing_describes_are_variadic() -> None:
    def anything(*args: Any, **kwargs: Any) -> None: ...

    [param] = read_call(anything, "anything", NAMES).params
    assert (param.name, param.variadic, param.required) == ("args", True, False)


def test_overloads_become_one_parameter_list() -> None:
    def wrapped(*args: Any) -> None:
        """
        *Overload 1:*

        :type lamp: int
        :type hue: int

        *Overload 2:*

        :type lamps: std::vector< int,std::allocator< int > >
        """

    lamp, hue = read_call(wrapped, "wrapped", NAMES).params
    assert (lamp.name, lamp.type, lamp.required) == ("lamp", "int|int[]", True)
    assert (hue.name, hue.required) == ("hue", False)
