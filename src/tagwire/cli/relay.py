"""`tagwire relay` and `tagwire bridge`: the stream of another server, for more clients or other programs."""

from __future__ import annotations

import logging
import signal
import threading

import click

from tagwire.cli.access import Access, access_options
from tagwire.cli.common import Address, verbose_option
from tagwire.cli.streaming import MODES, access_mode_option
from tagwire.config import stream_address
from tagwire.core.address import STREAM_PORT
from tagwire.errors import ArgumentError

READY = "ready"


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> Address:
    try:
        return stream_address(value)
    except ArgumentError as error:
        raise click.BadParameter(str(error)) from error


def _channels(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no list of channel numbers like 1,2,-3") from error


_channels_option = click.option(
    "--channels",
    default="",
    callback=_channels,
    help="Only these channels, like 1,2,-3; all that there are by default.",
)


@click.command("relay")
@click.argument("server", callback=_address)
@click.option("--host", default="localhost", show_default=True, help="Address to listen on; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(0, 65535), default=STREAM_PORT, show_default=True, help="0: any free one.")
@_channels_option
@access_mode_option
@access_options
@verbose_option
def relay(server: Address, host: str, port: int, channels: tuple[int, ...], stream_access: str, access: Access) -> None:
    """Serve the stream of another server to more clients, until Ctrl-C.

    Each channel crosses the network from SERVER once, however many clients the relay has. What the relay itself misses
    its clients are told: the counts add up from end to end.

    \b
    Examples:
      tagwire relay labpc                            all channels, for this computer
      tagwire relay labpc --host 0.0.0.0             for other computers; needs keys: tagwire keys --help
      tagwire relay labpc --channels 1,2 --port 0    two channels, at any free port
    """
    from tagwire.core.enums import AccessMode
    from tagwire.tagger.relaying import Relay

    _prepare()
    security = access.security(host)
    mode = AccessMode[MODES[stream_access]]
    try:
        with Relay(str(server), mode, channels, Address(host, port), security) as running:
            click.echo(f"Relaying the stream of {server} ({mode.name}).")
            click.echo(f"{READY} at {running.server.address}; Ctrl-C ends the relay")
            _wait()
    except KeyboardInterrupt:
        click.echo("Stopped.")


@click.command("bridge")
@click.argument("server", callback=_address)
@click.option("--port", type=click.IntRange(0, 65535), default=41110, show_default=True, help="0: any free one.")
@_channels_option
@verbose_option
def bridge(server: Address, port: int, channels: tuple[int, ...]) -> None:
    """Pass the tags of a stream server on to programs of this computer that read Arrow, until Ctrl-C.

    Each program that connects to the port gets an Arrow IPC stream with the columns time, channel, type and missed.
    docs/other-programs.md shows how MATLAB, Julia, LabVIEW and others read it.

    \b
    Examples:
      tagwire bridge labpc                  all channels, at port 41110 of this computer
      tagwire bridge labpc --channels 1,2   two channels
    """
    from tagwire.network.bridge import Bridge

    _prepare()
    running = Bridge(server, Address("127.0.0.1", port), channels)
    click.echo(f"Passing on the stream of {server}.")
    click.echo(f"{READY} at {running.address}; Ctrl-C ends the bridge")
    try:
        running.run()
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _prepare() -> None:
    logging.basicConfig(format="%(levelname)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _wait() -> None:
    """Until Ctrl-C."""
    forever = threading.Event()
    while not forever.wait(0.5):  # a wait without end would not let Ctrl-C through everywhere
        pass
