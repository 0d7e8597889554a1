"""The stubs are fresh, and what the generator writes for each kind of thing."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tagwire.core.catalog import (
    Catalog,
    ClassSpec,
    EnumSpec,
    Kind,
    MethodSpec,
    ParamSpec,
    PropertySpec,
    ResultSpec,
)
from tagwire.rpc.stubs import api_stub, merged, module_stub

ROOT = Path(__file__).parents[2]


def test_checked_in_stubs_are_fresh() -> None:
    if importlib.util.find_spec("Swabian") is None:
        pytest.skip("the stubs are made from the vendor's wheel, which is not installed")
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("the stubs are formatted with ruff, which is not installed")
    command = [sys.executable, str(ROOT / "tools" / "make_stubs.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def own_names(tree: ast.Module) -> dict[str, str]:
    """Public functions of a module and public methods of its public classes, with their arguments."""
    owners = {"": tree.body} | {n.name: n.body for n in tree.body if isinstance(n, ast.ClassDef)}
    return {
        f"{owner}.{node.name}": ast.unparse(node.args)
        for owner, body in owners.items()
        for node in body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def test_the_module_stub_has_what_the_module_itself_defines() -> None:
    folder = ROOT / "src" / "tagwire" / "rpc" / "client"
    written = own_names(ast.parse((folder / "module.py").read_text(encoding="utf-8")))
    stubbed = own_names(ast.parse((folder / "module.pyi").read_text(encoding="utf-8")))
    assert written == {name: stubbed.get(name) for name in written}


BASE = ClassSpec("Base", Kind.BASE, methods=(MethodSpec("clear", owner="Base"),), context=True)
THING = ClassSpec(
    "Thing",
    Kind.MEASUREMENT,
    ("Base",),
    constructor=MethodSpec(
        "Thing",
        (
            ParamSpec("base", "object:Base"),
            ParamSpec("channels", "int|int[]"),
            ParamSpec("groups", "int[][]"),
            ParamSpec("colour", "enum:Colour", False, 0, True),
            ParamSpec("gate", "object:Thing", False, None, True),
        ),
        ResultSpec("object:Thing"),
    ),
    methods=(
        MethodSpec("clear", owner="Base"),
        MethodSpec("getData", result=ResultSpec("array", "int32", 2), owner="Thing"),
        MethodSpec("all", result=ResultSpec("object:Base[][]"), static=True, owner="Thing"),
        MethodSpec("listen", (ParamSpec("callback", "callback"),), owner="Thing"),
    ),
    properties=(PropertySpec("size", "int"), PropertySpec("state", "enum:Colour", True)),
    constants=(("LIMIT", 5),),
    context=True,
)
CATALOG = Catalog(
    "library",
    "1",
    classes=(BASE, ClassSpec("Own", Kind.LOCAL), ClassSpec("Space.Inner", Kind.VIRTUAL, ("Base",)), THING),
    functions=(
        MethodSpec("make", (ParamSpec("name", "str|str[]", False),), ResultSpec("object:Thing")),
        MethodSpec("setLogger", (ParamSpec("callback", "callback"),)),
    ),
    enums=(EnumSpec("Colour", "IntEnum", (("Red", 0),)),),
    constants=(("UNUSED", -1),),
    namespaces=("Space",),
)


def classes(text: str) -> dict[str, list[str]]:
    """Bodies of the classes in a stub, a normalised line for every statement."""
    nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef)]
    return {ast.unparse(n).splitlines()[0]: [ast.unparse(s) for s in n.body] for n in nodes}


def test_class_stub() -> None:
    assert classes(api_stub(CATALOG))["class Thing(Base):"] == [
        "LIMIT: ClassVar[int]",
        "@property\ndef size(self) -> int:\n    ...",
        "state: Colour",
        "def __init__(self, base: Base, channels: IntLike | IntsLike, groups: Sequence[IntsLike], "
        "colour: Colour | int=..., gate: Thing | None=...) -> None:\n    ...",
        "def getData(self) -> NDArray[np.int32]:\n    ...",
        "@staticmethod\ndef all() -> tuple[tuple[Base, ...], ...]:\n    ...",
        "def on_update(self, interval_s: FloatLike, callback: Callable[[Any], object] | None=..., *, value: str=...) "
        "-> Subscription[Any]:\n    ...",
    ]


def test_enums_namespaces_and_local_classes() -> None:
    found = classes(api_stub(CATALOG))
    assert found["class Colour(IntEnum):"] == ["Red = 0"]
    assert "class Inner(Base):" in found
    assert "class Space:" in found
    assert not any("Own" in head for head in found)


def test_module_stub() -> None:
    [body] = classes(module_stub(CATALOG)).values()
    assert "def close(self) -> None:\n    ..." in body
    assert "UNUSED: int" in body
    assert "Thing: type[api.Thing]" in body
    assert "Space: type[api.Space]" in body
    assert "Colour: type[api.Colour]" in body
    assert "def make(self, name: str | Sequence[str]=...) -> api.Thing:\n    ..." in body
    assert "def setLogger(self, callback: Callable[[int, str], object] | None) -> None:\n    ..." in body
    assert not any("Own" in line for line in body)


def test_merging_adds_what_only_the_second_has() -> None:
    more = ClassSpec(
        "Thing",
        Kind.MEASUREMENT,
        methods=(MethodSpec("clear", owner="Thing"), MethodSpec("simulate", owner="_Hidden")),
        properties=(PropertySpec("model", "str"),),
    )
    second = Catalog(
        "ours",
        "2",
        classes=(more, ClassSpec("Extra", Kind.DATA)),
        functions=(MethodSpec("make"), MethodSpec("warmup")),
        constants=(("UNUSED", 5), ("NEW", 1)),
    )
    both = merged(CATALOG, second)
    thing = both.class_by_name["Thing"]
    assert [(m.name, m.owner) for m in thing.methods][-1] == ("simulate", "Thing")
    assert [m.owner for m in thing.methods if m.name == "clear"] == ["Base"]
    assert [p.name for p in thing.properties] == ["size", "state", "model"]
    assert "Extra" in both.class_by_name
    assert [f.name for f in both.functions] == ["make", "setLogger", "warmup"]
    assert both.function_by_name["make"].params
    assert both.constants == (("NEW", 1), ("UNUSED", -1))
    assert both.library == "library"
