"""`tagwire serve`: the Time Taggers of this computer, for other computers."""

from __future__ import annotations

import _thread
import errno
import logging
import os
import signal
import socket
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagwire.cli import also as beside
from tagwire.cli.access import Access, access_options, welcome
from tagwire.cli.backend import CHOICES, Backend, Choice, open_backend
from tagwire.cli.common import DEFAULT_PORT, MODEL_KEYS, Address, verbose_option
from tagwire.cli.configured import config_option
from tagwire.cli.presence import Presence, presence_options
from tagwire.cli.streaming import Stream, stream_options, streaming, streams_guarded
from tagwire.errors import TagwireError
from tagwire.security import ServerSecurity

if TYPE_CHECKING:
    from tagwire.rpc.server import Server

READY = "ready"
"""First word of the line after which clients may come."""


@click.command("serve")
@click.option("--backend", type=click.Choice(CHOICES), default="auto", show_default=True, help="Library to serve.")
@click.option("--simulate", type=click.Choice(MODEL_KEYS), help="Model of the simulated Time Tagger.")
@click.option(
    "--replay", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Recording that is fed as if live."
)
@click.option("--speed", type=click.FloatRange(0, min_open=True), help="Speed of the replay; 1 is real time.")
@click.option("--loop", is_flag=True, help="Start the replay again at its end.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The only folder whose files clients may read and write.",
)
@click.option("--also", metavar="[NAME=]FILE.py:OBJECT", multiple=True, help=beside.HELP)
@click.option("--host", default="localhost", show_default=True, help="Address to listen on; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one.")
@click.option(
    "--grace",
    type=click.FloatRange(0, 10**6),
    default=60,
    show_default=True,
    help="Seconds to keep what a client measures when its connection breaks.",
)
@stream_options
@access_options
@presence_options
@config_option("serve")
@click.option("--while-stdin-open", is_flag=True, hidden=True, help="End when standard input ends.")
@verbose_option
def command(
    backend: Choice,
    simulate: str | None,
    replay: Path | None,
    speed: float | None,
    loop: bool,
    data: Path | None,
    also: tuple[str, ...],
    host: str,
    port: int,
    grace: float,
    stream: Stream,
    access: Access,
    presence: Presence,
    while_stdin_open: bool,
) -> None:
    """Serve the Time Taggers of this computer until Ctrl-C.

    Serves the vendor's library where it is installed and finds a Time Tagger, else a simulated one.

    \b
    Examples:
      tagwire serve                                   what is attached, else simulated
      tagwire serve --simulate x                      a simulated Time Tagger X
      tagwire serve --data recordings/                clients may open files of this folder
      tagwire serve --replay hbt.ptu --speed 2 --loop a recording, as if it were live
      tagwire serve --stream                          the tags themselves, too: see createTimeTaggerNetwork
      tagwire serve --also my_lab.py:stage            another instrument too, as TimeTagger.stage
      tagwire serve --host 0.0.0.0                    for other computers; needs keys: tagwire keys --help

    Options are also taken from the environment (TAGWIRE_SERVE_PORT=24000) and from the section [serve] of the
    configuration file, in this order.
    """
    _check_options(backend, simulate, replay, speed, loop)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if while_stdin_open:
        threading.Thread(target=_interrupt_at_end_of_input, daemon=True).start()
    try:
        presence.check(host)
        security = access.security(host)
        for warning in access.warnings():
            click.echo(warning, err=True)
        chosen = _backend(backend, simulate, replay, speed or 1.0, loop)
        click.echo(f"Serving {chosen.name} ({chosen.reason}).")
        _serve(chosen, Address(host, port), data, also, security, grace, stream, presence)
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _check_options(backend: Choice, simulate: str | None, replay: Path | None, speed: float | None, loop: bool) -> None:
    if backend == "vendor" and (simulate or replay):
        raise click.UsageError("--simulate and --replay need Tagwire's own engine: leave --backend vendor out.")
    if simulate and replay:
        raise click.UsageError("--simulate and --replay exclude each other: choose the source of the tags.")
    if not replay and (speed is not None or loop):
        raise click.UsageError("--speed and --loop say how to replay a recording: name it with --replay FILE.")


def _interrupt_at_end_of_input() -> None:
    """Do as Ctrl-C does when whoever holds the other end of standard input is gone."""
    while os.read(0, 1024):
        pass
    _thread.interrupt_main()


def _backend(wanted: Choice, simulate: str | None, replay: Path | None, speed: float, loop: bool) -> Backend:
    """The library to serve, with the instruments that the options name."""
    if replay:
        from tagwire.cli.devices import install_replay

        install_replay(replay, speed, loop)
        pace = f"at {speed:g} times real speed" + (", again and again" if loop else "")
        return replace(open_backend("simulated"), name=f"the recording {replay.name} as if it were live", reason=pace)
    if simulate:
        from tagwire.cli.devices import install_simulated

        install_simulated(simulate)
        return replace(open_backend("simulated"), reason=f"model {simulate}")
    return open_backend(wanted)


def _serve(
    backend: Backend,
    address: Address,
    data: Path | None,
    also: tuple[str, ...],
    security: ServerSecurity | None,
    grace: float,
    stream: Stream,
    presence: Presence,
) -> None:
    """Serve until KeyboardInterrupt."""
    from tagwire.rpc.server import Server

    others = beside.load_all(also)
    try:
        server = Server(
            backend.module, address.host, address.port, data, session_grace=grace, security=security, also=others
        )
    except OSError as error:
        raise TagwireError(_cannot_listen(address, error)) from error
    warm = nullcontext() if backend.vendor else _warmed_up()
    here = Address(address.host, server.port)
    tags = streaming(server, backend, address.host, stream, security)
    guarded = streams_guarded(server, backend, security)
    with warm, guarded, tags as tag_lines, presence.shown(here, _library(server), security) as known:
        named = [f"  also               TimeTagger.{name}" for name in others]
        for line in [*_welcome(here, data, security), *named, *tag_lines, *known, ""]:
            click.echo(line)
        click.echo(f"{READY} at {here}; Ctrl-C ends the server")
        server.serve_forever()


def _library(server: Server) -> str:
    catalog = server.service.catalog
    return f"{catalog.library} {catalog.version}"


def _warmed_up() -> AbstractContextManager[None]:
    from tagwire.cli.warmup import warmed_up

    click.echo("Compiling kernels (takes a while only the first time) ...")
    return warmed_up()


def _cannot_listen(address: Address, error: OSError) -> str:
    """What to do about an address that cannot be had."""
    if isinstance(error, socket.gaierror):
        return f"--host {address.host} is not an address of this computer: {error.strerror}"
    advice = {
        errno.EADDRINUSE: (
            f"something listens on port {address.port} already, perhaps another `tagwire serve` "
            f"(`tagwire info {address}` tells); choose another port with --port, or any free one with --port 0"
        ),
        errno.EACCES: f"port {address.port} is reserved for the system; choose one above 1023 with --port",
        errno.EADDRNOTAVAIL: f"{address.host} is not an address of this computer; choose another --host",
    }
    return f"cannot listen at {address}: {advice.get(error.errno or 0, str(error))}"


def _welcome(here: Address, data: Path | None, security: ServerSecurity | None) -> list[str]:
    """How clients reach the server, ready to be copied."""
    host = socket.gethostname() if here.host in ("", "0.0.0.0", "::") else here.host
    there = Address(host, here.port)
    files = (
        f"Clients may read and write files in {data.resolve()}." if data else "Clients may use no files (see --data)."
    )
    plain = f'  plain Pyro5        TimeTagger = Pyro5.api.Proxy("PYRO:TimeTagger@{there}")'
    return [
        files,
        "",
        f"  Tagwire client     TimeTagger = tagwire.connect({host!r}, {here.port})",
        *([plain] if security is None or security.lets_plain_in() else []),
        *welcome(security, str(there)),
        f"  existing script    tagwire run --remote {there} script.py",
    ]
