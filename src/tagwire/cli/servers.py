"""`tagwire servers`: which servers there are."""

from __future__ import annotations

import click

from tagwire.cli.common import verbose_option


@click.command("servers")
@click.option("--timeout", type=click.FloatRange(0, 60, min_open=True), default=2.0, show_default=True, help="Seconds.")
@click.option("--mdns", is_flag=True, help="Ask the local network, too.")
@verbose_option
def command(timeout: float, mdns: bool) -> None:
    """Show the servers of the configuration and those used before; with --mdns, those that announce themselves, too.

    A server announces itself by mDNS if it was started with --announce. To ask for that, which goes to the whole
    local network, the extra is needed: pip install 'tagwire[discovery]'.

    \b
    Examples:
      tagwire servers
      tagwire servers --mdns     ask the local network, too
    """
    from tagwire.discovery import servers

    found = servers(timeout, mdns)
    for server in found:
        facts = (f"{server.name:<20}", f"{server.address!s:<28}", "TLS  " if server.tls else "plain", server.source)
        click.echo("  ".join([*facts, server.library]).rstrip())
    if not found:
        click.echo(
            "No server is configured or known"
            + (", and none announces itself." if mdns else "; --mdns asks the network.")
        )
