"""Remote time tagging: one Time Tagger API, served over the network, with a simulated instrument built in.

``TT = tagwire.connect("lab-pc")`` gives the library of a server, `tagwire.TimeTagger` the one that is built in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagwire import errors
from tagwire._version import __version__

if TYPE_CHECKING:
    from tagwire.discovery import ServerFound
    from tagwire.rpc.client.aio import AsyncModule
    from tagwire.rpc.client.batch import Batch
    from tagwire.rpc.client.module import RemoteModule

__all__ = ["TimeTagger", "__version__", "aconnect", "batch", "connect", "errors", "servers"]


def connect(
    host: str = "localhost",
    port: int = 23000,
    *,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
    session: str | None = None,
) -> RemoteModule:
    """The Time Tagger library of the server at `host`, to be used like the library itself.

    Parameters
    ----------
    host, port
        Where ``tagwire serve`` runs.
    token
        The secret that the server's operator made for you. Without it `TAGWIRE_TOKEN` of the environment counts, then
        what ``tagwire login`` has stored.
    tls
        Whether to encrypt. None: to other computers always, on this one if the server's fingerprint is known.
    fingerprint
        The server has to show this one. Without it the one seen at first use is expected.
    session
        A name under which the server keeps what this client makes until ``TT.session.end()``: come back with the same
        name and find it in ``TT.session.measurements``. Without it everything goes when the client does.

    Raises
    ------
    ServerUnreachable
        Nobody answers there.
    ProtocolError
        What answers is not a Tagwire server, or one of another version.
    ServerNotTrusted
        The server is not the expected one, or does not encrypt.
    AccessRefused
        The server asks for a token, and none or an unknown one was shown.
    ArgumentError, ArgumentKindError
        (ValueError, TypeError) `host` is no name, or `port` no number within [1, 65535].
    """
    from tagwire.rpc.client.module import connect as connect_module

    return connect_module(host, port, token=token, tls=tls, fingerprint=fingerprint, session=session)


async def aconnect(
    host: str = "localhost",
    port: int = 23000,
    *,
    session: str | None = None,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
) -> AsyncModule:
    """As `connect`, for asyncio: every call and every constructor is awaited.

    Parameters and errors are those of `connect`. Use ``async with``, or end it with ``await TT.aclose()``.

    Examples
    --------
    ::

        async with await tagwire.aconnect("lab-pc") as TT:
            tagger = await TT.createTimeTagger()
            counter = await TT.Counter(tagger, [1, 2], 10**9, 100)
            await tagger.sync()
            print(await counter.getData())
    """
    from tagwire.rpc.client.aio import aconnect as connect_module

    return await connect_module(host, port, session=session, token=token, tls=tls, fingerprint=fingerprint)


def batch(module: RemoteModule | None = None) -> Batch:
    """Send many calls with one message, and get their results with one.

    Parameters
    ----------
    module
        The connection that the calls use; not needed.

    Examples
    --------
    Calls are put in by name, and their results asked for behind the block; one that failed raises its error there::

        with tagwire.batch() as b:
            counts = b(counter.getData)
            delay = b(tagger.getInputDelay, 1)
        plot(counts.result(), delay.result())
    """
    from tagwire.rpc.client.batch import Batch

    return Batch(None if module is None else vars(module)["_link"])


def servers(timeout: float = 2.0, *, mdns: bool = False) -> list[ServerFound]:
    """The servers of the configuration, those connected to before, and on request those that announce themselves.

    Parameters
    ----------
    timeout
        Seconds to listen for announcements (``tagwire serve --announce``), within (0, 60].
    mdns
        Whether to ask the local network, by multicast; needs the extra ``discovery``.

    Raises
    ------
    ArgumentError
        (ValueError) `timeout` is out of range.
    NotSupported
        (RuntimeError) `mdns` is true, and the extra is not installed.
    """
    from tagwire.discovery import servers as find_servers

    return find_servers(timeout, mdns)


def __getattr__(name: str) -> Any:
    if name == "TimeTagger":  # loaded on first use: the engine compiles, and a remote client does not need it
        import importlib

        return importlib.import_module("tagwire.TimeTagger")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
