"""What objects of a class can tell of themselves, by its description: new data, an end, overflows, settings."""

from __future__ import annotations

from tagwire.core.catalog import ClassSpec, Kind, MethodSpec
from tagwire.core.catalog.effects import changes_instrument, is_instrument
from tagwire.errors import ArgumentError, NotSupported

_GETTERS = ("get", "is", "has")


def is_method(spec: ClassSpec, value: str) -> bool:
    """Whether `value` is a getter of the class that can be watched; False when it is a property.

    Raises
    ------
    ArgumentError
        (ValueError) The class has neither of that name; the message says which getters there are.
    NotSupported
        (RuntimeError) The getter needs arguments, waits, gives live objects, or changes something.
    """
    if any(p.name == value for p in spec.properties):
        return False
    method = next((m for m in spec.methods if m.name == value), None)
    if method is None or not value.startswith(_GETTERS):
        known = ", ".join(m.name for m in spec.methods if m.name.startswith(_GETTERS) and _watchable(spec, m))
        raise ArgumentError(f"value is {value!r}, but must be a getter of {spec.name}: {known}")
    if not _watchable(spec, method):
        raise NotSupported(f"{spec.name}.{value} cannot be watched: it needs arguments, waits, or gives live objects")
    return True


def can_finish(spec: ClassSpec) -> bool:
    """Whether objects of the class run and come to an end."""
    return any(m.name == "isRunning" for m in spec.methods) and not is_instrument(spec)


def can_overflow(spec: ClassSpec) -> bool:
    """Whether objects of the class count overflows."""
    of_the_api = is_instrument(spec) and spec.kind is not Kind.INSTRUMENT
    return of_the_api and any(m.name == "getOverflows" for m in spec.methods)


def has_settings(spec: ClassSpec) -> bool:
    """Whether objects of the class have settings that others may change."""
    return is_instrument(spec)


def can_update(spec: ClassSpec) -> bool:
    """Whether objects of the class have data that may change."""
    lasting = spec.kind not in (Kind.DATA, Kind.VALUE, Kind.READER, Kind.LOCAL)
    return lasting and any(m.name.startswith(_GETTERS) and _watchable(spec, m) for m in spec.methods)


def _watchable(spec: ClassSpec, method: MethodSpec) -> bool:
    needs = any(p.required and not p.variadic for p in method.params)
    return not (needs or method.waits or method.result.live or changes_instrument(spec, method))
