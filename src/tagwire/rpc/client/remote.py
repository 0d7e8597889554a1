"""Classes whose objects live at the server, built from the catalog's description of the originals."""

from __future__ import annotations

import difflib
import inspect
import weakref
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, NoReturn

from tagwire.core.catalog import HOOKS, ClassSpec, Kind, MethodSpec, ParamSpec, PropertySpec, call_doc, class_doc
from tagwire.errors import NotSupported
from tagwire.rpc.client.link import Link
from tagwire.rpc.client.object_events import event_methods
from tagwire.rpc.waiting import is_sliced, wait
from tagwire.rpc.wire import Handle

_CALLED_BACK = HOOKS | {"get_intensity", "get_next"}
"""Methods that the library calls on its own object: one that a user overrides here would never be called."""


class RemoteObject:
    """Base of all objects that live at the server.

    Methods and properties are those of the original. A subclass may add to them, but a hook that the library calls
    raises `NotSupported`. The server ends the object when this one is collected, when a ``with`` block ends, or when
    the client goes away.
    """

    _tagwire_link: Link
    _tagwire_handle: Handle

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "_tagwire_class" not in vars(cls):
            _refuse_hooks(cls)

    def __getattr__(self, name: str) -> Any:
        # Reached only for names that the class does not have: no need to ask the server.
        kind = type(self).__name__
        if name.startswith("_tagwire"):
            raise AttributeError(f"{kind} object was never created")
        attribute = getattr(type(self), name, None)
        if isinstance(attribute, property) and attribute.fget is not None:
            return attribute.fget(self)  # Python hides its AttributeError by coming here; the second time it shows
        close = difflib.get_close_matches(name, [n for n in dir(type(self)) if not n.startswith("_")], n=3)
        hint = f". Did you mean: {', '.join(close)}?" if close else ""
        raise AttributeError(f"{kind!r} object has no attribute {name!r}{hint}")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} lives at the server and cannot be copied or pickled")

    def __repr__(self) -> str:
        if "_tagwire_link" not in vars(self):  # a debugger looks at what failed while it was made
            return f"<{type(self).__qualname__}, never created>"
        link = self._tagwire_link
        return f"<{type(self).__qualname__} at {link.host}:{link.port}>"


def adopt(obj: RemoteObject, link: Link, handle: Handle) -> None:
    """Make `obj` stand for the object `handle` at the server."""
    obj._tagwire_link = link
    obj._tagwire_handle = handle
    finalizer = weakref.finalize(obj, link.drop, handle.id)
    finalizer.atexit = False  # then the connection closes anyway
    _adopted[handle.id] = obj


def adopted(handle: Handle) -> RemoteObject | None:
    """What stands for the object `handle` here already: a session is asked for its objects again and again."""
    return _adopted.get(handle.id)


_adopted: weakref.WeakValueDictionary[str, RemoteObject] = weakref.WeakValueDictionary()


def stand_for(cls: type[RemoteObject], link: Link, handle: Handle) -> RemoteObject:
    """An object for one that lives as long as the server does, and is not given up when this one is collected."""
    obj = cls.__new__(cls)
    vars(obj).update(_tagwire_link=link, _tagwire_handle=handle)
    return obj


def build_class(spec: ClassSpec, bases: tuple[type, ...], link: Link, module: str) -> type[RemoteObject]:
    """The class that `spec` describes.

    Parameters
    ----------
    bases
        Its remote base classes; none for a class that has no public base.
    """
    inherited = {name for base in bases for name in dir(base)}
    body: dict[str, Any] = {
        "__doc__": class_doc(spec),
        "__module__": module,
        "__qualname__": spec.name,
        "_tagwire_class": spec.name,
        "__init__": _initializer(spec, link),
        **dict(spec.constants),
    }
    names = [m.name for m in spec.methods]
    for method in spec.methods:
        if method.owner == spec.name or method.name not in inherited:
            body[method.name] = _static(spec, method, link) if method.static else _method(spec, method, names)
    for attribute in spec.properties:
        body[attribute.name] = _property(attribute)
    body.update(event_methods(spec))
    if spec.context:
        body["__enter__"], body["__exit__"] = _enter, _exit
    if spec.kind is Kind.INSTRUMENT:
        body["__setattr__"] = _set_known
    if spec.kind is Kind.LOCAL:
        body["__init_subclass__"] = classmethod(_refuse_subclass)
    return type(spec.name.rpartition(".")[2], bases or (RemoteObject,), body)


def signature(spec: MethodSpec, bound: bool = False) -> inspect.Signature:
    """Signature of a call; a default that the library keeps to itself shows as ``...``."""
    params = [] if not bound else [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    params += [_parameter(p) for p in spec.params]
    try:
        return inspect.Signature(params)
    except ValueError:  # the library allows an order that Python's own functions cannot have
        return inspect.Signature([p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in params])


def remote_function(spec: MethodSpec, name: str, link: Link) -> Callable[..., Any]:
    """A function of the module, or a static method under its dotted name."""

    def call(*args: Any, **kwargs: Any) -> Any:
        _refuse_callbacks(spec)
        return link.request("call", name, args, kwargs)

    return _dress(call, spec)


def _parameter(spec: ParamSpec) -> inspect.Parameter:
    if spec.variadic:
        return inspect.Parameter(spec.name, inspect.Parameter.VAR_POSITIONAL)
    unknown = inspect.Parameter.empty if spec.required else ...
    default = spec.default if spec.default_known else unknown
    return inspect.Parameter(spec.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _dress(function: Callable[..., Any], spec: MethodSpec, bound: bool = False) -> Callable[..., Any]:
    function.__name__ = spec.name
    function.__qualname__ = f"{spec.owner}.{spec.name}" if spec.owner else spec.name
    function.__doc__ = call_doc(spec)
    function.__signature__ = signature(spec, bound)  # type: ignore[attr-defined]
    return function


def _initializer(spec: ClassSpec, link: Link) -> Callable[..., None]:
    def __init__(self: RemoteObject, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        if spec.kind is Kind.LOCAL:
            _refuse_local(spec.name)
        link.create(spec.name, args, kwargs, lambda handle: adopt(self, link, handle))

    constructor = spec.constructor or MethodSpec("__init__")
    __init__.__signature__ = signature(constructor, bound=True)  # type: ignore[attr-defined]
    __init__.__doc__ = constructor.doc
    return __init__


def _method(spec: ClassSpec, method: MethodSpec, names: list[str]) -> Callable[..., Any]:
    def call(self: RemoteObject, *args: Any, **kwargs: Any) -> Any:
        _refuse_callbacks(method)
        return _invoke(self, method.name, args, kwargs)

    def call_waiting(self: RemoteObject, *args: Any, **kwargs: Any) -> Any:
        return wait(method, names, args, kwargs, partial(_invoke, self, operation="wait"))

    return _dress(call_waiting if is_sliced(method) else call, method, bound=True)


def _invoke(obj: RemoteObject, method: str, args: Any, kwargs: dict[str, Any], operation: str = "invoke") -> Any:
    return obj._tagwire_link.request(operation, obj._tagwire_handle.id, method, args, kwargs)


def _static(spec: ClassSpec, method: MethodSpec, link: Link) -> Any:
    return staticmethod(remote_function(method, f"{spec.name}.{method.name}", link))


def _property(spec: PropertySpec) -> property:
    def get(self: RemoteObject) -> Any:
        return self._tagwire_link.request("get", self._tagwire_handle.id, spec.name)

    def put(self: RemoteObject, value: Any) -> None:
        self._tagwire_link.request("set", self._tagwire_handle.id, spec.name, value)

    return property(get, put if spec.writable else None, doc=spec.doc)


def _set_known(self: RemoteObject, name: str, value: object) -> None:
    """Set a property; a misspelled one would otherwise become an attribute here that the server never hears of."""
    if not name.startswith("_tagwire") and not hasattr(type(self), name):
        self.__getattr__(name)
    object.__setattr__(self, name, value)


def _enter(self: Any) -> Any:
    return self


def _exit(
    self: RemoteObject, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
) -> bool:
    self._tagwire_link.request("free", self._tagwire_handle.id)
    return False


def _refuse_callbacks(spec: MethodSpec) -> None:
    if spec.params and any(p.type == "callback" for p in spec.params):
        raise NotSupported(f"{spec.name} calls a function of yours; that works only in the process of the library")


def _refuse_subclass(cls: type, /, **options: object) -> None:
    if "_tagwire_class" not in vars(cls):  # one that the user writes, not one of the library's own
        _refuse_local(cls.__name__)


def _refuse_hooks(cls: type) -> None:
    written = {name for base in cls.__mro__ if "_tagwire_class" not in vars(base) for name in vars(base)}
    for name in sorted(written & _CALLED_BACK):
        raise NotSupported(
            f"{cls.__name__}.{name} is code of yours that the library calls; that works only in the process of the "
            "library: run the script on the computer of the tagger"
        )


def _refuse_local(name: str) -> None:
    raise NotSupported(
        f"{name} runs your own code on every tag, which a remote tagger cannot do; read the tags with TimeTagStream, "
        "or run the script on the computer of the tagger"
    )
