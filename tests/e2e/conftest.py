"""A server of the tiny instrument, fresh for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tiny_instrument

from tagwire.core.catalog import Catalog, read_catalog
from tagwire.rpc.server import Server


@pytest.fixture(scope="session")
def tiny_catalog() -> Catalog:
    return read_catalog(tiny_instrument)


@pytest.fixture
def tiny_server(tiny_catalog: Catalog) -> Iterator[Server]:
    tiny_instrument._open.clear()
    tiny_instrument._running.clear()
    tiny_instrument._entered.clear()
    tiny_instrument._go_on.clear()
    with Server(tiny_instrument, "127.0.0.1", 0, grace=0.0, session_grace=0.0, catalog=tiny_catalog) as server:
        yield server
        tiny_instrument._go_on.set()
