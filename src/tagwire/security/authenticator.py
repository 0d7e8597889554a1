"""Decides at the door of a server who may come in."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import NoReturn

from tagwire.errors import AccessRefused
from tagwire.security.audit import AuditLog
from tagwire.security.roles import EVERYBODY, Principal
from tagwire.security.tls import SecureSocket
from tagwire.security.tokens import Tokens

log = logging.getLogger(__name__)

DELAY_S = 1.0
"""How long whoever shows a wrong token waits for the answer; connections at the door are few per address."""


_LOOK_S = 0.1
_ANSWER_S = 5.0
"""How long sending the answer may take."""


class Authenticator:
    """Checks tokens.

    Parameters
    ----------
    tokens
        Those that are accepted; None for a server that asks for none.
    audit
        Where refusals are written.
    delay
        Seconds before a refusal is told. Whoever shows a right token never waits, and a wait holds up only its own
        connection.
    """

    def __init__(self, tokens: Tokens | None, audit: AuditLog | None = None, delay: float = DELAY_S) -> None:
        self._tokens = tokens
        self._audit = audit
        self._delay = delay
        self._closing = threading.Event()

    def check(self, token: object, sock: socket.socket | SecureSocket) -> Principal:
        """Who shows `token` on `sock`; `AccessRefused`, with a text for its user, when nobody known does."""
        if self._tokens is None:
            return EVERYBODY
        principal = self._tokens.verify(token)
        if principal is None:
            self._refuse("no token" if token is None else "a wrong token", sock)
        return principal

    def close(self) -> None:
        """Those who wait for their refusal get it now."""
        self._closing.set()

    def _refuse(self, shown: str, sock: socket.socket | SecureSocket) -> NoReturn:
        host = peer_address(sock)
        log.info("%s showed %s and was refused", host or "somebody", shown)
        if self._audit:
            self._audit.refused(host, shown)
        self._wait(sock)
        if shown == "no token":
            raise AccessRefused(
                "this server asks for a token. Whoever runs it makes one for you with `tagwire keys add NAME --role "
                "control`; then store it once with `tagwire login HOST`, or give it as connect(..., token=...) or in "
                "TAGWIRE_TOKEN"
            )
        raise AccessRefused("the server does not know this token; it may have been revoked")

    def _wait(self, sock: socket.socket | SecureSocket) -> None:
        """Wait as long as the peer is there: who was sent away holds no thread."""
        end = time.monotonic() + self._delay
        while (left := end - time.monotonic()) > 0 and not _is_gone(sock):
            if self._closing.wait(min(left, _LOOK_S)):
                return


def _is_gone(sock: socket.socket | SecureSocket) -> bool:
    """Whether the connection was closed, by the peer or here."""
    try:
        sock.settimeout(0)
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            sock.settimeout(_ANSWER_S)


def peer_address(sock: socket.socket | SecureSocket) -> str:
    """The IP address of the peer; empty when it has gone."""
    try:
        return str(sock.getpeername()[0])
    except (OSError, IndexError):
        return ""
