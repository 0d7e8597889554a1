"""Which calls change the instrument, and which only look: decided by structure and by the verbs of the API.

What a caller makes for itself (measurements, virtual channels, snapshots) is its own and changes nothing for others.
A Time Tagger is everybody's: whatever is not known to be a reader is taken to change it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tagwire.core.catalog.specs import ClassSpec, Kind, MethodSpec

_READS = re.compile(r"(xtra_)?(get|is|has|scan|read|sync|waitFor|waitUntil)(?![a-z])")
_ALSO_CLEARS = re.compile(r"[Cc]lear")
_OTHERS_READ = re.compile(r"(get|is|has)(?![a-z])")
_FUNCTION_CHANGES = re.compile(r"(set|add|flash|update|clear|reset|enable|disable)(?![a-z])")
_SETS = re.compile(r"set(?=[A-Z_])")


def is_instrument(spec: ClassSpec) -> bool:
    """Whether objects of the class stand for an instrument that others use too.

    Time Taggers do, and what stands for one without being made by the caller (the tagger of a
    SynchronizedMeasurements, the server of a tagger): such classes have settings but no constructor. So does whatever
    a server offers beside the API.
    """
    if spec.kind in (Kind.TAGGER, Kind.INSTRUMENT):
        return True
    return spec.kind in (Kind.BASE, Kind.DATA) and any(_SETS.match(m.name) for m in spec.methods)


def changes_instrument(spec: ClassSpec | None, method: MethodSpec) -> bool:
    """Whether the call changes something that is not the caller's own.

    Parameters
    ----------
    spec
        Class of the object whose method is called; `None` for functions and constructors of the module.
    method
        What is called.
    """
    if spec is None:
        return bool(_FUNCTION_CHANGES.match(method.name))
    if not is_instrument(spec):
        return False
    if spec.kind is Kind.INSTRUMENT:  # its verbs are not the API's: a stage that scans moves
        return not _OTHERS_READ.match(method.name)
    return changes_tagger(method.name)


def changes_tagger(name: str) -> bool:
    """Whether a method of a Time Tagger changes it: whatever is not known to be a reader is taken to."""
    return not _READS.match(name) or bool(_ALSO_CLEARS.search(name))


def writes_file(method: MethodSpec, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether the call, with these arguments, writes a file: it names one to write."""
    given = dict(zip((p.name for p in method.params), args, strict=False)) | dict(kwargs)
    return any(p.file == "write" and given.get(p.name) not in (None, "") for p in method.params)


def reaches_out(function: MethodSpec) -> bool:
    """Whether the server goes to other computers for it: an address is given, or servers are looked for."""
    return function.name.endswith("Servers") or any(p.name.startswith("address") for p in function.params)
