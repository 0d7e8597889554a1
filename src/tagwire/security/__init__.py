"""Who may use a server, and how both sides know each other: identities, tokens, roles, TLS, pins, audit log.

Values and files only; the doors (`rpc`, `network`, `cli`) put them to use. Importing this is cheap: `cryptography` is
loaded when an identity is made, and never by a client.
"""

from __future__ import annotations

from tagwire.security.audit import AuditLog
from tagwire.security.authenticator import Authenticator
from tagwire.security.client import ClientSecurity, client_security
from tagwire.security.identity import Identity
from tagwire.security.roles import EVERYBODY, Principal, Role
from tagwire.security.server import ServerSecurity
from tagwire.security.tls import SecureSocket, client_context, server_context
from tagwire.security.tokens import Tokens

__all__ = [
    "EVERYBODY",
    "AuditLog",
    "Authenticator",
    "ClientSecurity",
    "Identity",
    "Principal",
    "Role",
    "SecureSocket",
    "ServerSecurity",
    "Tokens",
    "client_context",
    "client_security",
    "server_context",
]
