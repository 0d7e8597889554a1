"""From the objects that a server is to offer beside the API, by name, to its `Instruments`."""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from tagwire.core.catalog import Catalog, read_instrument
from tagwire.errors import ArgumentError
from tagwire.rpc.client.aio import AsyncModule
from tagwire.rpc.client.module import RemoteModule
from tagwire.rpc.host.doors import DOORS
from tagwire.rpc.host.instruments import Instruments


def read_instruments(objects: Mapping[str, object], catalog: Catalog) -> Instruments:
    """`ArgumentError` when a name would be hard to write, or would hide something else from clients."""
    for name in objects:
        _check(name, catalog)
    return Instruments([read_instrument(name, obj) for name, obj in objects.items()])


def _check(name: str, catalog: Catalog) -> None:
    taken = {*catalog.class_by_name, *catalog.function_by_name, *catalog.enum_by_name, *dict(catalog.constants)}
    taken |= set(catalog.namespaces)
    reserved = {*dir(RemoteModule), *dir(AsyncModule), *DOORS, "tagwire"}
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ArgumentError(f"{name!r} cannot be the name of an instrument: it must be a public name of Python")
    if name in taken:
        raise ArgumentError(f"an instrument cannot be called {name!r}: the Time Tagger API has that name")
    if name in reserved:
        raise ArgumentError(f"an instrument cannot be called {name!r}: the connection itself has that name")
