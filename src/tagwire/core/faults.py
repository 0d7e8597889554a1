"""Errors on the way from server to client.

Only what a client can know crosses as itself: builtin exceptions and the classes of `tagwire.errors`. Any other
exception arrives as the nearest builtin that it derives from, its own name in the message. No class is ever looked up
by a name from the wire anywhere else.
"""

from __future__ import annotations

import builtins
import traceback
from typing import Any

from tagwire import errors

_JSON = (str, int, float, bool, type(None))
_PLAIN = (*_JSON, bytes)


def to_fault(error: Exception) -> dict[str, Any]:
    """Plain description of `error`, its traceback included."""
    return {
        "type": type(error).__name__,
        "ours": type(error).__module__ == errors.__name__,
        "bases": [base.__name__ for base in _builtin_bases(type(error))],
        "args": _plain_args(error),
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
    }


def from_fault(fault: dict[str, Any]) -> Exception:
    """The error that `fault` describes, the server's traceback attached as a note."""
    error = _rebuild(fault)
    error.add_note("Traceback of the server:\n" + str(fault["traceback"]))
    return error


def to_builtin(error: Exception) -> Exception:
    """An exception of a builtin type that says the same as `error`: plain Pyro clients know no others."""
    kinds = _builtin_bases(type(error))
    if kinds[0] is type(error) and all(type(arg) in _JSON for arg in error.args):
        return kinds[0](*error.args)
    named = isinstance(error, errors.TagwireError) or kinds[0] is not Exception
    message = str(error) if named else f"{type(error).__name__}: {error}"
    return next(made for made in (_try_make(kind, [message]) for kind in kinds) if made is not None)


def _builtin_bases(kind: type[BaseException]) -> list[type[Exception]]:
    return [c for c in kind.__mro__ if c.__module__ == "builtins" and issubclass(c, Exception)]


def _plain_args(error: Exception) -> list[Any]:
    return [arg if type(arg) in _PLAIN else str(arg) for arg in error.args]


def _rebuild(fault: dict[str, Any]) -> Exception:
    name, message = str(fault["type"]), str(fault["message"])
    if fault["ours"]:
        ours = getattr(errors, name, None)
        if isinstance(ours, type) and issubclass(ours, errors.TagwireError):
            return _make(ours, fault["args"], message)
    nearest = next((kind for kind in map(_builtin, fault["bases"]) if kind is not None), Exception)
    if nearest.__name__ == name:
        return _make(nearest, fault["args"], message)
    if nearest is Exception:
        return errors.RemoteError(f"{name}: {message}")
    return _make(nearest, [message], message)


def _builtin(name: str) -> type[Exception] | None:
    kind = getattr(builtins, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def _make(kind: type[Exception], args: list[Any], message: str) -> Exception:
    return _try_make(kind, args) or RuntimeError(message)


def _try_make(kind: type[Exception], args: list[Any]) -> Exception | None:
    try:
        return kind(*args)
    except TypeError:  # a constructor with a signature of its own, such as UnicodeDecodeError
        return None
