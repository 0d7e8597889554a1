"""The public names of an API module, sorted into classes, enums, functions, constants and namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType
from typing import Any

from tagwire.core.catalog.hidden import hidden_by
from tagwire.core.catalog.specs import MethodSpec, Plain


@dataclass(frozen=True)
class Names:
    """What a module publishes.

    Attributes
    ----------
    classes, enums, functions, constants
        By public name; classes of a namespace are dotted (``Experimental.PhotonGenerator``).
    namespaces
        Classes that only hold other classes.
    records
        Classes of values that are nothing but their fields.
    hidden
        Rows of the table of hidden names that left something out.
    methods
        Methods read so far, by the class that defines them: most classes inherit the greater part of theirs.
    pythonic
        Whether annotations are Python's own, so that ``"State"`` is a class of that name and no C++ type.
    """

    classes: dict[str, type] = field(default_factory=dict)
    enums: dict[str, type[Enum]] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    constants: dict[str, Plain] = field(default_factory=dict)
    namespaces: list[str] = field(default_factory=list)
    records: dict[str, type] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    methods: dict[tuple[type, str], MethodSpec] = field(default_factory=dict)
    pythonic: bool = False

    def of_class(self, cls: object) -> str:
        """Public name of a class, or empty when it is not public."""
        return next((name for name, known in self.classes.items() if known is cls), "")

    def of_enum(self, cls: object) -> str:
        """Public name of an enum, or empty when it is not public."""
        return next((name for name, known in self.enums.items() if known is cls), "")

    def of_record(self, cls: object) -> str:
        """Public name of a record, or empty when it is not public."""
        return next((name for name, known in self.records.items() if known is cls), "")

    def spelled(self, text: str) -> str:
        """Public name of the class that an annotation spells `text`: dotted, flattened or by its bare name."""
        if text in self.classes:
            return text
        return next((name for name, cls in self.classes.items() if text in (cls.__name__, name.replace(".", "_"))), "")


def read_names(module: ModuleType) -> Names:
    """Sort the public names of `module`: those of ``__all__``, else all without a leading underscore."""
    names = Names()
    for name, value in _public(module):
        if row := hidden_by(name):
            names.hidden.add(row)
        elif isinstance(value, type) and _is_namespace(value):
            names.namespaces.append(name)
            names.classes.update({f"{name}.{n}": v for n, v in sorted(vars(value).items()) if isinstance(v, type)})
        else:
            _sort(names, name, value)
    _drop_flattened(names)
    return names


def _public(module: ModuleType) -> Iterator[tuple[str, object]]:
    listed = getattr(module, "__all__", None)
    for name in sorted(dir(module) if listed is None else listed):
        value = getattr(module, name)
        if not name.startswith("_") and not isinstance(value, ModuleType):
            yield name, value


def _is_namespace(cls: type) -> bool:
    members = [v for n, v in vars(cls).items() if not n.startswith("__")]
    return bool(members) and "__init__" not in vars(cls) and all(isinstance(v, type) for v in members)


def _sort(names: Names, name: str, value: object) -> None:
    if isinstance(value, type) and issubclass(value, Enum):
        names.enums[name] = value
    elif isinstance(value, type):
        names.classes[name] = value
    elif isinstance(value, int | float | str):
        names.constants[name] = value
    elif callable(value):
        names.functions[name] = value


def _drop_flattened(names: Names) -> None:
    """Keep ``Experimental.X`` where an older wheel shows ``Experimental_X`` too."""
    for dotted in [n for n in names.classes if "." in n]:
        names.classes.pop(dotted.replace(".", "_"), None)
