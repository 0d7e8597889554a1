"""From a function, method or constructor to its `MethodSpec`: what the signature says, completed by the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any

from tagwire.core.catalog.annotations import UNKNOWN, TypeInfo, read_annotation, read_text, union
from tagwire.core.catalog.docstrings import Docs, FieldDoc, read_docstring
from tagwire.core.catalog.facts import ENUM_PARAMS, UNTYPED_PARAMS
from tagwire.core.catalog.meaning import enum_named, read_default, read_file_role, read_unit
from tagwire.core.catalog.names import Names
from tagwire.core.catalog.specs import MethodSpec, ParamSpec, Plain, ResultSpec

_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_ANYTHING = inspect.Signature([inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])


def read_call(
    function: Callable[..., Any],
    name: str,
    names: Names,
    *,
    spare: Callable[..., Any] | None = None,
    docstring: str | None = None,
) -> MethodSpec:
    """Describe `function`.

    Parameters
    ----------
    function
        A plain function; of a method or constructor the unbound function, whose ``self`` is left out.
    name
        Public name of the function, of the class for a constructor.
    names
        Public names of the module.
    spare
        A hidden function of the same meaning, asked for what `function` leaves open.
    docstring
        Words to use when the function has none of its own.
    """
    overloads = read_docstring(function.__doc__ or docstring)
    spared = read_docstring(spare.__doc__) if spare else []
    signature = _signature(function)
    params = merge([_documented_params(docs, name, names) for docs in overloads])
    if not params or not any(p.kind in _OPEN for p in signature.parameters.values()):
        params = _signature_params(function, signature, overloads + spared, name, names)
    if spare:
        params = tuple(_completed(p, read_call(spare, name, names).params) for p in params)
    docs = (spared or overloads)[0]
    return MethodSpec(
        name,
        params,
        _result(function, spare, docs, names),
        "\n\n".join(d.text for d in (spared or overloads) if d.text),
        waits=any(p.name in ("timeout", "timeout_ms") and p.default == -1 for p in params),
    )


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature; functions written in C may have none."""
    try:
        return inspect.signature(function)
    except ValueError:
        return _ANYTHING


def _signature_params(
    function: Callable[..., Any], signature: inspect.Signature, docs: list[Docs], name: str, names: Names
) -> tuple[ParamSpec, ...]:
    """Parameters as the signature has them."""
    own = [p for n, p in signature.parameters.items() if n not in ("self", "cls") and p.kind is not p.VAR_KEYWORD]
    words = {f.name: f for d in docs for f in d.params}
    scope = getattr(function, "__globals__", {})
    return tuple(_signature_param(p, words.get(p.name, FieldDoc(p.name)), scope, name, names) for p in own)


def _signature_param(
    parameter: inspect.Parameter, words: FieldDoc, scope: dict[str, Any], call: str, names: Names
) -> ParamSpec:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return ParamSpec(parameter.name, required=False, variadic=True)
    given = parameter.annotation
    info = UNKNOWN if given is parameter.empty else read_annotation(given, names, scope)
    required = parameter.default is parameter.empty
    spec = _param(words, info if info.known else read_text(words.type, names), required, call, names)
    if required:
        return spec
    default, known = _plain_default(parameter.default)
    return replace(spec, default=default, default_known=known)


def _plain_default(value: object) -> tuple[Plain, bool]:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value, True
    return None, False


def _documented_params(docs: Docs, call: str, names: Names) -> tuple[ParamSpec, ...]:
    return tuple(_param(f, read_text(f.type, names), not f.optional, call, names) for f in docs.params)


def _param(words: FieldDoc, info: TypeInfo, required: bool, call: str, names: Names) -> ParamSpec:
    type_ = info.type.removesuffix("|none")
    if not info.known:
        type_ = UNTYPED_PARAMS.get(words.name, "any")
    if type_ == "int":
        enum = ENUM_PARAMS.get((call, words.name), "") or enum_named(words.doc, names)
        type_ = f"enum:{enum}" if enum in names.enums else type_
    default, known = (None, False) if required else read_default(words.doc, type_, names)
    return ParamSpec(
        words.name,
        type_,
        required,
        default,
        known,
        read_unit(words.name, type_, words.doc),
        words.doc,
        read_file_role(words.name, type_, words.doc),
    )


def _completed(param: ParamSpec, others: tuple[ParamSpec, ...]) -> ParamSpec:
    """`param` with the type, unit and words of its namesake where it has none."""
    other = next((o for o in others if o.name == param.name), None)
    if other is None or param.type != "any":
        return param
    return replace(param, type=other.type, unit=other.unit, doc=other.doc)


def merge(overloads: list[tuple[ParamSpec, ...]]) -> tuple[ParamSpec, ...]:
    """One parameter list that accepts what any of several overloads accepts.

    Names and words come from the longest one; a position that a shorter one lacks is optional.
    """
    longest = max(overloads, key=len, default=())
    shortest = min((len(o) for o in overloads), default=0)
    merged = []
    for place, param in enumerate(longest):
        same = [o[place] for o in overloads if len(o) > place]
        type_ = union([TypeInfo(p.type) for p in same]).type
        required = place < shortest and all(p.required for p in same)
        merged.append(replace(param, type=type_, required=required))
    return tuple(merged)


def _result(function: Callable[..., Any], spare: Callable[..., Any] | None, docs: Docs, names: Names) -> ResultSpec:
    info = UNKNOWN
    for source in (function, spare):
        given = _signature(source).return_annotation if source else inspect.Signature.empty
        if not info.known and source and given is not inspect.Signature.empty:
            info = read_annotation(given, names, getattr(source, "__globals__", {}))
    if not info.known and docs.returns_type:
        info = read_text(docs.returns_type, names)
    if not info.known and docs.returns.endswith("nothing"):
        info = TypeInfo("none")
    if info.type == "str" and _decodes_json(function):
        info = TypeInfo("dict")
    return ResultSpec(info.type, info.dtype, info.ndim, docs.returns)


def _decodes_json(function: Callable[..., Any]) -> bool:
    """Whether the wrapper turns the library's JSON text into a dict before it returns it."""
    code = getattr(function, "__code__", None)
    return code is not None and "loads" in code.co_names
