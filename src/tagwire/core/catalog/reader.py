"""Read a whole API module into a `Catalog`."""

from __future__ import annotations

import inspect
from types import ModuleType

from tagwire.core.catalog.calls import read_call
from tagwire.core.catalog.classes import read_class
from tagwire.core.catalog.enums import read_enum
from tagwire.core.catalog.hidden import HIDDEN
from tagwire.core.catalog.names import read_names
from tagwire.core.catalog.specs import Catalog, HiddenSpec


def read_catalog(module: ModuleType) -> Catalog:
    """Describe everything that a module with the Time Tagger API offers.

    Parameters
    ----------
    module
        The vendor's module, or ours. Its public names are those of ``__all__`` where it has one, else all without
        a leading underscore. Nothing is called but ``getVersion()``.

    Returns
    -------
    Catalog
        Equal for equal modules: names are sorted.
    """
    names = read_names(module)
    # Reading the classes also notes what was hidden in them.
    classes = tuple(read_class(name, cls, names) for name, cls in names.classes.items())
    return Catalog(
        library=module.__name__,
        version=str(module.getVersion()) if "getVersion" in names.functions else "",
        doc=inspect.cleandoc(module.__doc__ or ""),
        classes=tuple(sorted(classes, key=lambda c: c.name)),
        functions=tuple(read_call(function, name, names) for name, function in sorted(names.functions.items())),
        enums=tuple(read_enum(name, enum) for name, enum in sorted(names.enums.items())),
        constants=tuple(sorted(names.constants.items())),
        namespaces=tuple(names.namespaces),
        hidden=tuple(HiddenSpec(row, HIDDEN[row]) for row in sorted(names.hidden)),
    )
