"""What a class is for, decided by its structure: never by a list of names."""

from __future__ import annotations

from tagwire.core.catalog.names import Names
from tagwire.core.catalog.specs import Kind, MethodSpec

_USER_CODE = ("next_impl_cs", "Log")
_CHANNEL_GETTERS = ("getChannel", "getChannels", "getChannelAbove")


def classify(cls: type, constructor: MethodSpec | None, names: Names) -> Kind:
    """Kind of a class.

    Parameters
    ----------
    cls
        The class.
    constructor
        Its constructor, or None when it cannot be created by calling it.
    names
        Public names of the module; ``TimeTaggerBase`` and ``IteratorBase`` among them are the roots.
    """
    if any(hasattr(cls, method) for method in _USER_CODE):
        return Kind.LOCAL
    if constructor is None:
        return _not_callable(cls, names)
    if _below(cls, "TimeTaggerBase", names):
        return Kind.TAGGER
    on_tagger = any(p.type == "object:TimeTaggerBase" for p in constructor.params)
    if on_tagger or _below(cls, "IteratorBase", names):
        return _on_tagger(cls)
    return _on_its_own(constructor)


def _on_tagger(cls: type) -> Kind:
    if hasattr(cls, "registerMeasurement"):
        return Kind.GROUP
    return Kind.VIRTUAL if any(hasattr(cls, getter) for getter in _CHANNEL_GETTERS) else Kind.MEASUREMENT


def _on_its_own(constructor: MethodSpec) -> Kind:
    if not constructor.params:
        return Kind.DATA
    return Kind.READER if any(p.file == "read" for p in constructor.params) else Kind.VALUE


def _not_callable(cls: type, names: Names) -> Kind:
    """A tagger comes from a create function, a base class has subclasses, and the rest is handed out by methods."""
    if has_subclasses(cls, names):
        return Kind.BASE
    return Kind.TAGGER if _below(cls, "TimeTaggerBase", names) else Kind.DATA


def has_subclasses(cls: type, names: Names) -> bool:
    """Whether another public class is derived from `cls`."""
    return any(other is not cls and issubclass(other, cls) for other in names.classes.values())


def _below(cls: type, root: str, names: Names) -> bool:
    base = names.classes.get(root)
    return base is not None and cls is not base and issubclass(cls, base)
