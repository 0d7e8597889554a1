"""What somebody may do, and who somebody is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a client may do: `OBSERVE` reads, `CONTROL` does everything."""

    OBSERVE = "observe"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whom the server knows: the name that was given with the token, and the role.

    `key` tells one token of the same name from the next; it is no secret.
    """

    name: str
    role: Role
    key: str = field(default="", compare=False, repr=False)


EVERYBODY = Principal("", Role.CONTROL)
"""Who connects to a server that asks for no token."""
