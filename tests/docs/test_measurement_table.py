"""docs/measurements.md has every class of the API, and what it says of results is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tagwire import TimeTagger
from tagwire.core.catalog import read_catalog

DOCUMENT = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text(encoding="utf-8")

CLASSES = read_catalog(TimeTagger).class_by_name

ROWS = {line.split("`")[1]: line for line in DOCUMENT.splitlines() if line.startswith("| `")}


def test_every_class_has_its_row() -> None:
    missing = sorted(set(CLASSES) - set(ROWS))
    assert not missing, f"add a row to docs/measurements.md for {', '.join(missing)}"
    gone = sorted(set(ROWS) - set(CLASSES))
    assert not gone, f"docs/measurements.md has what the API does not: {', '.join(gone)}"


def test_no_class_has_two_rows() -> None:
    assert len(ROWS) == sum(line.startswith("| `") for line in DOCUMENT.splitlines())


@pytest.mark.parametrize("name", [name for name in ROWS if name in CLASSES])
def test_results_are_as_the_row_says(name: str) -> None:
    results = {m.name: m.result for m in CLASSES[name].methods}
    for method, dtype, ndim in re.findall(r"`(get\w+)` (u?int\d+|float\d+) (\d)-D", ROWS[name]):
        assert (results[method].dtype, results[method].ndim) == (dtype, int(ndim)), f"{name}.{method}"


@pytest.mark.parametrize("name", [name for name, c in CLASSES.items() if c.kind in {"measurement", "data"}])
def test_no_array_of_data_is_left_out(name: str) -> None:
    arrays = {m.name for m in CLASSES[name].methods if m.name in {"getData", "getCounts"} and m.result.dtype}
    named = set(re.findall(r"`(get\w+)`", ROWS.get(name, "")))
    assert arrays <= named, f"the row of {name} does not say what {arrays - named} gives"


def test_names_in_prose_exist() -> None:
    members = {m.name for c in CLASSES.values() for m in c.methods}
    named = set(re.findall(r"`(?:tagger\.)?(get\w+|simulate\w+)`", DOCUMENT))
    assert named <= members
    assert len(named) > 30


@pytest.mark.parametrize("name", CLASSES)
def test_a_client_finds_every_class_method_and_property_explained(name: str) -> None:
    described = CLASSES[name]
    assert described.doc
    assert not [method.name for method in described.methods if not method.doc]
    assert not [p.name for p in described.properties if not p.doc and not re.search(rf"\b{p.name}\b", described.doc)]
