"""What `tagwire serve --also` names: another Python object or module, to be served beside the Time Tagger."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from tagwire.errors import ArgumentError

HELP = "Serve another Python object or module too: FILE.py:OBJECT, PACKAGE.MODULE:OBJECT or a module; NAME=... renames."


class Also(NamedTuple):
    """A named object, not loaded yet: `source` is a file or the name of a module, `path` leads to the object in it."""

    name: str
    source: str
    path: str


def parse(text: str) -> Also:
    """``[NAME=]FILE.py[:OBJECT]`` or ``[NAME=]PACKAGE.MODULE[:OBJECT]``; by default the last name of all is used.

    Raises
    ------
    ArgumentError
        (ValueError) Something is missing.
    """
    name, equals, target = text.partition("=") if re.match(r"\w*=", text) else ("", "", text)
    split = re.fullmatch(r"(?P<source>.+?\.py|[^:]+)(:(?P<path>.*))?", target)
    if (equals and not name) or not split or split["path"] == "":
        raise ArgumentError(
            f"{text!r} names nothing: write FILE.py:OBJECT or PACKAGE.MODULE:OBJECT, or NAME= before it"
        )
    source, path = split["source"], split["path"] or ""
    last = path.rpartition(".")[2] or (Path(source).stem if source.endswith(".py") else source.rpartition(".")[2])
    return Also(name or last, source, path)


def load(also: Also) -> object:
    """The object itself; its module is imported, so its code runs.

    Raises
    ------
    ArgumentError
        (ValueError) There is no such file, module or object, or it is a class or function.
    """
    module = _from_file(Path(also.source)) if also.source.endswith(".py") else _from_name(also.source)
    try:
        found: object = reduce(getattr, also.path.split("."), module) if also.path else module
    except AttributeError as error:
        raise ArgumentError(f"there is no {also.path!r} in {also.source}: {error}") from error
    if isinstance(found, type) or inspect.isroutine(found):
        kind = "class" if isinstance(found, type) else "function"
        raise ArgumentError(f"{also.path!r} in {also.source} is a {kind}; name an object made by it, or the module")
    return found


def load_all(texts: tuple[str, ...]) -> dict[str, object]:
    """Objects by name; `ArgumentError` also when two have the same."""
    named = [parse(text) for text in texts]
    for place, also in enumerate(named):
        if also.name in [other.name for other in named[:place]]:
            raise ArgumentError(f"two objects are called {also.name!r}; rename one: NAME={also.source}:{also.path}")
    return {also.name: load(also) for also in named}


def _from_file(file: Path) -> ModuleType:
    """Run a file as a module that may import its neighbours, as Python runs a script."""
    if not file.is_file():
        raise ArgumentError(f"there is no file {file}")
    folder, name = str(file.resolve().parent), file.stem
    known = sys.modules.get(name)
    if known is not None and _is_file(known, file):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or known is not None:
        raise ArgumentError(f"{file} cannot be imported as {name!r}: Python knows another module of that name")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_file(module: ModuleType, file: Path) -> bool:
    path = getattr(module, "__file__", None)
    return path is not None and Path(path).resolve() == file.resolve()


def _from_name(name: str) -> ModuleType:
    """Import a module, of the current folder too."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise  # something that the module itself needs
        raise ArgumentError(f"there is no module {name!r}; for a file write {name}.py") from error
