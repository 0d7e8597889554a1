"""mDNS: servers tell the local network that they are there, if they were asked to, and clients listen.

The library `zeroconf` does it; it comes with ``pip install 'tagwire[discovery]'``. Whatever it is told goes out as
multicast, so nothing here runs unless somebody asks for it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tagwire.discovery.found import ServerFound
from tagwire.discovery.records import SERVICE, from_record, to_record
from tagwire.errors import NotSupported


class Network(Protocol):
    """What is used of `zeroconf.Zeroconf`."""

    def register_service(self, info: Any, *, allow_name_change: bool) -> object:
        """Announce a record until `unregister_service`."""

    def unregister_service(self, info: Any) -> object:
        """Take it back."""

    def add_service_listener(self, type_: str, listener: Any) -> object:
        """Tell `listener` which names come and go."""

    def get_service_info(self, type_: str, name: str, timeout: int) -> Any:
        """The record of a name; None when it does not come within `timeout` ms."""

    def close(self) -> object:
        """End everything."""


def open_network(interfaces: list[str] | None = None) -> Network:
    """The real network; `NotSupported` when `zeroconf` is not installed.

    Parameters
    ----------
    interfaces
        Addresses of the network interfaces to use; all without it.
    """
    try:
        from zeroconf import InterfaceChoice, Zeroconf
    except ImportError as error:
        raise NotSupported("mDNS needs the library zeroconf: pip install 'tagwire[discovery]'") from error
    network: Network = Zeroconf(interfaces=interfaces or InterfaceChoice.All)
    return network


@contextlib.contextmanager
def announced(
    server: ServerFound, addresses: list[str], connect: Callable[[list[str]], Network] = open_network
) -> Iterator[None]:
    """While the block runs, `server` is announced at `addresses`, on their interfaces only."""
    network = connect(addresses)
    record = to_record(server, addresses)
    try:
        network.register_service(record, allow_name_change=True)
        try:
            yield
        finally:
            network.unregister_service(record)
    finally:
        network.close()


def browse(seconds: float, connect: Callable[[], Network] = open_network) -> list[ServerFound]:
    """The servers that answer within `seconds`."""
    network, names = connect(), _Names()
    try:
        deadline = time.monotonic() + seconds
        network.add_service_listener(SERVICE, names)
        time.sleep(seconds)
        left = max(500, round(1000 * (deadline - time.monotonic())))
        records = [network.get_service_info(SERVICE, name, left) for name in names.present()]
    finally:
        network.close()
    return [found for record in records if record is not None and (found := from_record(record))]


def own_addresses() -> list[str]:
    """The IPv4 addresses of this computer by which others reach it."""
    import ifaddr

    found = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    return sorted({ip for ip in found if isinstance(ip, str) and not ip.startswith(("127.", "169.254."))})


class _Names:
    """The names that a network tells of."""

    MOST = 1000

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def present(self) -> list[str]:
        return list(self._names)

    def add_service(self, network: object, type_: str, name: str) -> None:
        if len(self._names) < self.MOST:
            self._names[name] = None

    def update_service(self, network: object, type_: str, name: str) -> None:
        self.add_service(network, type_, name)

    def remove_service(self, network: object, type_: str, name: str) -> None:
        self._names.pop(name, None)
