"""A module at the server for asyncio: ``TT = await tagwire.aconnect("lab-pc")``, and every call is awaited."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, Self

from tagwire.config import reach
from tagwire.core.arguments import text
from tagwire.core.catalog import Catalog, ClassSpec, Kind, MethodSpec, from_plain
from tagwire.errors import NotSupported
from tagwire.rpc.client import module
from tagwire.rpc.client.aio_link import AsyncLink
from tagwire.rpc.client.client_control import AsyncControlLease
from tagwire.rpc.client.remote import RemoteObject, adopt, build_class
from tagwire.rpc.client.session_view import AsyncSessionView
from tagwire.rpc.waiting import is_sliced, wait_async


async def aconnect(
    host: str,
    port: int,
    *,
    session: str | None = None,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
) -> AsyncModule:
    """See `tagwire.aconnect`."""
    security = reach(host, port, token=token, tls=tls, fingerprint=fingerprint)
    link = AsyncLink(security, text(session or "", "session"))
    try:
        await link.open()
        return AsyncModule(link, from_plain(await link.request("describe")))
    except BaseException:
        await link.close()
        raise


class _AsyncType(type):
    """Class of the classes: making an object is awaited."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return _make(cls, args, kwargs)


async def _make(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if cls._tagwire_kind is Kind.LOCAL:
        raise NotSupported(f"{cls.__name__} runs code of yours on the tags, which needs tagwire.connect()")
    obj = cls.__new__(cls)
    await cls._tagwire_link.create(cls._tagwire_class, args, kwargs, partial(adopt, obj, cls._tagwire_link))
    return obj


class AsyncObject(RemoteObject, metaclass=_AsyncType):
    """Base of all objects that live at the server; methods and properties are awaited.

    A property is read with ``await obj.name`` and set with ``await tagwire.rpc.client.aio.put(obj, "name", value)``.
    """

    _tagwire_kind: Kind

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._tagwire_link.request("free", self._tagwire_handle.id)


async def put(obj: AsyncObject, name: str, value: object) -> None:
    """Set the property `name` of an object of an asyncio client."""
    await obj._tagwire_link.request("set", obj._tagwire_handle.id, name, value)


_RemoteModule: Any = module.RemoteModule  # whose stub has the API of the blocking client only


class AsyncModule(_RemoteModule):  # type: ignore[misc]
    """Stands for the module that a server offers, for asyncio.

    Calls and constructors return awaitables, results are those of `tagwire.connect`. Cancelling one leaves the
    connection and all objects as they are. Use it in the event loop in which it was made.
    """

    def __init__(self, link: AsyncLink, catalog: Catalog) -> None:
        super().__init__(link, catalog)
        self._async_link = link

    async def aclose(self) -> None:
        """Leave the server; all objects and taggers of this client are released there."""
        await self._async_link.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def session(self) -> AsyncSessionView:
        """What this client has at the server, and who else is there: ``await TT.session.measurements``."""
        return AsyncSessionView(self._link)

    def control(self, tagger: Any = None, *, lease_s: float = 60.0, force: bool = False) -> AsyncControlLease:
        """Take control of an instrument, as the blocking client does: ``async with TT.control(tagger): ...``."""
        return AsyncControlLease(self._async_link, tagger, lease_s, force)

    def close(self) -> NoReturn:
        """Refuse: an asyncio client is closed with ``await TT.aclose()``."""
        raise NotSupported("an asyncio client is closed with: await TT.aclose()")

    def __enter__(self) -> NoReturn:
        raise TypeError("an asyncio client is used with: async with")

    def __dir__(self) -> list[str]:
        return [*self.__all__, "aclose", "control", "session"]

    def _class(self, spec: ClassSpec) -> type[RemoteObject]:
        known = self._catalog.class_by_name
        indirect = {grand for base in spec.bases for grand in known[base].bases}
        bases = tuple(self._member_named(base) for base in spec.bases if base not in indirect)
        link: Any = self._async_link
        made: Any = build_class(spec, bases or (AsyncObject,), link, self._catalog.library)
        made._tagwire_link, made._tagwire_kind = link, spec.kind
        names = [method.name for method in spec.methods]
        for method in spec.methods:
            if method.name in vars(made) and not method.static and is_sliced(method):
                setattr(made, method.name, _waiting(method, names, vars(made)[method.name]))
        for name in ("__enter__", "__exit__", "__setattr__", "__init_subclass__"):
            if name in vars(made):
                delattr(made, name)
        return made  # type: ignore[no-any-return]


def _waiting(method: MethodSpec, names: list[str], blocking: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: AsyncObject, *args: Any, **kwargs: Any) -> Any:
        link, handle = self._tagwire_link, self._tagwire_handle
        return await wait_async(method, names, args, kwargs, partial(link.request, "wait", handle.id))

    call.__name__, call.__qualname__, call.__doc__ = blocking.__name__, blocking.__qualname__, blocking.__doc__
    call.__signature__ = blocking.__signature__  # type: ignore[attr-defined]
    return call
