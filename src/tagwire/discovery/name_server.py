"""A Pyro name server that knows a server under a name."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from tagwire.core.address import Address
from tagwire.errors import ServerUnreachable

PORT = 9090
"""Where Pyro name servers listen."""

log = logging.getLogger(__name__)


@contextlib.contextmanager
def registered(name: str, uri: str, name_server: Address) -> Iterator[None]:
    """While the block runs, the Pyro name server knows `uri` as `name`.

    Raises
    ------
    ServerUnreachable
        No name server answers there.
    """
    from Pyro5.core import locate_ns
    from Pyro5.errors import PyroError

    try:
        with locate_ns(name_server.host, name_server.port, broadcast=False) as names:
            names.register(name, uri)
    except PyroError as error:
        raise ServerUnreachable(f"no Pyro name server answers at {name_server} ({error})") from error
    try:
        yield
    finally:
        try:
            with locate_ns(name_server.host, name_server.port, broadcast=False) as names:
                names.remove(name)
        except PyroError as error:
            log.warning("the Pyro name server at %s does not answer any more: %s", name_server, error)
