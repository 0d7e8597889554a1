"""`tagwire servers`: which servers there are."""

from __future__ import annotations

import click

from tagwire.cli.common import verbose_option


@click.command("servers")
@click.option("--timeout", type=click.FloatRange(0, 60, min_open=True), default=2.0, show_default=True, help="Seconds.")
@click.option("--no-mdns", is_flag=True, help="Ask nobody; only what is configured or known.")
@verbose_option
def command(timeout: float, no_mdns: bool) -> None:
    """Show the servers of the configuration, those used before, and those that announce themselves.

    A server announces itself by mDNS if it was started with --announce; to hear that, the extra is needed:
    pip install 'tagwire[discovery]'.

    \b
    Examples:
      tagwire servers
      tagwire servers --no-mdns     ask nobody in the network
    """
    from tagwire.discovery import servers

    found = servers(timeout, False if no_mdns else None)
    for server in found:
        facts = (f"{server.name:<20}", f"{server.address!s:<28}", "TLS  " if server.tls else "plain", server.source)
        click.echo("  ".join([*facts, server.library]).rstrip())
    if not found:
        click.echo("No server is configured, known, or announces itself (`tagwire serve --announce`).")
