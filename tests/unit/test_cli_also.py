"""``--also``: what it names, and what it says about what it cannot serve."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tagwire.cli.also import Also, load, load_all, parse
from tagwire.errors import ArgumentError


@pytest.mark.parametrize(
    ("text", "also"),
    [
        ("my_lab.py:stage", Also("stage", "my_lab.py", "stage")),
        ("my_lab.py:lab.stage", Also("stage", "my_lab.py", "lab.stage")),
        ("C:\\lab\\my_lab.py:stage", Also("stage", "C:\\lab\\my_lab.py", "stage")),
        ("my_lab=folder=1/my_lab.py", Also("my_lab", "folder=1/my_lab.py", "")),
        ("piezo=my_lab.py:stage", Also("piezo", "my_lab.py", "stage")),
        ("package.module:stage", Also("stage", "package.module", "stage")),
        ("package.module", Also("module", "package.module", "")),
        ("lab=package.module", Also("lab", "package.module", "")),
    ],
)
def test_what_is_named(text: str, also: Also) -> None:
    assert parse(text) == also


@pytest.mark.parametrize("text", ["", "my_lab.py:", ":stage", "=my_lab.py:stage"])
def test_what_names_nothing(text: str) -> None:
    with pytest.raises(ArgumentError, match="names nothing"):
        parse(text)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "also_neighbour.py").write_text("SPEED = 3\n", encoding="utf-8")
    file = tmp_path / "also_lab.py"
    file.write_text(
        "import also_neighbour\n"
        "class Stage:\n    def __init__(self): self.speed = also_neighbour.SPEED\n"
        "stage, other = Stage(), Stage()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "also_lab", raising=False)
    monkeypatch.delitem(sys.modules, "also_neighbour", raising=False)
    return file


def test_a_file_is_run_once_and_finds_its_neighbours(file: Path) -> None:
    loaded = load_all((f"{file}:stage", f"second={file}:other", f"all={file}"))
    assert list(loaded) == ["stage", "second", "all"]
    module = loaded["all"]
    assert isinstance(module, ModuleType)
    assert (loaded["stage"], loaded["second"]) == (module.stage, module.other)
    assert module.stage.speed == 3


def test_a_module_by_its_name() -> None:
    assert load(parse("json")) is sys.modules["json"]
    assert load(parse("tagwire.errors:TagwireError.__doc__")) == sys.modules["tagwire.errors"].TagwireError.__doc__


def test_what_cannot_be_served(file: Path) -> None:
    with pytest.raises(ArgumentError, match=r"'Stage' in .* is a class; name an object made by it"):
        load(parse(f"{file}:Stage"))
    with pytest.raises(ArgumentError, match="'dumps' in json is a function"):
        load(parse("json:dumps"))
    with pytest.raises(ArgumentError, match=r"there is no 'stag' in .*also_lab\.py"):
        load(parse(f"{file}:stag"))
    with pytest.raises(ArgumentError, match=r"there is no file .*nothing\.py"):
        load(parse(f"{file.parent / 'nothing.py'}:stage"))
    with pytest.raises(ArgumentError, match="there is no module 'also_nothing'"):
        load(parse("also_nothing:stage"))
    with pytest.raises(ArgumentError, match="two objects are called 'stage'"):
        load_all((f"{file}:stage", f"stage={file}:other"))
