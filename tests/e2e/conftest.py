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


@pytest.fixture(autouse=True)
def _tiny_instrument_at_rest() -> None:
    """What a test leaves open must not be in the way of another one."""
    for state in (tiny_instrument._open, tiny_instrument._running, tiny_instrument._loggers):
        state.clear()
    tiny_instrument._entered.clear()
    tiny_instrument._go_on.clear()


@pytest.fixture
def tiny_server(tiny_catalog: Catalog) -> Iterator[Server]:
    with Server(tiny_instrument, "127.0.0.1", 0, grace=0.0, session_grace=0.0, catalog=tiny_catalog) as server:
        yield server
        tiny_instrument._go_on.set()
