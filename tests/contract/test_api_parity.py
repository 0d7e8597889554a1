"""What we have of the vendor's API is exactly the vendor's: names, order, defaults, results, enums, constants.

The vendor's module is read through the same catalog as ours. Prints which share of it exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

import pytest

from tagwire import TimeTagger
from tagwire.core.catalog import Catalog, ClassSpec, MethodSpec, ParamSpec, read_catalog
from tagwire.engine.left_out import LEFT_OUT
from tagwire.TimeTagger import createTimeTagger

wheel = pytest.importorskip("Swabian.TimeTagger", reason="the vendor's wheel is not installed")

VENDOR = read_catalog(wheel)
OURS = read_catalog(TimeTagger)

LIGHTS = ("Dark", "Diffusion", "Emitter", "Fluorescence", "Pairs", "Poisson", "Thermal")
LABORATORY = ("Clock", "Reference", "SharedPairs")
MANY = ("setServerPatience", "getServerPatience", "getServerStandings", "getClockOffsets")

SERVING = (
    "startServer",
    "stopServer",
    "isServerRunning",
    "setServerAddress",
    "getServerAddress",
    "getConnectedClients",
)

OUR_OWN = (
    {f"TimeTagger.simulate{what}" for what in (*LIGHTS, *LABORATORY)}
    | {f"TimeTaggerVirtual.{name}" for name in SERVING}
    | {f"TimeTaggerNetwork.{name}" for name in MANY}
)
"""What the vendor's library does not have."""


def functions(catalog: Catalog) -> dict[str, MethodSpec]:
    return {f.name: f for f in catalog.functions}


def constructors(catalog: Catalog) -> dict[str, MethodSpec | None]:
    return {c.name: c.constructor for c in catalog.classes}


def methods(catalog: Catalog) -> dict[str, MethodSpec]:
    return {f"{c.name}.{m.name}": m for c in catalog.classes for m in c.methods}


def properties(catalog: Catalog) -> dict[str, str]:
    return {f"{c.name}.{p.name}": p.type for c in catalog.classes for p in c.properties}


def calls() -> Iterator[tuple[str, MethodSpec, MethodSpec]]:
    """Every call that both have: name, ours, the vendor's."""
    for kind in (functions, constructors, methods):
        theirs = kind(VENDOR)
        for name, call in kind(OURS).items():
            other = theirs.get(name)
            if call is not None and other is not None:
                yield name, call, other


CALLS = {name: (ours, theirs) for name, ours, theirs in calls()}


def parameter_fault(ours: ParamSpec | None, theirs: ParamSpec | None) -> str:
    """What differs between two parameters, or empty."""
    if ours is None or theirs is None:
        return f"{ours or theirs} on one side only"
    if (ours.name, ours.required) != (theirs.name, theirs.required):
        return f"{ours.name} (required {ours.required}) is {theirs.name} (required {theirs.required})"
    if theirs.default_known and (ours.default, type(ours.default)) != (theirs.default, type(theirs.default)):
        return f"{ours.name} is {ours.default!r} instead of {theirs.default!r} by default"
    if "any" not in (ours.type, theirs.type) and not accepts(ours.type, theirs.type):
        return f"{ours.name} takes {ours.type} instead of {theirs.type}"
    return ""


def accepts(ours: str, theirs: str) -> bool:
    """Whether what the vendor accepts is accepted by us, which may be more."""
    return set(theirs.split("|")) <= set(ours.split("|"))


@pytest.mark.parametrize("name", CALLS)
def test_parameters(name: str) -> None:
    ours, theirs = CALLS[name]
    faults = [parameter_fault(a, b) for a, b in zip_longest(ours.params, theirs.params)]
    assert not any(faults), [f for f in faults if f]
    assert (ours.waits, ours.static) == (theirs.waits, theirs.static)


@pytest.mark.parametrize("name", CALLS)
def test_results(name: str) -> None:
    ours, theirs = CALLS[name][0].result, CALLS[name][1].result
    if theirs.type != "any":
        assert (ours.type, ours.dtype, ours.ndim) == (theirs.type, theirs.dtype, theirs.ndim)


@pytest.mark.parametrize("ours", OURS.classes, ids=lambda c: c.name)
def test_classes(ours: ClassSpec) -> None:
    theirs = VENDOR.class_by_name.get(ours.name)
    assert theirs is not None, "the vendor has no such class"
    assert ours.kind == theirs.kind
    assert (ours.constructor is None) == (theirs.constructor is None)
    assert set(ours.bases) == set(theirs.bases) & set(OURS.class_by_name)
    assert (ours.context, ours.constants) == (theirs.context, theirs.constants)


def test_properties() -> None:
    theirs = properties(VENDOR)
    assert {name: theirs.get(name) for name in properties(OURS)} == properties(OURS)


def test_nothing_is_ours_alone_but_what_is_listed() -> None:
    own = {
        name
        for kind in (functions, constructors, methods, properties)
        for name in kind(OURS).keys() - kind(VENDOR).keys()
    }
    assert own == OUR_OWN


def test_enums_are_complete_and_equal() -> None:
    assert {e.name: (e.base, e.members) for e in OURS.enums} == {e.name: (e.base, e.members) for e in VENDOR.enums}


def test_constants_are_complete_and_equal() -> None:
    assert dict(OURS.constants) == dict(VENDOR.constants)


def absent() -> set[str]:
    """Everything public of the vendor's that we do not have, by its own name."""
    return {
        name.rpartition(".")[2]
        for kind in (functions, constructors, methods, properties)
        for name in kind(VENDOR).keys() - kind(OURS).keys()
        if "." not in name or name.partition(".")[0] not in LEFT_OUT
    } | (set(VENDOR.class_by_name) - set(OURS.class_by_name))


def test_all_of_the_vendors_api_is_here_but_what_the_table_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert absent() - set(LEFT_OUT) == set()
    rows = []
    for title, kind in (("classes", constructors), ("methods", methods), ("functions", functions)):
        have, there = kind(OURS).keys() & kind(VENDOR).keys(), kind(VENDOR).keys()
        rows.append(f"{len(have)} of {len(there)} {title}")
    with capsys.disabled():
        print(f"\nof the vendor's API there are {', '.join(rows)}, and {len(LEFT_OUT)} names left out with a reason")


def test_the_table_leaves_out_only_what_is_absent() -> None:
    assert set(LEFT_OUT) - absent() == set()


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_says_why(name: str) -> None:
    with createTimeTagger() as tagger:
        for owner in (TimeTagger, tagger):
            with pytest.raises(AttributeError, match=re.escape(LEFT_OUT[name])):
                getattr(owner, name)
