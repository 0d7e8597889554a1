"""Options of `tagwire serve` that say who may use the server, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tagwire.cli.common import option_bundle
from tagwire.security import AuditLog, ServerSecurity
from tagwire.security.places import is_loopback

NO_TLS = "WARNING: --no-tls: tokens and data can be read, and changed, by everybody on the way to the clients."
PLAIN_PYRO = (
    "WARNING: --allow-plain-pyro: whoever reaches the port can use the server without any token, with full control, "
    "and nothing is encrypted for them. Allow it only in a network in which you trust everybody."
)

OPTIONS = (
    click.option("--auth", is_flag=True, help="Ask for tokens on this computer, too (beyond it, always)."),
    click.option("--no-tls", is_flag=True, help="Do not encrypt beyond this computer."),
    click.option("--allow-plain-pyro", is_flag=True, help="Let plain Pyro5 clients in without a token."),
    click.option("--audit", type=click.Path(dir_okay=False, path_type=Path), help="File for who did what and when."),
    click.option("--everywhere-is-remote", is_flag=True, hidden=True, help="Take no address for this computer's own."),
)


@dataclass(frozen=True)
class Access:
    """What was asked for."""

    auth: bool = False
    no_tls: bool = False
    allow_plain_pyro: bool = False
    audit: Path | None = None
    everywhere_is_remote: bool = False

    def security(self, host: str) -> ServerSecurity | None:
        """What a server at `host` demands; `KeysUnusable` when keys are missing for that."""
        is_local = (lambda _: False) if self.everywhere_is_remote else is_loopback
        if not self.auth and is_local(host):
            return ServerSecurity(audit=AuditLog(self.audit)) if self.audit else None
        return ServerSecurity.load(
            tls=not self.no_tls, audit_file=self.audit, plain_pyro=self.allow_plain_pyro, is_local=is_local
        )

    def warnings(self) -> list[str]:
        """What whoever starts the server should know."""
        return [NO_TLS] * self.no_tls + [PLAIN_PYRO] * self.allow_plain_pyro


access_options = option_bundle("access", Access, OPTIONS)


def welcome(security: ServerSecurity | None, there: str) -> list[str]:
    """What clients need to come in, beside the address `there`."""
    if security is None or security.tokens is None:
        return []
    lines = [f"  once per client    tagwire login {there}" + ("" if security.identity else " --no-tls")]
    if security.identity:
        lines += [f"  fingerprint        {security.identity.fingerprint}"]
    return lines
