"""`tagwire keys`: the identity of this computer's server, and who may use it."""

from __future__ import annotations

import click

from tagwire.cli.common import Commands, verbose_option
from tagwire.errors import KeysUnusable
from tagwire.security import Identity, Role, Tokens
from tagwire.security.places import HOME, home

ROLES = [role.value for role in Role]


@click.group("keys", cls=Commands)
@verbose_option
def command() -> None:
    """Identity of the server, and tokens of its clients.

    A server that other computers can reach needs both. They live in one folder of the user who runs the server
    (TAGWIRE_HOME chooses another). A server that runs heeds changes at once.

    \b
    Examples:
      tagwire keys init                        make the server's identity, once
      tagwire keys add anna --role control     a token for Anna, who may do everything
      tagwire keys add screen --role observe   a token that only reads
      tagwire keys revoke anna                 her token opens nothing any more
      tagwire keys fingerprint                 what clients compare at their first visit
    """


@command.command("init")
@click.option("--renew", is_flag=True, help="Replace the identity that exists; every client has to accept the new one.")
def init(renew: bool) -> None:
    """Make the identity of the server: a private key and its certificate.

    \b
    Examples:
      tagwire keys init
    """
    identity = Identity.create(replace=renew)
    click.echo(f"The server's identity is in {identity.path}; its fingerprint:\n  {identity.fingerprint}")
    if not Tokens().list():
        click.echo("Next, a token for each client: tagwire keys add NAME --role control")


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="observe: read; control: everything.")
def add(name: str, role: str) -> None:
    """Make a token for NAME and show it, this once.

    \b
    Examples:
      tagwire keys add anna --role control
    """
    token = Tokens().add(name, Role(role))
    click.echo(f"Token of {name} ({role}); it is shown only now:\n", err=True)
    click.echo(token)
    click.echo(f"\n{name} stores it with: tagwire login HOST", err=True)
    try:
        Identity.load()
    except KeysUnusable:
        click.echo("This computer has no server identity yet; make one with: tagwire keys init", err=True)


@command.command("list")
def show() -> None:
    """Show who has a token, since when, and with which role.

    \b
    Examples:
      tagwire keys list
    """
    infos = Tokens().list()
    for info in infos:
        click.echo(f"{info.name:<24} {info.role:<8} since {info.created}")
    if not infos:
        click.echo(f"Nobody has a token in {home()} ({HOME} chooses another folder).")


@command.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Take the token of NAME away; it opens no connection any more, and those that it opened end within seconds.

    \b
    Examples:
      tagwire keys revoke anna
    """
    Tokens().revoke(name)
    click.echo(f"The token of {name} opens nothing any more.")


@command.command("fingerprint")
def fingerprint() -> None:
    """Show the fingerprint of this computer's server.

    \b
    Examples:
      tagwire keys fingerprint
    """
    click.echo(Identity.load().fingerprint)
