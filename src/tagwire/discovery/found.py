"""A server that was found."""

from __future__ import annotations

from dataclasses import dataclass

from tagwire.core.address import Address


@dataclass(frozen=True, slots=True)
class ServerFound:
    """A server, as far as it is known without connecting to it.

    What a server announces of itself is not proven: `fingerprint` is for people to compare, and a client still expects
    the one that it knows.

    Attributes
    ----------
    name
        For people; ``tagwire.connect`` takes those of the configuration.
    host, port
        Where it listens.
    tls
        Whether it encrypts.
    fingerprint
        Of its certificate; empty when not known.
    library
        What it serves; empty when not known.
    source
        ``"configuration"``, ``"known"`` (this client has been there), or ``"network"`` (it announces itself).
    """

    name: str
    host: str
    port: int
    tls: bool
    fingerprint: str = ""
    library: str = ""
    source: str = "network"

    @property
    def address(self) -> Address:
        """Host and port."""
        return Address(self.host, self.port)
