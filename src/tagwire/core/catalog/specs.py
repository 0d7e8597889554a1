"""Frozen descriptions of an API module.

Type notation, used for parameters, results and properties alike:

=====================  =================================================================
``int`` ``float``      numbers; an ``int`` also accepts integral floats and NumPy integers
``bool`` ``str``       as in Python
``dict``               a JSON object
``int[]`` ``float[]``  a list of numbers; results of this type arrive as tuples
``str[]`` ``int[][]``  likewise, nested as written
``array``              a NumPy array; `ResultSpec` has data type and dimensions
``enum:Name``          a member of the enum ``Name`` of the same module (its integer is accepted too)
``object:Name``        an instance of the class ``Name`` (or of a subclass); as a result: a live object
``object:Name[]``      a list of them, nested as written (``TimeTaggerNetwork.getServers``, ``Scope.getData``)
``record:Name``        a value of the record class ``Name``, made of its fields
``callback``           a Python callable; exists only where the caller is
``none``               no result
``any``                not known
=====================  =================================================================

A parameter that accepts several types joins them with ``|``: ``str|str[]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal

Plain = int | float | str | bool | None
"""A value that a default or a constant may have."""


class Kind(StrEnum):
    """What a class of the API is for."""

    TAGGER = "tagger"
    """A Time Tagger object: measurements are created on it, and it has to be freed."""
    MEASUREMENT = "measurement"
    """Folds tags into a result."""
    VIRTUAL = "virtual"
    """Adds tags on channels of its own: has ``getChannel`` or ``getChannels``."""
    GROUP = "group"
    """Steers several measurements together (SynchronizedMeasurements)."""
    DATA = "data"
    """A snapshot or state object that methods return; at most it can be made empty."""
    VALUE = "value"
    """Made by the user and passed on (ChannelGate, Tag); has a constructor that takes no tagger."""
    READER = "reader"
    """Reads files (FileReader)."""
    BASE = "base"
    """Abstract; only for isinstance and subclassing."""
    INSTRUMENT = "instrument"
    """No part of the API: another object or module that the server offers beside it, or a class of it."""
    LOCAL = "local"
    """Runs the user's own code (CustomMeasurement, CustomLogger): makes sense only in the caller's process."""


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One parameter of a call.

    Attributes
    ----------
    name, type, doc
        Name, type in the module's notation, and what it means.
    required
        Whether the call fails without it.
    default
        Value used when it is left out; `None` also when the library does not say (then `default_known` is False).
    default_known
        Whether `default` is what the library really uses.
    unit
        ``"ps"``, ``"s"``, ``"ms"``, ``"Hz"``, ``"V"``, ``"mV"``, ``"ppm"``, ``"%"``, or empty.
    file
        ``"read"`` or ``"write"`` when the value names files, else empty.
    variadic
        Takes all remaining positional arguments (``*args`` that the docstring does not resolve).
    """

    name: str
    type: str = "any"
    required: bool = True
    default: Plain = None
    default_known: bool = False
    unit: str = ""
    doc: str = ""
    file: Literal["", "read", "write"] = ""
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class ResultSpec:
    """What a call gives back; `dtype` (as ``numpy.dtype.name``) and `ndim` are set for ``array``."""

    type: str = "none"
    dtype: str = ""
    ndim: int = 0
    doc: str = ""

    @property
    def live(self) -> str:
        """Name of the class when the result is a live object or a list of them, else empty."""
        return self.type.removeprefix("object:").rstrip("[]") if self.type.startswith("object:") else ""


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A function, method or constructor.

    Attributes
    ----------
    waits
        May block until something happens: has a ``timeout`` in ms of which negative means for ever.
    static
        Called on the class.
    owner
        Class that defines it (methods), else empty.
    """

    name: str
    params: tuple[ParamSpec, ...] = ()
    result: ResultSpec = ResultSpec()
    doc: str = ""
    waits: bool = False
    static: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PropertySpec:
    """An attribute of an object."""

    name: str
    type: str = "any"
    writable: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """A class of the API.

    Attributes
    ----------
    name
        As reached from the module; members of a namespace are dotted (``Experimental.PhotonGenerator``).
    bases
        All public base classes of the same module, nearest first.
    constructor
        `None` for a class that cannot be created by calling it.
    methods, properties
        All public ones, inherited ones included; `MethodSpec.owner` tells where from.
    constants
        Plain class attributes (``Tag.Type_TimeTag``).
    context
        Whether it works in a ``with`` statement.
    """

    name: str
    kind: Kind
    bases: tuple[str, ...] = ()
    doc: str = ""
    constructor: MethodSpec | None = None
    methods: tuple[MethodSpec, ...] = ()
    properties: tuple[PropertySpec, ...] = ()
    constants: tuple[tuple[str, Plain], ...] = ()
    context: bool = False


@dataclass(frozen=True, slots=True)
class EnumSpec:
    """An enum; `members` includes zero-valued and composite ones.

    `base` is ``IntEnum`` or ``IntFlag``; of instruments beside the API also ``StrEnum`` or ``Enum``.
    """

    name: str
    base: str
    members: tuple[tuple[str, int | float | str], ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """A class of values that are nothing but their fields; `base` is ``dataclass`` or ``tuple``."""

    name: str
    base: str
    fields: tuple[str, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class HiddenSpec:
    """A public name that is deliberately not offered, and why.

    Methods are dotted: ``TimeTagger.factoryAccess``; ``*.thisown`` stands for a member of every class.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Catalog:
    """Everything that a module offers.

    Attributes
    ----------
    library, version
        Name of the module and its ``getVersion()``.
    namespaces
        Names of classes that only hold other classes (``Experimental``).
    instruments
        Names of the objects beside the API; the class of each has the same name, and what belongs to it is dotted
        (``stage.Axis``).
    records
        Classes of values that methods of instruments give.
    hidden
        What was left out, with reasons.
    """

    library: str
    version: str
    doc: str = ""
    classes: tuple[ClassSpec, ...] = ()
    functions: tuple[MethodSpec, ...] = ()
    enums: tuple[EnumSpec, ...] = ()
    constants: tuple[tuple[str, Plain], ...] = ()
    namespaces: tuple[str, ...] = ()
    hidden: tuple[HiddenSpec, ...] = field(default=())
    instruments: tuple[str, ...] = ()
    records: tuple[RecordSpec, ...] = ()

    @cached_property
    def class_by_name(self) -> dict[str, ClassSpec]:
        """Classes by their (dotted) name."""
        return {c.name: c for c in self.classes}

    @cached_property
    def function_by_name(self) -> dict[str, MethodSpec]:
        """Functions by name."""
        return {f.name: f for f in self.functions}

    @cached_property
    def enum_by_name(self) -> dict[str, EnumSpec]:
        """Enums by name."""
        return {e.name: e for e in self.enums}

    @cached_property
    def record_by_name(self) -> dict[str, RecordSpec]:
        """Records by name."""
        return {r.name: r for r in self.records}
