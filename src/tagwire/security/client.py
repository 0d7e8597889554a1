"""How a client reaches a server safely: whether with TLS, whom it expects there, and the token it shows."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from dataclasses import dataclass, field

from tagwire.errors import ServerNotTrusted
from tagwire.security import places
from tagwire.security.fingerprint import fingerprint as fingerprint_of
from tagwire.security.fingerprint import parse_fingerprint
from tagwire.security.known import KnownServers, address
from tagwire.security.tls import SecureSocket, client_context

log = logging.getLogger(__name__)

TOKEN = "TAGWIRE_TOKEN"
"""Environment variable with the token to show when the call names none."""

HANDSHAKE_S = 10.0
"""Seconds that a server may take for the TLS handshake."""


@dataclass
class ClientSecurity:
    """What was decided for one server, for all connections to it.

    Attributes
    ----------
    host, port
        The server.
    tls
        Whether connections are encrypted.
    fingerprint
        Whom to expect; empty until the first connection when nothing is known yet.
    token
        The secret to show; None for none.
    """

    host: str
    port: int
    tls: bool
    fingerprint: str = ""
    token: str | None = field(default=None, repr=False)

    def wrap(self, sock: socket.socket, timeout: float = HANDSHAKE_S) -> socket.socket | SecureSocket:
        """`sock` as it is to be used: itself, or with TLS once the server is the expected one.

        Raises
        ------
        ServerNotTrusted
            The server has another fingerprint, or does not speak TLS. `sock` stays the caller's.
        """
        if not self.tls:
            return sock
        secure = self._secured(sock, timeout)
        self.check(secure.peer_certificate)
        return secure

    def trusted_certificate(self, timeout: float = HANDSHAKE_S, *, remember: bool = True) -> bytes:
        """The server's certificate (PEM), compared with what is expected: for libraries that do TLS themselves.

        They trust this certificate as their only root, and the name to check is `tagwire.security.identity.TLS_NAME`.
        Raises as `wrap` does, and `OSError` when nobody answers. When nothing was expected yet, the certificate is
        remembered, or without `remember` just told.
        """
        with socket.create_connection((self.host, self.port), timeout) as sock:
            certificate = self._secured(sock, timeout).peer_certificate
        if self.fingerprint or remember:
            self.check(certificate)
        return ssl.DER_cert_to_PEM_cert(certificate).encode()

    def check(self, certificate: bytes) -> None:
        """Compare the server's certificate (DER) with what is expected, or remember it at first use."""
        seen = fingerprint_of(certificate)
        if not self.fingerprint:
            self._remember(seen)
        elif seen != self.fingerprint:
            raise ServerNotTrusted(_changed(self, seen))

    def _secured(self, sock: socket.socket, timeout: float) -> SecureSocket:
        try:
            return SecureSocket(sock, client_context(), server_side=False, timeout=timeout)
        except (ssl.SSLError, ConnectionError) as error:
            raise ServerNotTrusted(_no_tls(self, error)) from error

    def _remember(self, seen: str) -> None:
        self.fingerprint = seen
        where = address(self.host, self.port)
        try:
            KnownServers().remember(self.host, self.port, fingerprint=seen)
        except OSError as error:
            log.warning("the fingerprint of %s cannot be remembered (%s): %s", where, error, seen)
            return
        log.warning("first connection to %s: its fingerprint is remembered from now on: %s", where, seen)


def client_security(
    host: str, port: int, *, token: str | None = None, tls: bool | None = None, fingerprint: str | None = None
) -> ClientSecurity:
    """Decide how to reach the server at `host`:`port`.

    Parameters
    ----------
    token
        The secret to show; without it `TAGWIRE_TOKEN` counts, then what ``tagwire login`` has stored for the server.
    tls
        True or False decide; None means: with TLS if a fingerprint is given or known or the server is on another
        computer, without it on this one and where ``tagwire login --no-tls`` was said.
    fingerprint
        Whom to expect, whatever is known; ``tagwire keys fingerprint`` shows it at the server.

    Raises
    ------
    ArgumentError
        (ValueError) `fingerprint` is none.
    KeysUnusable
        The file of known servers is damaged, or others can read it.
    """
    known = KnownServers().find(host, port)
    given = parse_fingerprint(fingerprint) if fingerprint else ""
    expected = given or known.fingerprint
    secret = token or os.environ.get(TOKEN) or known.token or None
    usual = bool(given) or (not known.plain and (bool(expected) or not places.is_loopback(host)))
    return ClientSecurity(host, port, usual if tls is None else bool(tls), expected, secret)


def _no_tls(server: ClientSecurity, error: Exception) -> str:
    where = address(server.host, server.port)
    return (
        f"no encrypted connection to {where} ({error}). Tagwire expects TLS beyond this computer: start the server "
        "with keys (tagwire keys init), or, in a network that you trust, say tls=False here and --no-tls there"
    )


def _changed(server: ClientSecurity, seen: str) -> str:
    where = address(server.host, server.port)
    return (
        f"THE SERVER AT {where} IS NOT THE ONE IT WAS: its fingerprint is\n  {seen}\nand expected is\n  "
        f"{server.fingerprint}\nEither it got a new identity, or somebody stands between you and it. Nothing was sent. "
        "Ask whoever runs it to read out `tagwire keys fingerprint`; if that is the first one above, "
        f"accept it with: tagwire login {where} --renew"
    )
