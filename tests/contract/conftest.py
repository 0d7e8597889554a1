"""Clients and servers of these tests share one process with the instrument: a pause of its own kills nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from steady import PATIENCE_S


@pytest.fixture(scope="module", autouse=True)
def _slow_is_not_dead() -> Iterator[None]:
    """The times after which a peer counts as silent are for networks; here, it is only the computer that is slow."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("client.HANDSHAKE_S", "source.QUIET_S", "source.HANDOVER_S", "source.ALIVE_S", "ring.PATIENCE"):
            patch.setattr(f"tagwire.network.{name}", PATIENCE_S)
        yield
