"""Servers as mDNS service records, both ways."""

from __future__ import annotations

from typing import Any

from tagwire.discovery.found import ServerFound

SERVICE = "_tagwire._tcp.local."
_TEXT = 200
_LABEL = 50
"""Bytes of a name; with what is added it has to fit into the 63 of a DNS label."""


def to_record(server: ServerFound, addresses: list[str]) -> Any:
    """The record (`zeroconf.ServiceInfo`) with which `server` announces itself, reachable at `addresses`."""
    from zeroconf import ServiceInfo

    facts = {"tls": "1" if server.tls else "0", "fingerprint": server.fingerprint, "library": server.library[:_TEXT]}
    name = server.name.replace(".", "-").encode()[:_LABEL].decode(errors="ignore")
    return ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=server.port,
        properties=facts,
        parsed_addresses=addresses,
        server=f"{name}-tagwire.local.",
    )


def from_record(record: Any) -> ServerFound | None:
    """The server that a record describes; None when it names no address. Whatever a record says is only text."""
    addresses = sorted(record.parsed_addresses(), key=lambda address: ":" in address)  # IPv4 first: no scope to tell
    if not addresses or not record.port:
        return None
    facts = {key: (value or "")[:_TEXT] for key, value in record.decoded_properties.items()}
    name = record.name.removesuffix(f".{record.type}")
    tls, library = facts.get("tls") == "1", _printable(facts.get("library", ""))
    return ServerFound(
        _printable(name), addresses[0], record.port, tls, _printable(facts.get("fingerprint", "")), library
    )


def _printable(text: str) -> str:
    """`text` without what would move a terminal's cursor."""
    return "".join(c for c in text if c.isprintable())
