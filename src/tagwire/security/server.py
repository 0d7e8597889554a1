"""What a server demands of its clients."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tagwire.errors import KeysUnusable
from tagwire.security import audit, places
from tagwire.security.audit import AuditLog
from tagwire.security.authenticator import DELAY_S, Authenticator, peer_address
from tagwire.security.identity import Identity
from tagwire.security.roles import EVERYBODY, Principal
from tagwire.security.tls import SecureSocket, server_context
from tagwire.security.tokens import Tokens


@dataclass(frozen=True)
class ServerSecurity:
    """Tokens, TLS and audit log of a server.

    Attributes
    ----------
    tokens
        Who is known; everybody has to show a token. None: everybody comes in, which is for this computer only.
    identity
        Offers TLS with this identity. Connections from other computers have to use it.
    audit
        Where it is written who does what.
    plain_pyro
        Let plain Pyro5 clients in, which can show no token and do everything.
    refusal_s
        Seconds that whoever shows a wrong token waits for the answer.
    is_local
        Which addresses are this computer's own and cannot be reached from another.
    """

    tokens: Tokens | None = None
    identity: Identity | None = None
    audit: AuditLog | None = None
    plain_pyro: bool = False
    refusal_s: float = DELAY_S
    is_local: Callable[[str], bool] = field(default=places.is_loopback, repr=False)

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        *,
        tls: bool = True,
        audit_file: Path | None = None,
        plain_pyro: bool = False,
        is_local: Callable[[str], bool] = places.is_loopback,
    ) -> ServerSecurity:
        """What ``tagwire keys`` has made in `folder` (default: `places.home`).

        Raises
        ------
        KeysUnusable
            There is no identity although TLS is wanted, there are no tokens, or a file is damaged or open to others.
        """
        tokens = Tokens(folder)
        identity = Identity.load(folder) if tls else None
        if not tokens.list():
            raise KeysUnusable(
                f"nobody has a token in {tokens.path}; make one with: tagwire keys add NAME --role control"
            )
        log = AuditLog(audit_file or (folder or places.home()) / audit.FILE)
        return cls(tokens, identity, log, plain_pyro, is_local=is_local)

    @cached_property
    def context(self) -> ssl.SSLContext | None:
        """The server's TLS context; None without an identity."""
        return server_context(self.identity) if self.identity else None

    def authenticator(self) -> Authenticator:
        """What checks the tokens of a server."""
        return Authenticator(self.tokens, self.audit, self.refusal_s)

    def verify(self, token: object) -> Principal | None:
        """Who shows `token`; None when nobody known does."""
        return self.tokens.verify(token) if self.tokens else EVERYBODY

    def welcomes_still(self, principal: Principal) -> bool:
        """Whether somebody who came in before may stay: the token has not been revoked since."""
        return self.tokens is None or principal is EVERYBODY or self.tokens.still_hold(principal)

    def lets_plain_in(self) -> bool:
        """Whether plain Pyro5 clients, which can show no token, may come in."""
        return self.plain_pyro or self.tokens is None

    def demands_tls(self, sock: socket.socket | SecureSocket) -> bool:
        """Whether the peer of `sock` has to use TLS: it sits at another computer, and there is an identity."""
        return self.identity is not None and not self.is_local(peer_address(sock))
