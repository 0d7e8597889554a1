"""Which classes the public members of an object mention in their annotations."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def public_names(source: object) -> list[str]:
    """Public members of an object, class or module, sorted, the merely annotated ones of a class included.

    Of a module: those of ``__all__``, else what it defines itself. What it imported from elsewhere is not its own.
    """
    if isinstance(source, ModuleType):
        listed = getattr(source, "__all__", None)
        return sorted(listed if listed is not None else (n for n, v in vars(source).items() if _defined(v, source)))
    cls = source if isinstance(source, type) else type(source)
    annotated = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
    own = set() if isinstance(source, type) else set(getattr(source, "__dict__", ()))
    return sorted(name for name in set(dir(cls)) | annotated | own if is_public(name))


def is_public(name: str) -> bool:
    """Whether a member may be offered; names that begin with ``tagwire_`` say how to serve the object."""
    return not name.startswith(("_", "tagwire_"))


def mentioned(source: object) -> Iterator[type]:
    """Classes in annotations of the public members of `source`, and the classes of its public attributes' values."""
    cls = source if isinstance(source, type | ModuleType) else type(source)
    yield from _in_hints(cls)
    for name in public_names(source):
        value = inspect.getattr_static(cls, name, None)
        if isinstance(value, type):
            yield value
        function = getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", value)
        if callable(function) and not isinstance(function, type):
            yield from _in_hints(function)
    if not isinstance(source, type):
        yield from (type(value) for name, value in attributes(source).items() if is_public(name))


def attributes(source: object) -> dict[str, Any]:
    """What an object, or a module, holds itself: not what its class defines."""
    return dict(getattr(source, "__dict__", {}))


def _in_hints(annotated: Any) -> Iterator[type]:
    try:
        hints = typing.get_type_hints(annotated)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return  # an annotation for a type checker only, or no annotation at all
    for hint in hints.values():
        yield from _inside(hint)


def _inside(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and not typing.get_args(hint):
        yield hint
    for part in typing.get_args(hint):
        yield from _inside(part)


def _defined(value: object, module: ModuleType) -> bool:
    if isinstance(value, ModuleType):
        return False
    made = isinstance(value, functools.partial) or not (callable(value) or isinstance(value, type))
    return made or getattr(value, "__module__", "") == module.__name__
