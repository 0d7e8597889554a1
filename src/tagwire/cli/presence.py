"""Options of `tagwire serve` that make the server known to others."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import click

from tagwire.cli.common import option_bundle
from tagwire.core.address import Address, parse_address
from tagwire.discovery.found import ServerFound
from tagwire.errors import ArgumentError
from tagwire.security import ServerSecurity
from tagwire.security.places import is_loopback

EVERYWHERE = ("", "0.0.0.0", "::")

OPTIONS = (
    click.option("--announce", is_flag=True, help="Tell the local network by mDNS, for `tagwire servers`."),
    click.option("--name", help="Name to be known by, with --announce and --name-server; else this computer's."),
    click.option("--name-server", metavar="HOST[:PORT]", help="Pyro name server to register at."),
)


@dataclass(frozen=True)
class Presence:
    """What was asked for."""

    announce: bool = False
    name: str | None = None
    name_server: str | None = None

    def check(self, host: str) -> None:
        """`ArgumentError` when nobody could follow the announcement of a server at `host`."""
        if self.announce and is_loopback(host):
            raise ArgumentError(
                f"--announce calls other computers to a server at {host} that they cannot reach; add --host 0.0.0.0"
            )
        if self.name_server:
            parse_address(self.name_server, 1)

    @contextlib.contextmanager
    def shown(self, here: Address, library: str, security: ServerSecurity | None) -> Iterator[list[str]]:
        """While the block runs, the server at `here` is known to others; lines that say so."""
        name = self.name or socket.gethostname()
        lines = []
        with contextlib.ExitStack() as stack:
            if self.announce:
                stack.enter_context(_announced(name, here, library, security))
                lines.append(f"  announced as       {name}  (tagwire servers)")
            if self.name_server:
                stack.enter_context(_registered(name, here, self.name_server))
                lines.append(f"  Pyro name server   PYRONAME:tagwire.{name}@{self.name_server}")
            yield lines


presence_options = option_bundle("presence", Presence, OPTIONS)


def _announced(
    name: str, here: Address, library: str, security: ServerSecurity | None
) -> contextlib.AbstractContextManager[None]:
    from tagwire.discovery.mdns import announced, own_addresses

    fingerprint = security.identity.fingerprint if security and security.identity else ""
    found = ServerFound(name, here.host, here.port, bool(fingerprint), fingerprint, library)
    return announced(found, own_addresses() if here.host in EVERYWHERE else [socket.gethostbyname(here.host)])


def _registered(name: str, here: Address, where: str) -> contextlib.AbstractContextManager[None]:
    from tagwire.discovery.name_server import PORT, registered

    host = socket.gethostname() if here.host in EVERYWHERE else here.host
    return registered(f"tagwire.{name}", f"PYRO:TimeTagger@{Address(host, here.port)}", parse_address(where, PORT))
