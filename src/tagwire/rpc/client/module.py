"""A module at the server, as a module here: ``TT = tagwire.connect("lab-pc")``."""

from __future__ import annotations

import difflib
import enum
import os
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, Self

from tagwire.config import reach
from tagwire.core.arguments import text
from tagwire.core.catalog import Catalog, ClassSpec, EnumSpec, from_plain
from tagwire.core.catalog.records import field_values
from tagwire.errors import ArgumentKindError
from tagwire.rpc.client.client_control import ControlLease
from tagwire.rpc.client.client_records import build_record
from tagwire.rpc.client.link import Link
from tagwire.rpc.client.local import build_local, runs_on_tags
from tagwire.rpc.client.remote import RemoteObject, adopt, adopted, build_class, remote_function, stand_for
from tagwire.rpc.client.remote_logger import SET_LOGGER, RemoteLogger
from tagwire.rpc.client.session_view import SessionView
from tagwire.rpc.client.tag_reader import STREAM
from tagwire.rpc.wire import Codec, Handle, Member, Record


def connect(
    host: str = "localhost",
    port: int = 23000,
    *,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
    session: str | None = None,
) -> RemoteModule:
    """See `tagwire.connect`.

    Raises
    ------
    ServerUnreachable
        Nobody answers there.
    ProtocolError
        What answers is not a Tagwire server, or one of another version.
    ArgumentError, ArgumentKindError
        (ValueError, TypeError) `host` is no name, or `port` no number within [1, 65535].
    """
    security = reach(host, port, token=token, tls=tls, fingerprint=fingerprint)
    link = Link(security.host, security.port, security, text(session or "", "session"))
    try:
        return RemoteModule(link, from_plain(link.request("describe")))
    except BaseException:
        link.close()
        raise


class RemoteModule(ModuleType):
    """Stands for the module that a server offers.

    Classes, functions, enums and constants are those of the original, built when they are first used. Everything may
    be used from any thread. `close`, the end of a ``with`` block, or the end of the process releases all objects.
    """

    def __init__(self, link: Link, catalog: Catalog) -> None:
        super().__init__(catalog.library, catalog.doc)
        self._link = link
        self._catalog = catalog
        self._names = _public_names(catalog)
        self._built: dict[str, Any] = {}
        self._enum_names: dict[type, str] = {}
        self._record_names: dict[type, str] = {}
        self._enum_specs: dict[type[enum.Enum], EnumSpec] = {}
        self.__all__ = sorted(self._names)
        link.codec = Codec(self._outgoing, self._incoming, self._member, self._record)

    def close(self) -> None:
        """Leave the server, which releases what belongs to this client; what a session with a name has stays there."""
        self._link.close()

    @property
    def session(self) -> SessionView:
        """What this client has at the server, and who else is there."""
        return SessionView(self._link)

    def control(self, tagger: Any = None, *, lease_s: float = 60.0, force: bool = False) -> ControlLease:
        """Take control of an instrument: this client alone may change it, others read and measure.

        Use it in a ``with`` statement, or call ``give_back`` of the result. Everybody sees in ``session.control`` who
        has it; whoever tries to change something all the same gets `NotAllowed`, which names the holder.

        Parameters
        ----------
        tagger
            The instrument; `None` takes all that the server has, later ones included.
        lease_s
            How long control outlives the connection if that breaks, in s within [0, 86400].
        force
            Take it from somebody else, who is told.

        Raises
        ------
        NotAllowed
            (RuntimeError) Somebody else has control, or this client may only observe.
        """
        return ControlLease(self._link, tagger, lease_s, force)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self.__dict__.get("_names", ()):
            raise AttributeError(self._unknown(name))
        value = self._public(name)
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return [*self.__all__, "close", "control", "session"]

    def __repr__(self) -> str:
        catalog, link = self._catalog, self._link
        return f"<module {catalog.library} {catalog.version} at {link.host}:{link.port}>"

    def _public(self, name: str) -> Any:
        if name in self._catalog.instruments:
            return self._instrument(name)
        return self._namespace(name) if name in self._catalog.namespaces else self._member_named(name)

    def _member_named(self, name: str) -> Any:
        """The class, function, enum or constant of that (dotted) name; always the same object."""
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def _build(self, name: str) -> Any:
        catalog = self._catalog
        if name in catalog.class_by_name:
            return self._class(catalog.class_by_name[name])
        if name == SET_LOGGER and name in catalog.function_by_name:
            return RemoteLogger(self._link, catalog.function_by_name[name]).set
        if name in catalog.function_by_name:
            return remote_function(catalog.function_by_name[name], name, self._link)
        if name in catalog.record_by_name:
            built = build_record(catalog.record_by_name[name], catalog.library)
            self._record_names[built] = name
            return built
        if name in catalog.enum_by_name:
            return self._enum(catalog.enum_by_name[name])
        return dict(catalog.constants)[name]

    def _class(self, spec: ClassSpec) -> type[RemoteObject]:
        known = self._catalog.class_by_name
        indirect = {grand for base in spec.bases for grand in known[base].bases}
        bases = tuple(self._member_named(base) for base in spec.bases if base not in indirect)
        if runs_on_tags(spec):
            return build_local(spec, bases, lambda: self._member_named(STREAM), self._catalog.library)
        return build_class(spec, bases, self._link, self._catalog.library)

    def _enum(self, spec: EnumSpec) -> type[enum.Enum]:
        twin = next((one for one, known in self._enum_specs.items() if _same(known, spec)), None)
        if twin is not None:  # several instruments mention it: a member of the one is a member of the other
            return twin
        base = getattr(enum, spec.base) if spec.base in _ENUMS else enum.IntEnum
        built: Any = base(spec.name.rpartition(".")[2], spec.members, module=self._catalog.library)  # type: ignore[call-overload]
        built.__doc__ = spec.doc
        self._enum_names[built] = spec.name
        self._enum_specs[built] = spec
        return built  # type: ignore[no-any-return]

    def _namespace(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(**{n: self._member_named(f"{name}.{n}") for n in _inside(self._catalog, name)})

    def _instrument(self, name: str) -> RemoteObject:
        """The object beside the API of that name; it is the server's, so nothing happens when this one goes."""
        cls = self._member_named(name)
        for inner in _inside(self._catalog, name):
            if not hasattr(cls, inner):
                setattr(cls, inner, self._member_named(f"{name}.{inner}"))
        return stand_for(cls, self._link, Handle(name, name))

    def _outgoing(self, value: object) -> object:
        if isinstance(value, RemoteObject):
            if value._tagwire_link is not self._link:
                raise ArgumentKindError(f"{value!r} belongs to another connection")
            return value._tagwire_handle
        if isinstance(value, enum.Enum):
            name = self._enum_names.get(type(value))
            return Member(name, value.value) if name else value.value
        if (record := self._record_names.get(type(value))) is not None:
            return Record(record, field_values(value))
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise ArgumentKindError(f"a value of type {type(value).__qualname__} cannot be sent to a server")

    def _incoming(self, handle: Handle) -> object:
        known = adopted(handle)
        if known is not None and known._tagwire_link is self._link:
            return known
        cls = self._member_named(handle.class_name)
        obj = cls.__new__(cls)
        adopt(obj, self._link, handle)
        return obj

    def _member(self, member: Member) -> object:
        return self._member_named(member.enum)(member.value)

    def _record(self, record: Record) -> object:
        return self._member_named(record.name)(*record.values)

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.__dict__.get("_names", ()), n=3)
        hint = f". Did you mean: {', '.join(close)}?" if close else ""
        return f"module {self.__name__!r} has no attribute {name!r}{hint}"


_ENUMS = ("IntFlag", "StrEnum", "Enum")


def _same(one: EnumSpec, other: EnumSpec) -> bool:
    """Whether two descriptions, both of instruments beside the API, are of one enum."""
    if "." not in one.name or "." not in other.name or one.name.rpartition(".")[2] != other.name.rpartition(".")[2]:
        return False
    return (one.base, one.members, one.doc) == (other.base, other.members, other.doc)


def _public_names(catalog: Catalog) -> frozenset[str]:
    described = [
        *(spec.name for spec in (*catalog.classes, *catalog.functions, *catalog.enums)),
        *(name for name, _ in catalog.constants),
    ]
    return frozenset(name for name in described if "." not in name) | frozenset(catalog.namespaces)


def _inside(catalog: Catalog, namespace: str) -> list[str]:
    described = [spec.name for spec in (*catalog.classes, *catalog.functions, *catalog.enums, *catalog.records)]
    described += [name for name, _ in catalog.constants]
    return [name.removeprefix(f"{namespace}.") for name in described if name.startswith(f"{namespace}.")]
