"""Specs written out as numpydoc, for whoever reads ``help()`` where the original docstring is not at hand."""

from __future__ import annotations

import re
import textwrap

from tagwire.core.catalog.specs import ClassSpec, MethodSpec, ParamSpec, ResultSpec

_WIDTH = 100
_SECTION = re.compile(r"\n*^\w[\w ]*\n-{3,}\n", re.MULTILINE)


def call_doc(spec: MethodSpec) -> str:
    """Docstring of a call: what it does, its parameters and its result with their types."""
    return _in_order(spec.doc, _parameters(spec), _returns(spec.result))


def class_doc(spec: ClassSpec) -> str:
    """Docstring of a class: what it is, and the parameters of its constructor."""
    return _in_order(spec.doc, _parameters(spec.constructor)) if spec.constructor else spec.doc


def type_words(type_: str) -> str:
    """A type in the catalog's notation, as a reader expects it: ``int[]`` is ``list of int``."""
    return " or ".join(_words(choice) for choice in type_.split("|"))


def _in_order(doc: str, *sections: str) -> str:
    """Sections stand behind the prose and before the sections that `doc` has already, as numpydoc has it."""
    own = _SECTION.search(doc)
    split = own.start() if own else len(doc)
    return "\n\n".join(part for part in (doc[:split].strip(), *sections, doc[split:].strip()) if part)


def _words(type_: str) -> str:
    if type_.endswith("[]"):
        return f"list of {_words(type_.removesuffix('[]'))}"
    return type_.rpartition(":")[2]


def _parameters(spec: MethodSpec) -> str:
    if not any(p.doc for p in spec.params):
        return ""
    return "Parameters\n----------\n" + "\n".join(_entry(p) for p in spec.params)


def _entry(param: ParamSpec) -> str:
    head = param.name if param.type == "any" else f"{param.name} : {type_words(param.type)}"
    return _indented(head if param.required else f"{head}, optional", param.doc)


def _returns(result: ResultSpec) -> str:
    if result.type in ("none", "any") and not result.doc:
        return ""
    kind = f"{result.ndim}-D array of {result.dtype}" if result.type == "array" else type_words(result.type)
    return "Returns\n-------\n" + _indented(kind, result.doc)


def _indented(head: str, words: str) -> str:
    body = textwrap.fill(words, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return f"{head}\n{body}".rstrip()
