"""All servers that a client can know of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tagwire.config import read_configuration
from tagwire.core.address import Address, parse_address
from tagwire.discovery.found import ServerFound
from tagwire.discovery.mdns import browse
from tagwire.errors import ArgumentError
from tagwire.security.known import KnownServers
from tagwire.security.places import is_loopback

_PORT = 23000


def servers(
    timeout: float = 2.0, mdns: bool = False, look: Callable[[float], list[ServerFound]] = browse
) -> list[ServerFound]:
    """The servers of the configuration, those met before, and on request those that announce themselves.

    A server that is known in several ways stands there once.

    Parameters
    ----------
    timeout
        Seconds to listen for announcements, within (0, 60].
    mdns
        Whether to ask the local network, by multicast.
    look
        What asks the network.

    Raises
    ------
    ArgumentError
        (ValueError) `timeout` is out of range.
    NotSupported
        (RuntimeError) `mdns` is true and `zeroconf` is not installed.
    ConfigurationError
        (ValueError) The user's configuration is not understood.
    """
    if not 0 < timeout <= 60:
        raise ArgumentError(f"timeout is {timeout}, but must be within (0, 60] seconds")
    found = [*_configured(), *_known()]
    if mdns:
        found += look(timeout)
    first: dict[Address, ServerFound] = {}
    for server in found:
        first.setdefault(server.address, server)
    return list(first.values())


def _configured() -> Iterator[ServerFound]:
    for name, known in read_configuration().servers.items():
        host, port = known.address
        tls = bool(known.fingerprint) or not is_loopback(host)
        yield ServerFound(name, host, port, tls, known.fingerprint, source="configuration")


def _known() -> Iterator[ServerFound]:
    for name, known in KnownServers().list().items():
        host, port = parse_address(name, _PORT)
        tls = not known.plain and (bool(known.fingerprint) or not is_loopback(host))
        yield ServerFound(host, host, port, tls, known.fingerprint, source="known")
