"""The tag stream beside the RPC: `tagwire serve --stream`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tagwire.cli.backend import Backend
from tagwire.cli.common import Address, Function
from tagwire.core.address import STREAM_PORT
from tagwire.errors import NoDevice
from tagwire.security import ServerSecurity

if TYPE_CHECKING:
    from tagwire.rpc.server import Server

MODES = {
    "listen": "Listen",
    "control": "Control",
    "synchronous-listen": "SynchronousListen",
    "synchronous-control": "SynchronousControl",
}
"""Access modes by what to say on the command line."""

access_mode_option = click.option(
    "--stream-access",
    type=click.Choice(list(MODES)),
    default="listen",
    show_default=True,
    help="What clients of the stream may do.",
)


class Stream(NamedTuple):
    """Where the stream is to be served, and what its clients may do; no port: nowhere."""

    port: int | None
    access: str


def stream_options(command: Function) -> Function:
    """Add ``--stream`` and ``--stream-access`` to a command, which gets them as one parameter `stream`."""

    @wraps(command)
    def with_stream(stream: int | None, stream_access: str, **options: Any) -> Any:
        return command(stream=Stream(stream, stream_access), **options)

    option = click.option(
        "--stream",
        type=click.IntRange(0, 65535),
        is_flag=False,
        flag_value=STREAM_PORT,
        metavar="[PORT]",
        help=f"Serve the tags of the Time Tagger, too; at port {STREAM_PORT} unless another is given.",
    )
    decorated: Callable[..., Any] = option(access_mode_option(with_stream))
    return decorated  # type: ignore[return-value]


@contextmanager
def streams_guarded(server: Server, backend: Backend, security: ServerSecurity | None) -> Iterator[None]:
    """While the block runs, streams that clients start ask for tokens where the server does, and mind its controls."""
    if backend.vendor:
        yield
        return
    from tagwire.rpc.host.stream_clients import steer
    from tagwire.tagger.serving import Terms, demand

    guarding = security if security is not None and security.tokens is not None else None
    demand(Terms(guarding, partial(steer, server.service)))
    try:
        yield
    finally:
        demand(Terms())


@contextmanager
def streaming(
    server: Server, backend: Backend, host: str, stream: Stream, security: ServerSecurity | None
) -> Iterator[list[str]]:
    """Serve the stream of the Time Tagger that clients of `server` get, too; gives what to tell about it."""
    if stream.port is None:
        yield []
        return
    from tagwire.core.enums import AccessMode
    from tagwire.rpc.host.objects import Caller

    mode, address = AccessMode[MODES[stream.access]], Address(host, stream.port)
    try:
        lease = server.service.call("createTimeTagger", [], {}, Caller("the stream"))
    except RuntimeError as error:
        raise NoDevice(f"there is no Time Tagger whose tags could be streamed: {error}") from error
    tagger = lease.resource.obj
    if backend.vendor:
        from tagwire.network.access import Access
        from tagwire.network.server import StreamServer
        from tagwire.network.vendor import ApiStation
        from tagwire.rpc.host.stream_clients import steer
        from tagwire.tagger.forwarding import FORWARDED

        station, mind = ApiStation(backend.module, tagger, FORWARDED), partial(steer, server.service, tagger)
        served = StreamServer(station, Access(mode), address, security, steer=mind)
    else:
        from tagwire.tagger.serving import serve_stream

        served = serve_stream(tagger, mode, (), address, security)
    try:
        yield [f"  tag stream         TimeTagger.createTimeTaggerNetwork({str(served.address)!r})   ({mode.name})"]
    finally:
        served.close()
