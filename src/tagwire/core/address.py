"""Where a server is: host and port, as people write them."""

from __future__ import annotations

from typing import NamedTuple

from tagwire.errors import ArgumentError

STREAM_PORT = 41101
"""Port of stream servers, unless another is said."""


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, default_port: int) -> Address:
    """``HOST``, ``HOST:PORT``, ``[IPv6]:PORT`` or a bare IPv6 address.

    Raises
    ------
    ArgumentError
        (ValueError) The host is missing or the port is not within [1, 65535].
    """
    bracketed, bracket, rest = text.removeprefix("[").partition("]")
    if text.startswith("[") and bracket:
        host, colon, port = bracketed, rest[:1], rest[1:]
    elif text.count(":") > 1:
        host, colon, port = text, "", ""
    else:
        host, colon, port = text.partition(":")
    if host.split() != [host] or colon not in ("", ":") or (colon and not _is_port(port)):
        raise ArgumentError(f"{text!r} is not an address: write HOST or HOST:PORT with a port within [1, 65535]")
    return Address(host, int(port) if colon else default_port)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= 65535
