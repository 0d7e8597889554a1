"""What a client remembers of servers: the fingerprint seen at first use, and the token that a person was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagwire.security import places, private

FILE = "known_servers.json"


@dataclass(frozen=True, slots=True)
class KnownServer:
    """What is remembered of one server; empty text for what is not. `plain`: its user accepts that it has no TLS."""

    fingerprint: str = ""
    token: str = field(default="", repr=False)
    plain: bool = False


class KnownServers:
    """The file of known servers in `folder` (default: `places.home`)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or places.home()) / FILE

    def find(self, host: str, port: int) -> KnownServer:
        """What is known of the server at `host`:`port`."""
        return _server(private.read_json(self.path).get(address(host, port)))

    def list(self) -> dict[str, KnownServer]:
        """All of them, by address."""
        return {name: _server(entry) for name, entry in private.read_json(self.path).items()}

    def remember(
        self, host: str, port: int, *, fingerprint: str = "", token: str = "", plain: bool | None = None
    ) -> None:
        """Keep what is given; what is empty stays as it was."""
        offered = {"fingerprint": fingerprint or None, "token": token or None, "plain": plain}
        given = {key: value for key, value in offered.items() if value is not None}
        with private.edit_json(self.path) as content:
            before = content.get(address(host, port))
            content[address(host, port)] = (before if isinstance(before, dict) else {}) | given

    def forget(self, host: str, port: int) -> bool:
        """Forget the server; whether it was known."""
        with private.edit_json(self.path) as content:
            return content.pop(address(host, port), None) is not None


def address(host: str, port: int) -> str:
    """``host:port`` as a key; names are the same in any case."""
    name = host.lower()
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _server(entry: Any) -> KnownServer:
    known = entry if isinstance(entry, dict) else {}
    return KnownServer(str(known.get("fingerprint", "")), str(known.get("token", "")), known.get("plain") is True)
