"""`tagwire login`: remember a server's fingerprint and one's token for it."""

from __future__ import annotations

import os
import ssl
import sys

import click

import tagwire
from tagwire.cli.common import verbose_option
from tagwire.config import reach
from tagwire.errors import RemoteError, ServerUnreachable
from tagwire.security import ClientSecurity
from tagwire.security.client import TOKEN
from tagwire.security.fingerprint import fingerprint as fingerprint_of
from tagwire.security.known import KnownServers


@click.command("login")
@click.argument("server", metavar="HOST[:PORT]")
@click.option("--fingerprint", help="What `tagwire keys fingerprint` says at the server; without it you are asked.")
@click.option("--renew", is_flag=True, help="The server has a new identity: forget the old one first.")
@click.option("--tls/--no-tls", default=None, help="Whether to encrypt; without it, to other computers always.")
@click.option("--forget", is_flag=True, help="Forget the server and the token instead.")
@verbose_option
def command(server: str, fingerprint: str | None, renew: bool, tls: bool | None, forget: bool) -> None:
    """Remember a server and your token for it, so that connect() needs neither again.

    Asks whether the server is the right one, then for the token (or reads TAGWIRE_TOKEN, or the first line of standard
    input), tries it, and stores both in a file that only you can read.

    \b
    Examples:
      tagwire login lab-pc
      tagwire login lab-pc --renew            after the server got a new identity
      tagwire login lab-pc --forget
    """
    known, where = KnownServers(), reach(server, tls=tls, fingerprint=fingerprint)
    if forget:
        was_known = known.forget(where.host, where.port)
        click.echo(f"{server} is forgotten." if was_known else f"{server} was not known.")
        return
    if renew and not fingerprint:
        where.fingerprint = ""
    seen = _trusted_fingerprint(where) if where.tls else ""
    token = _token()
    with tagwire.connect(
        where.host, where.port, token=token, tls=where.tls, fingerprint=seen or None
    ):  # raises when the server does not know the token
        known.remember(where.host, where.port, fingerprint=seen, token=token, plain=not where.tls)
    click.echo(f"Logged in: tagwire.connect({server!r}) works from now on.")


def _trusted_fingerprint(server: ClientSecurity) -> str:
    """The fingerprint that the server shows, once the user or what is known says that it is right."""
    try:
        certificate = server.trusted_certificate(remember=False)
    except RemoteError:
        raise
    except OSError as error:
        raise ServerUnreachable(f"nobody answers at {server.host}:{server.port} ({error})") from error
    seen = fingerprint_of(ssl.PEM_cert_to_DER_cert(certificate.decode()))
    if not server.fingerprint:
        click.echo(f"The server at {server.host}:{server.port} shows the fingerprint\n  {seen}", err=True)
        click.confirm("Does `tagwire keys fingerprint` say the same there?", abort=True, err=True)
    return seen


def _token() -> str:
    if token := os.environ.get(TOKEN):
        return token
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()
