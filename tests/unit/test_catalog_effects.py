"""Which calls change the instrument, for every method of the vendor's library and of ours."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from tagwire.core.catalog import Catalog, ClassSpec, Kind, MethodSpec, ParamSpec, read_catalog
from tagwire.core.catalog.effects import changes_instrument, is_instrument, reaches_out, writes_file

_MODULES = ["tagwire.TimeTagger"]
if importlib.util.find_spec("Swabian") is not None:
    _MODULES.append("Swabian.TimeTagger")

_NO_READERS = {"getOverflowsAndClear", "getOverflowsAndClearClient"}
"""They read and, in the same breath, take the count from everybody else."""

_READERS_OF_OTHER_NAMES = {"isChannelRegistered", "isConnected", "isServerRunning", "isUnusedChannel", "sync"} | {
    "waitForCompletion", "waitForFence", "waitUntilFinished", "xtra_getAutoStart", "xtra_getAuxOut",
    "xtra_getAuxOutSignalFrequency", "xtra_getAvgRisingFalling", "xtra_getClockAutoSelect", "xtra_getClockSource",
    "xtra_getHighPrioChannel",
}  # fmt: skip

_FUNCTIONS_THAT_CHANGE = {
    "addUsageStatisticsFrontendData", "setFrontend", "setLogger", "setTimeTaggerChannelNumberScheme",
    "setUsageStatisticsStatus",
}  # fmt: skip


@pytest.fixture(scope="module", params=_MODULES)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return read_catalog(importlib.import_module(request.param))


def test_the_instruments_are_the_taggers_and_what_stands_for_them(catalog: Catalog) -> None:
    expected = {c.name for c in catalog.classes if c.name.startswith("TimeTagger")}
    assert {c.name for c in catalog.classes if is_instrument(c)} == expected
    assert {"TimeTagger", "TimeTaggerBase", "TimeTaggerVirtual"} <= expected


def test_every_method_of_an_instrument(catalog: Catalog) -> None:
    for spec in filter(is_instrument, catalog.classes):
        for method in spec.methods:
            getter = method.name.startswith("get") and method.name not in _NO_READERS
            reads = getter or method.name in _READERS_OF_OTHER_NAMES
            assert changes_instrument(spec, method) is not reads, f"{spec.name}.{method.name}"


def test_what_the_caller_made_is_its_own(catalog: Catalog) -> None:
    own = [c for c in catalog.classes if not is_instrument(c)]
    assert {Kind.MEASUREMENT, Kind.VIRTUAL, Kind.GROUP, Kind.DATA, Kind.VALUE, Kind.READER} <= {c.kind for c in own}
    assert not [(c.name, m.name) for c in own for m in c.methods if changes_instrument(c, m)]


def test_functions(catalog: Catalog) -> None:
    changing = {f.name for f in catalog.functions if changes_instrument(None, f)}
    assert changing == _FUNCTIONS_THAT_CHANGE & set(catalog.function_by_name)
    assert {"setFrontend", "setLogger"} <= changing
    constructors = [c.constructor for c in catalog.classes if c.constructor]
    assert not [c.name for c in constructors if changes_instrument(None, c)]


def test_functions_that_reach_out(catalog: Catalog) -> None:
    reaching = {f.name for f in catalog.functions if reaches_out(f)}
    known = {"createTimeTaggerNetwork", "getTimeTaggerServerInfo", "scanTimeTaggerServers"}
    assert reaching == known & set(catalog.function_by_name)
    assert "createTimeTaggerNetwork" in reaching


def test_a_method_that_nobody_knows_is_taken_to_change_the_instrument() -> None:
    spec = ClassSpec("Tagger", Kind.TAGGER)
    for name in ("getaway", "issue", "synchronize", "frobnicate", "xtra_getter", "readout"):
        assert changes_instrument(spec, MethodSpec(name)), name
    for name in ("get", "getX", "get_x", "isOn", "has_x", "read_all"):
        assert not changes_instrument(spec, MethodSpec(name)), name


def test_files_that_are_written() -> None:
    method = MethodSpec("dump", (ParamSpec("tagger"), ParamSpec("filename", "str", required=False, file="write")))
    assert writes_file(method, [1, "x"], {})
    assert writes_file(method, [1], {"filename": "x"})
    assert not writes_file(method, [1], {})
    assert not writes_file(method, [1, ""], {})
    assert not writes_file(MethodSpec("read", (ParamSpec("filename", "str", file="read"),)), ["x"], {})
