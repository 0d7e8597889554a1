"""Everything between an accepted connection and the first call: encryption, and who may come in."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import Any, NoReturn

from tagwire.errors import KeysUnusable, LimitReached
from tagwire.rpc.host import pyro
from tagwire.rpc.host.pyro import Socket
from tagwire.rpc.limits import Limits
from tagwire.security import EVERYBODY, Authenticator, Principal, SecureSocket, ServerSecurity
from tagwire.security.authenticator import peer_address
from tagwire.security.lobby import Lobby

log = logging.getLogger(__name__)

_TLS_HANDSHAKE = b"\x16"
"""First byte of a client that begins with TLS; no message of Pyro's begins like this."""


_LOOK_S = 1.0
"""How often it is looked whether tokens were revoked."""


_NO_TOKEN = (
    "this server asks for a token, which a plain Pyro5 client cannot show: use tagwire.connect(), or start the server "
    "with --allow-plain-pyro"
)


class Gate:
    """Lets connections in, each in the thread of its own.

    Parameters
    ----------
    security
        What is demanded; None for an open server.
    """

    def __init__(self, security: ServerSecurity | None, limits: Limits) -> None:
        self.lobby = Lobby(limits.newcomers, limits.newcomers_per_address)
        self._inside: dict[Socket, Principal] = {}
        self._closing = threading.Event()
        self._complained = False
        self._lock = threading.Lock()
        self._security = security
        self._limits = limits
        self._authenticator = security.authenticator() if security else Authenticator(None)

    def secured(self, sock: socket.socket) -> Socket:
        """`sock`, with TLS if the client begins with it. Raises `OSError` when it does nothing in time."""
        sock.settimeout(self._limits.handshake_s)
        begins = sock.recv(1, socket.MSG_PEEK)
        context = self._security.context if self._security else None
        if begins != _TLS_HANDSHAKE:
            return sock
        if context is None:
            raise OSError("the client wants TLS, and there is none here")
        return SecureSocket(sock, context, server_side=True, timeout=self._limits.handshake_s)

    def check_form(self, serializer: int, sock: Socket) -> None:
        """`Refused`, before it is decoded, for a greeting in a form that only plain Pyro clients use.

        They are not let in anyway, and reading serpent takes hundreds of times the memory of the text.
        """
        if serializer != pyro.MSGPACK and not self._lets_plain_in():
            self._refuse(sock, "a plain Pyro5 client", _NO_TOKEN)

    def admit_client(self, hello: dict[str, Any], sock: Socket) -> Principal:
        """Which client of ours greets with `hello`; raises `AccessRefused`, or `Refused` without TLS or a place."""
        security = self._security
        if security and security.demands_tls(sock) and not isinstance(sock, SecureSocket):
            self._refuse(sock, "no TLS", "this server wants an encrypted connection: connect with tls=True")
        try:
            principal = self._authenticator.check(hello.get("token"), sock)
        except (KeysUnusable, OSError) as error:  # says where files are, which is no news for strangers
            log.error("nobody can be let in: %s", error)
            raise pyro.Refused("the server cannot read its keys now; tell whoever runs it") from error
        self._enter(sock, principal)
        self._record(principal, sock, client=hello.get("who", ""))
        return principal

    def admit_plain(self, sock: Socket) -> Principal:
        """A plain Pyro client; `Refused` where tokens are asked for and plain clients not allowed, and when full."""
        if not self._lets_plain_in():
            self._refuse(sock, "a plain Pyro5 client", _NO_TOKEN)
        self._enter(sock, EVERYBODY)
        self._record(EVERYBODY, sock, client="plain Pyro5")
        return EVERYBODY

    def left(self, sock: Socket) -> None:
        """The connection has ended, whether it was let in or not."""
        with self._lock:
            self._inside.pop(sock, None)

    def watch(self) -> None:
        """End the connections of those whose tokens are revoked, until `close`."""
        while not self._closing.wait(_LOOK_S):
            if self._security is not None:
                self._dismiss(self._security)

    def close(self) -> None:
        """End what waits here."""
        self._closing.set()
        self._authenticator.close()

    def _lets_plain_in(self) -> bool:
        return self._security is None or self._security.lets_plain_in()

    def _dismiss(self, security: ServerSecurity) -> None:
        with self._lock:
            inside = dict(self._inside)
        try:
            unknown = [sock for sock, who in inside.items() if not security.welcomes_still(who)]
        except (KeysUnusable, OSError) as error:
            if not self._complained:
                log.error("the tokens cannot be read: %s", error)
            self._complained = True
            return
        self._complained = False
        for sock in unknown:
            log.info("the token of %s was revoked: its connection ends", inside[sock].name)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _enter(self, sock: Socket, principal: Principal) -> None:
        with self._lock:
            full = self._fullness(principal)
            if not full:
                self._inside[sock] = principal
                return
        log.warning("a connection of %s was refused: %s", principal.name or "somebody", full)
        raise LimitReached(full)

    def _fullness(self, principal: Principal) -> str:
        """Why there is no place for one more connection, if there is none."""
        most, share = self._limits.connections, self._limits.connections_per_token
        if len(self._inside) >= most:
            return f"the server is full: {most} connections are open; try again later"
        if principal.name and sum(who.name == principal.name for who in self._inside.values()) >= share:
            return (
                f"{share} connections are open with the token of {principal.name}, the most for one token; close some "
                "of them, or ask for another token"
            )
        return ""

    def _refuse(self, sock: Socket, came_with: str, told: str) -> NoReturn:
        if self._security and self._security.audit:
            self._security.audit.refused(peer_address(sock), came_with)
        raise pyro.Refused(told)

    def _record(self, principal: Principal, sock: Socket, client: object) -> None:
        if self._security and self._security.audit:
            tls = sock.version if isinstance(sock, SecureSocket) else "none"
            self._security.audit.record(
                "connected", principal.name, role=principal.role, address=peer_address(sock), tls=tls, client=client
            )
