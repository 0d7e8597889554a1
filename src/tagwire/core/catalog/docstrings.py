"""Docstrings of both dialects, taken apart.

The vendor's wheel writes Sphinx fields (``:type channel_1: int``, ``:param channel_1: ...``) and marks several
C++ signatures as ``*Overload 1:*``; our own modules write numpydoc sections.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field


@dataclass(slots=True)
class FieldDoc:
    """One documented parameter."""

    name: str
    type: str = ""
    optional: bool = False
    doc: str = ""


@dataclass(slots=True)
class Docs:
    """One docstring, or one overload of it.

    Attributes
    ----------
    text
        The prose, without the fields.
    params
        Documented parameters in order.
    returns, returns_type
        What is said about the result.
    """

    text: str = ""
    params: list[FieldDoc] = field(default_factory=list)
    returns: str = ""
    returns_type: str = ""


_OVERLOAD = re.compile(r"^\*Overload \d+:\*$", re.MULTILINE)
_FIELD = re.compile(r"^:(type|param|rtype|return|raises)(?: (\w+))?:\s*", re.MULTILINE)
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
_SIGNATURE = re.compile(r"^\w+\((?P<params>.*)\)(?: -> (?P<result>.+))?$")


def read_docstring(docstring: str | None) -> list[Docs]:
    """The overloads of a docstring; most have one."""
    text = inspect.cleandoc(docstring or "")
    if lines := _signature_lines(text):
        return lines
    if _SECTION.search(text):
        return [_numpydoc(text)]
    parts = [p.strip().removesuffix("|").strip() for p in _OVERLOAD.split(text)]
    return [_sphinx(p) for p in parts if p] or [Docs()]


def _signature_lines(text: str) -> list[Docs]:
    """Docstrings that are nothing but signatures: ``__init__(self, ts, ch, type=TimeTag) -> Tag``."""
    matches = [_SIGNATURE.match(line) for line in text.splitlines()]
    return [_from_signature(m["params"]) for m in matches if m] if matches and all(matches) else []


def _from_signature(params: str) -> Docs:
    docs = Docs()
    for part in params.split(", "):
        name, _, default = part.partition("=")
        if name and name != "self":
            docs.params.append(FieldDoc(name, optional=bool(default), doc=f"(default: {default})" if default else ""))
    return docs


def _cut(text: str, pattern: re.Pattern[str]) -> tuple[str, list[tuple[re.Match[str], str]]]:
    """What stands before the first match of `pattern`, and every match with the text up to the next."""
    marks = list(pattern.finditer(text))
    ends = [m.start() for m in marks[1:]] + [len(text)]
    parts = [(mark, text[mark.end() : end].rstrip()) for mark, end in zip(marks, ends, strict=False)]
    return text[: marks[0].start() if marks else None].strip(), parts


def _sphinx(text: str) -> Docs:
    prose, parts = _cut(text, _FIELD)
    docs = Docs(text=prose)
    fields: dict[str, FieldDoc] = {}
    for mark, whole in parts:
        body, rest = _field_body(whole)
        docs.text = f"{docs.text}\n\n{rest}".strip() if rest else docs.text
        _add_field(docs, fields, mark[1], mark[2] or "", body)
    docs.params = list(fields.values())
    return docs


def _field_body(text: str) -> tuple[str, str]:
    """A field's own words, and prose that follows it: a line that is not indented ends the field."""
    first, *others = text.split("\n")
    own = next((i for i, line in enumerate(others) if line and not line.startswith(" ")), len(others))
    return " ".join([first, *others[:own]]).strip(), "\n".join(others[own:]).strip()


def _add_field(docs: Docs, fields: dict[str, FieldDoc], kind: str, name: str, body: str) -> None:
    body = re.sub(r"\s+", " ", body)
    if kind in ("type", "param"):
        entry = fields.setdefault(name, FieldDoc(name))
        if kind == "param":
            entry.doc = body
        else:
            entry.type, entry.optional = body.removesuffix(", optional"), body.endswith(", optional")
    elif kind == "return":
        docs.returns = body
    elif kind == "rtype":
        docs.returns_type = body
    else:
        docs.text = f"{docs.text}\n\nRaises: {body}".strip()


def _numpydoc(text: str) -> Docs:
    prose, parts = _cut(text, _SECTION)
    docs = Docs(text=prose)
    for mark, body in parts:
        if mark[1] == "Parameters":
            docs.params = list(_entries(body))
        elif mark[1] in ("Returns", "Yields"):
            docs.returns = " ".join(e.doc or e.name for e in _entries(body))
        else:
            docs.text += f"\n\n{mark[1]}\n{'-' * len(mark[1])}\n{body}"
    return docs


def _entries(body: str) -> list[FieldDoc]:
    """Entries of a numpydoc section: ``name, other : type, optional`` and indented words below."""
    entries: list[FieldDoc] = []
    for block in re.split(r"\n(?=\S)", body.strip("\n")):
        head, _, words = block.partition("\n")
        heads, _, type_text = head.partition(" : ")
        doc = " ".join(words.split())
        entries += [
            FieldDoc(n.strip(), type_text.removesuffix(", optional"), type_text.endswith(", optional"), doc)
            for n in heads.split(",")
        ]
    return entries
