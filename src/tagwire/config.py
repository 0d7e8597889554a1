"""The configuration file: what `tagwire serve` does, and servers under short names.

One file, ``tagwire.toml`` in the folder of `places.home`. Nothing needs it to exist::

    [serve]                       # any option of `tagwire serve`, with _ for -
    host = "0.0.0.0"
    data = "/home/lab/recordings"

    [servers.bench]               # tagwire.connect("bench")
    host = "lab-pc.example.org"
    port = 23000
    stream_port = 41101           # createTimeTaggerNetwork("bench")
    fingerprint = "1a2b-..."
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagwire.core.address import STREAM_PORT, Address, parse_address
from tagwire.errors import ConfigurationError, TagwireError
from tagwire.security import ClientSecurity, client_security, places
from tagwire.security.fingerprint import parse_fingerprint

FILE = "tagwire.toml"
PORT = 23000
PORT_MAX = 65535

_SERVER_KEYS = ("host", "port", "stream_port", "fingerprint")


@dataclass(frozen=True)
class KnownAddress:
    """A server that the configuration names, and its tag stream; `fingerprint` is empty when it names none."""

    name: str
    address: Address
    stream: Address
    fingerprint: str = ""


@dataclass(frozen=True)
class Configuration:
    """What stands in the file at `path`."""

    path: Path
    serve: Mapping[str, Any] = field(default_factory=dict)
    servers: Mapping[str, KnownAddress] = field(default_factory=dict)


def read_configuration(path: Path | None = None) -> Configuration:
    """Read the file at `path`; without a path the user's own, which need not exist.

    Raises
    ------
    ConfigurationError
        (ValueError) It cannot be read, or something in it is not understood; the message names key and value.
    """
    file = path or places.home() / FILE
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if path is None:
            return Configuration(file)
        raise ConfigurationError(f"there is no configuration file {file}") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    _check_keys(file, "", content, ("serve", "servers"))
    serve, servers = (_section(file, key, content.get(key, {})) for key in ("serve", "servers"))
    return Configuration(file, serve, {name: _server(file, name, entry) for name, entry in servers.items()})


def reach(
    host: str,
    port: int = PORT,
    *,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
) -> ClientSecurity:
    """How to reach the server that `host` means: a name of the configuration, ``HOST`` or ``HOST:PORT``.

    A name of the configuration has its own port. For the rest, and the errors, see `client_security`; the answer says
    host and port.

    Raises
    ------
    ArgumentError, ArgumentKindError
        (ValueError, TypeError) `host` is no address, or `port` no number within [1, 65535].
    ConfigurationError
        (ValueError) The user's configuration is not understood.
    """
    from tagwire.core.arguments import integer, text  # loads NumPy

    default = integer(port, "port", 1, PORT_MAX)
    known = read_configuration().servers.get(text(host, "host"))
    where = known.address if known else parse_address(host, default)
    expected = fingerprint or (known.fingerprint if known else None)
    return client_security(where.host, where.port, token=token, tls=tls, fingerprint=expected)


def stream_address(server: str) -> Address:
    """Where the tag stream is that `server` means: a name of the configuration, ``HOST`` or ``HOST:PORT``.

    Raises
    ------
    ArgumentError
        (ValueError) It is no address.
    ConfigurationError
        (ValueError) The user's configuration is not understood.
    """
    known = read_configuration().servers.get(server)
    return known.stream if known else parse_address(server, STREAM_PORT)


def _server(file: Path, name: str, entry: Any) -> KnownAddress:
    from tagwire.core.arguments import integer, text

    key = f"servers.{name}"
    values = _section(file, key, entry)
    _check_keys(file, f"{key}.", values, _SERVER_KEYS)
    if not values.get("host"):
        raise ConfigurationError(f"{file}: {key}.host is missing; it names the computer")
    try:
        host = text(values["host"], "host")
        port = integer(values.get("port", PORT), "port", 1, PORT_MAX)
        stream = integer(values.get("stream_port", STREAM_PORT), "stream_port", 1, PORT_MAX)
        shown = text(values.get("fingerprint", ""), "fingerprint")
        print_ = parse_fingerprint(shown) if shown else ""
        return KnownAddress(name, Address(host, port), Address(host, stream), print_)
    except TagwireError as error:
        raise ConfigurationError(f"{file}: {key}: {error}") from error


def _section(file: Path, key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{file}: {key} is {value!r}, but must be a section: [{key}]")
    return value


def _check_keys(file: Path, prefix: str, content: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in content:
        if key not in known:
            raise ConfigurationError(f"{file}: {prefix}{key} is not known here; there are {', '.join(known)}")
