"""Reading an annotated Python module with numpydoc docstrings, as our own API module is one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
import pytest

from tagwire.core.arrays import Float64Array1D, Int32Array2D, Int64Array1D
from tagwire.core.catalog import (
    Catalog,
    ClassSpec,
    Kind,
    MethodSpec,
    ParamSpec,
    PropertySpec,
    ResultSpec,
    from_plain,
    read_catalog,
    to_plain,
)
from tagwire.errors import ProtocolError


class Edge(IntFlag):
    """Edges."""

    All = 0
    Rising = 1
    RisingAgain = 1
    Both = 3


class Start(IntEnum):
    """How to begin."""

    Closed = 0
    Open = 1


class _Settings:
    """Shared settings, not public by itself."""

    def setInputDelay(self, channel: int, delay: int) -> None:
        """Delay a channel.

        Parameters
        ----------
        channel
            Number of the channel.
        delay
            Delay in ps.
        """


class TimeTaggerBase(_Settings):
    """Any Time Tagger."""

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - class is abstract")

    def sync(self, timeout: int = -1) -> bool:
        """Wait for the device.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative waits for ever.

        Returns
        -------
        bool
            True when in step.
        """
        return timeout < 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None: ...


class TimeTagger(TimeTaggerBase):
    """A Time Tagger."""

    def __init__(self, source: _Settings) -> None: ...

    def getConfiguration(self) -> dict[str, Any]:
        """All settings."""
        return {}


class IteratorBase:
    """Base of all that reads the stream."""

    def __init__(self, tagger: TimeTaggerBase, channels: Sequence[int]) -> None:
        if type(self) is IteratorBase:
            raise AttributeError("No constructor defined - class is abstract")

    def _process(self) -> None:
        """Not public."""


class Counts(IteratorBase):
    """Counts clicks.

    Parameters
    ----------
    tagger
        Time Tagger.
    channels
        Channels to count.
    binwidth
        Width of a bin in ps.
    edge, start
        How to look at them.

    Notes
    -----
    Written for this test.
    """

    LIMIT = 65535

    def __init__(
        self,
        tagger: TimeTaggerBase,
        channels: Sequence[int] | np.ndarray[Any, np.dtype[np.int32]],
        binwidth: int = 1000,
        edge: Edge = Edge.All,
        start: Start = Start.Open,
    ) -> None: ...

    def getData(self, rolling: bool = True) -> Int32Array2D:
        """The counts."""
        raise NotImplementedError

    def getIndex(self) -> Int64Array1D:
        """The bins, in ps."""
        raise NotImplementedError

    def getDataObject(self) -> CountsData:
        """All at once."""
        raise NotImplementedError

    @staticmethod
    def describe(mode: Literal["short", "long"] = "short") -> tuple[str, ...]:
        """Words."""
        return (mode,)

    @property
    def ready(self) -> bool:
        """Whether it is complete."""
        return True

    @property
    def width(self) -> int:
        """Can be set."""
        return 1

    @width.setter
    def width(self, value: int) -> None: ...


@dataclass(frozen=True)
class CountsData:
    """A snapshot."""

    counts: Int32Array2D
    size: int

    @functools.cached_property
    def rates(self) -> Float64Array1D:
        """In Hz."""
        raise NotImplementedError


class Virtual(IteratorBase):
    """Makes tags."""

    def __init__(self, tagger: TimeTaggerBase, groups: Sequence[Sequence[int]]) -> None: ...

    def getChannel(self) -> int:
        """Its channel."""
        return 1001


class Group:
    """Steers measurements."""

    def __init__(self, tagger: TimeTaggerBase) -> None: ...

    def registerMeasurement(self, measurement: IteratorBase) -> None:
        """Add one."""


class Reader:
    """Reads files."""

    def __init__(self, filenames: str | Sequence[str]) -> None:
        """Open.

        Parameters
        ----------
        filenames
            Files to read.
        """


class Gate:
    """When to look."""

    def __init__(self, opens: int, closes: int, initial: Start = Start.Closed) -> None: ...


class Space:
    """Holds classes."""

    class Inner:
        """Stands in a namespace."""

        def __init__(self, tagger: TimeTaggerBase, rate: float = 1e3) -> None: ...

        def getChannel(self) -> int:
            """Its channel."""
            return 1


def createTimeTagger(serial: str = "", gate: Gate | None = None) -> TimeTagger:
    """Open a Time Tagger.

    Parameters
    ----------
    serial : str, optional
        Serial number.
    gate : Gate, optional
        Not used.

    Returns
    -------
    TimeTagger
        The open one.

    Raises
    ------
    RuntimeError
        There is none.
    """
    raise RuntimeError(serial)


def setLogger(callback: Callable[[int, str], None]) -> None:
    """Say where messages go."""


def writeAll(output_filename: str, channels: Sequence[int] = ()) -> int | None:
    """Write."""
    return len(channels) or None


def getVersion() -> str:
    """Version."""
    return "1.2.3"


PUBLIC = (
    Edge,
    Start,
    TimeTaggerBase,
    TimeTagger,
    IteratorBase,
    Counts,
    CountsData,
    Virtual,
    Group,
    Reader,
    Gate,
    Space,
    createTimeTagger,
    setLogger,
    writeAll,
    getVersion,
)


@pytest.fixture(scope="module")
def module() -> ModuleType:
    made = ModuleType("handmade", "A module made by hand.")
    for value in PUBLIC:
        setattr(made, value.__name__, value)
    made.CHANNEL_UNUSED = -134217728  # type: ignore[attr-defined]
    made.np = np  # type: ignore[attr-defined]
    made.helper = getVersion  # type: ignore[attr-defined]
    made.__all__ = [*(v.__name__ for v in PUBLIC), "CHANNEL_UNUSED"]  # type: ignore[attr-defined]
    return made


@pytest.fixture(scope="module")
def catalog(module: ModuleType) -> Catalog:
    return read_catalog(module)


def method(spec: ClassSpec, name: str) -> MethodSpec:
    return next(m for m in spec.methods if m.name == name)


def test_only_the_names_of_all_are_read(module: ModuleType, catalog: Catalog) -> None:
    assert "helper" not in catalog.function_by_name
    del module.__all__
    assert "helper" in read_catalog(module).function_by_name
    assert "np" not in dict(read_catalog(module).constants)


def test_kinds(catalog: Catalog) -> None:
    assert {c.name: c.kind.value for c in catalog.classes} == {
        "Counts": "measurement",
        "CountsData": "data",
        "Gate": "value",
        "Group": "group",
        "IteratorBase": "base",
        "Reader": "reader",
        "Space.Inner": "virtual",
        "TimeTagger": "tagger",
        "TimeTaggerBase": "base",
        "Virtual": "virtual",
    }
    assert catalog.namespaces == ("Space",)
    assert catalog.constants == (("CHANNEL_UNUSED", -134217728),)
    assert (catalog.library, catalog.version, catalog.doc) == ("handmade", "1.2.3", "A module made by hand.")


def test_constructor_reads_annotations_and_the_class_docstring(catalog: Catalog) -> None:
    counts = catalog.class_by_name["Counts"]
    assert counts.constructor is not None
    assert counts.constructor.params == (
        ParamSpec("tagger", "object:TimeTaggerBase", doc="Time Tagger."),
        ParamSpec("channels", "int[]", doc="Channels to count."),
        ParamSpec("binwidth", "int", False, 1000, True, "ps", "Width of a bin in ps."),
        ParamSpec("edge", "enum:Edge", False, 0, True, doc="How to look at them."),
        ParamSpec("start", "enum:Start", False, 1, True, doc="How to look at them."),
    )
    assert counts.constructor.result == ResultSpec("object:Counts")
    assert counts.doc == "Counts clicks.\n\nNotes\n-----\nWritten for this test."
    assert counts.constants == (("LIMIT", 65535),)
    assert counts.bases == ("IteratorBase",)


def test_classes_that_users_cannot_make_have_no_constructor(catalog: Catalog) -> None:
    without = {c.name for c in catalog.classes if c.constructor is None}
    assert without == {"TimeTagger", "TimeTaggerBase", "IteratorBase", "CountsData"}


def test_results(catalog: Catalog) -> None:
    counts = catalog.class_by_name["Counts"]
    assert method(counts, "getData").result == ResultSpec("array", "int32", 2)
    assert method(counts, "getDataObject").result.live == "CountsData"
    assert method(counts, "describe").result.type == "str[]"
    assert method(counts, "describe").static
    assert method(catalog.class_by_name["TimeTagger"], "getConfiguration").result.type == "dict"
    assert catalog.function_by_name["writeAll"].result.type == "int|none"


def test_properties(catalog: Catalog) -> None:
    assert catalog.class_by_name["Counts"].properties == (
        PropertySpec("ready", "bool", False, "Whether it is complete."),
        PropertySpec("width", "int", True, "Can be set."),
    )
    assert [(p.name, p.type, p.writable) for p in catalog.class_by_name["CountsData"].properties] == [
        ("counts", "array", False),
        ("rates", "array", False),
        ("size", "int", False),
    ]


def test_members_of_a_private_base_belong_to_the_public_class(catalog: Catalog) -> None:
    tagger = catalog.class_by_name["TimeTagger"]
    delay = method(tagger, "setInputDelay")
    assert delay.owner == "TimeTaggerBase"
    assert delay.params[1] == ParamSpec("delay", "int", unit="ps", doc="Delay in ps.")
    assert tagger.bases == ("TimeTaggerBase",)
    assert tagger.context


def test_waiting_calls_are_marked(catalog: Catalog) -> None:
    sync = method(catalog.class_by_name["TimeTagger"], "sync")
    assert sync.waits
    assert (sync.params[0].unit, sync.result.type, sync.result.doc) == ("ms", "bool", "True when in step.")
    assert not method(catalog.class_by_name["Counts"], "getData").waits


def test_functions(catalog: Catalog) -> None:
    create = catalog.function_by_name["createTimeTagger"]
    assert create.params == (
        ParamSpec("serial", "str", False, "", True, doc="Serial number."),
        ParamSpec("gate", "object:Gate", False, None, True, doc="Not used."),
    )
    assert create.result == ResultSpec("object:TimeTagger", doc="The open one.")
    assert create.doc == "Open a Time Tagger.\n\nRaises\n------\nRuntimeError\n    There is none."
    assert catalog.function_by_name["setLogger"].params[0].type == "callback"
    write = catalog.function_by_name["writeAll"]
    assert write.params == (
        ParamSpec("output_filename", "str", file="write"),
        ParamSpec("channels", "int[]", False),
    )


def test_files_and_nested_lists(catalog: Catalog) -> None:
    reader, virtual = catalog.class_by_name["Reader"].constructor, catalog.class_by_name["Virtual"].constructor
    assert reader is not None
    assert virtual is not None
    assert (reader.params[0].type, reader.params[0].file) == ("str|str[]", "read")
    assert virtual.params[1].type == "int[][]"


def test_enums_keep_every_name(catalog: Catalog) -> None:
    edge = catalog.enum_by_name["Edge"]
    assert edge.members == (("All", 0), ("Rising", 1), ("RisingAgain", 1), ("Both", 3))
    assert (edge.base, edge.doc) == ("IntFlag", "Edges.")


def test_plain_data_round_trip(catalog: Catalog) -> None:
    assert from_plain(to_plain(catalog)) == catalog


def test_plain_data_keeps_defaults_that_compare_equal() -> None:
    params = tuple(ParamSpec(f"p{i}", default=v) for i, v in enumerate((False, 0, 0.0, "", None, True, 1)))
    catalog = Catalog("library", "1", functions=(MethodSpec("f", params),), constants=(("A", True), ("B", 1)))
    back = from_plain(to_plain(catalog))
    assert [repr(p.default) for p in back.functions[0].params] == [repr(p.default) for p in params]
    assert repr(back.constants) == repr(catalog.constants)


def test_plain_data_of_a_newer_version_is_read() -> None:
    plain = to_plain(Catalog("library", "1", classes=(ClassSpec("C", Kind.DATA),)))
    plain["mood"] = "good"
    plain["classes"][0]["colour"] = "blue"
    assert from_plain(plain).class_by_name["C"].kind is Kind.DATA


@pytest.mark.parametrize("plain", [{}, {"methods": [], "classes": [{}]}, {"methods": 1, "classes": 2}, [], None])
def test_what_is_no_catalog_is_refused(plain: Any) -> None:
    with pytest.raises(ProtocolError, match="not a catalog"):
        from_plain(plain)
