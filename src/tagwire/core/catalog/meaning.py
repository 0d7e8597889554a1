"""What the words about a parameter tell: its unit, its default, the enum it belongs to, and whether it names a file."""

from __future__ import annotations

import re
from typing import Literal

from tagwire.core.catalog.names import Names
from tagwire.core.catalog.specs import Plain

_UNIT_WORDS = (
    (r"\bpicoseconds?\b|\bin ps\b|\[ps\]|\(ps\)", "ps"),
    (r"\bmilliseconds?\b|\bin ms\b|\[ms\]|\(ms\)", "ms"),
    (r"\bin seconds?\b|\bin s\b|\[s\]|(?<!\w)\(s\)", "s"),
    (r"\bin Hz\b|\b[Hh]ert?z\b|\[Hz\]|(?<!\w)\(Hz\)", "Hz"),
    (r"\bin mV\b|\d mV\b|\bmillivolts?\b|\[mV\]|\(mV\)", "mV"),
    (r"\b[Vv]olts\b|\bin V\b|\[V\]|\(V\)", "V"),
    (r"\bppm\b", "ppm"),
    (r"\bin percent\b|\bpercentage\b|\bin %", "%"),
)

_UNIT_NAMES = (
    (r"ppm$", "ppm"),
    (r"^percentage$", "%"),
    (r"_hz$|frequency$|countrate$", "Hz"),
    (r"^voltage$", "V"),
    (r"^timeout(_ms)?$", "ms"),
)

_PS_NAMES = r"^(binwidths?|binedges|\w*delay|dead_?time|\w*duration|\w*window(_size)?|time_scale|length)$"

_TIME_IN_PS = {"ps": 1, "ns": 10**3, "µs": 10**6, "us": 10**6, "ms": 10**9, "s": 10**12}


def read_unit(name: str, type_: str, doc: str) -> str:
    """Unit of a number; empty for what is not one, or when nothing tells."""
    if not re.match(r"int|float", type_) or re.match(r"Exponent|The number of|Number of", doc):
        return ""
    sentence = re.split(r"\b[Dd]efault", doc)[0]
    found = [(m.start(), unit) for words, unit in _UNIT_WORDS if (m := re.search(words, sentence))]
    return min(found)[1] if found else _unit_of_name(name, type_)


def _unit_of_name(name: str, type_: str) -> str:
    if type_.startswith("int") and re.search(_PS_NAMES, name, re.IGNORECASE):
        return "ps"
    return next((unit for pattern, unit in _UNIT_NAMES if re.search(pattern, name)), "")


def read_file_role(name: str, type_: str, doc: str) -> Literal["", "read", "write"]:
    """Whether a text names files, and whether they are written.

    Anything that might be a file counts as one: whoever decides about access must not miss any.
    """
    if "str" not in type_.split("|") and "str[]" not in type_.split("|"):
        return ""
    if not re.search(r"(?<!pro)file|path|folder|directory|firmware", name, re.IGNORECASE):
        return ""
    written = re.search(r"output|target|^new_", name) or re.search(r"output file|to store|to write|new file", doc)
    return "write" if written else "read"


def default_text(doc: str) -> str:
    """What the words say after "default", or empty."""
    quoted = r"""["'`*]*([^"'`*,;()]+?)["'`*]*(?:[,;()]|\.(?!\w)|$)"""
    empty = r"""(?:""|'')"""
    match = re.search(rf"[Dd]efault(?:s to| value is| is|:)\s*(?:({empty})|{quoted})", doc)
    if not match:
        return ""
    return "empty" if match[1] else match[2].strip()


def enum_named(doc: str, names: Names) -> str:
    """The enum that the words name, by ``#Enum``, by a default ``Enum::Member`` or a member that only it has."""
    marked = re.search(r"#(\w+)", doc)
    if marked and marked[1] in names.enums:
        return marked[1]
    owner, _, member = default_text(doc).replace("::", ".").rpartition(".")
    if owner in names.enums:
        return owner
    having = [name for name, enum in names.enums.items() if member and member in enum.__members__]
    return having[0] if len(having) == 1 else ""


def read_default(doc: str, type_: str, names: Names) -> tuple[Plain, bool]:
    """Default that the words tell, and whether they do."""
    text = default_text(doc)
    if not text:
        return None, False
    for part in type_.split("|"):
        value = _value(text, part, names)
        if value is not None:
            return value, True
    return None, False


def _value(text: str, type_: str, names: Names) -> Plain:
    if type_.startswith("enum:"):
        member = names.enums[type_[5:]].__members__.get(re.split(r"::|\.", text)[-1])
        return None if member is None else int(member.value)
    if type_ == "bool":
        return {"true": True, "false": False}.get(text.partition(" ")[0].lower())
    if type_ == "str":
        return "" if text in ("empty", "an empty string") else None
    if type_ in ("int", "float"):
        return _number(text, type_, names)
    return None


def _number(text: str, type_: str, names: Names) -> int | float | None:
    constant = names.constants.get(text)
    if isinstance(constant, int | float):
        return constant
    match = re.match(r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?: ?(ps|ns|µs|us|ms|s)\b)?", text)
    if not match:
        return None
    value = float(match[1]) * (_TIME_IN_PS[match[2]] if match[2] and type_ == "int" else 1)
    return value if type_ == "float" else int(value) if value.is_integer() else None
