"""What talks to the network never imports what could turn bytes into code, and never evaluates anything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tagwire

PACKAGES = ("rpc", "network", "security", "discovery", "frames")
"""`core` is not among them: it evaluates annotations, those of the module that is served, before any client comes."""

UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "runpy", "code", "subprocess", "pty"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}

root = Path(tagwire.__file__).parent
sources = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def names(node: ast.AST) -> set[str]:
    """Modules that a statement imports, and functions that an expression calls by their bare names."""
    match node:
        case ast.Import():
            return {alias.name.partition(".")[0] for alias in node.names} & UNSAFE_MODULES
        case ast.ImportFrom():
            return {(node.module or "").partition(".")[0]} & UNSAFE_MODULES
        case ast.Call(func=ast.Name(id=name)):
            return {name} & UNSAFE_CALLS
    return set()


def unsafe(source: str) -> set[str]:
    return {name for node in ast.walk(ast.parse(source)) for name in names(node)}


@pytest.mark.parametrize("path", sources, ids=lambda path: str(path.relative_to(root)))
def test_nothing_received_can_be_executed(path: Path) -> None:
    assert unsafe(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "source", ["import pickle", "from marshal import loads", "def f(): eval('1')", "import code.x"]
)
def test_the_check_sees(source: str) -> None:
    assert unsafe(source)
