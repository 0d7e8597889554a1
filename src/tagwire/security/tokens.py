"""The tokens of a server's clients: made here, shown once, and kept as hashes only."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagwire.errors import ArgumentError, KeysUnusable
from tagwire.security import places, private
from tagwire.security.roles import Principal, Role

FILE = "tokens.json"
PREFIX = "tagwire-"
"""How a token begins, so that a person or a secret scanner recognises one."""

LONGEST = 256
"""Characters; what is longer is no token and not looked at."""

_NAME = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of a token: its owner, role, when it was made, and its SHA-256.

    The token has 256 random bits, so its plain hash is as safe as a slow and salted one.
    """

    name: str
    role: Role
    created: str
    sha256: str

    @property
    def principal(self) -> Principal:
        """Who presents this token."""
        return Principal(self.name, self.role, self.sha256[:16])


class Tokens:
    """The token file in `folder` (default: `places.home`).

    A server that runs sees changes at the next connection: the file is read again when it has changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or places.home()) / FILE
        self._read: tuple[object, tuple[TokenInfo, ...]] = (None, ())

    def add(self, name: str, role: Role) -> str:
        """A new token for `name`. It is returned here and can never be seen again."""
        if not _NAME.fullmatch(name):
            raise ArgumentError(f"{name!r} is not a name: 1 to 64 letters, digits and the signs . _ @ + - are")
        token = PREFIX + secrets.token_urlsafe(32)
        with private.edit_json(self.path) as content:
            if name in content:
                raise ArgumentError(f"{name!r} has a token already; revoke it first: tagwire keys revoke {name}")
            created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            content[name] = {"role": str(role), "created": created, "sha256": _hash(token)}
        return token

    def revoke(self, name: str) -> None:
        """The token of `name` opens nothing any more; `ArgumentError` (ValueError) when there is none."""
        with private.edit_json(self.path) as content:
            if name not in content:
                raise ArgumentError(f"{name!r} has no token; these have: {', '.join(sorted(content)) or 'nobody'}")
            del content[name]

    def list(self) -> tuple[TokenInfo, ...]:
        """All tokens, by name."""
        stamp = self._stamp()
        if stamp != self._read[0]:
            content = private.read_json(self.path)
            self._read = (stamp, tuple(self._info(name, content[name]) for name in sorted(content)))
        return self._read[1]

    def verify(self, token: object) -> Principal | None:
        """Who presents `token`; None when it is none of ours. Takes equally long whichever it is."""
        if not isinstance(token, str) or not token.isascii() or len(token) > LONGEST:
            return None
        presented, found = _hash(token), None
        for info in self.list():
            if hmac.compare_digest(info.sha256, presented):
                found = info.principal
        return found

    def still_hold(self, principal: Principal) -> bool:
        """Whether the token of somebody who came in before has not been revoked since."""
        return any(info.principal == principal and info.principal.key == principal.key for info in self.list())

    def _stamp(self) -> object:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return "missing"
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _info(self, name: str, entry: Any) -> TokenInfo:
        try:
            return TokenInfo(
                name, Role(entry["role"]), str(entry["created"]), str(entry["sha256"]).encode("ascii").decode()
            )
        except (KeyError, TypeError, ValueError) as error:
            raise KeysUnusable(f"{self.path} is damaged at {name!r}; repair or remove the entry") from error


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
