"""Tags of a server for programs of this computer that read Arrow, whatever their language: an IPC stream on a socket.

Each program that connects gets a stream of its own, which begins then: columns ``time`` (ps), ``channel``, ``type`` and
``missed``, as in ``docs/stream-format.md``, in record batches that follow each other without a gap in time.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Collection

import pyarrow as pa

from tagwire.core.address import Address
from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.engine.fences import WAIT_SLICE
from tagwire.errors import ArgumentError, TagwireError
from tagwire.network.batches import COLUMNS, batch
from tagwire.network.client import Connection
from tagwire.network.source import NetworkSource
from tagwire.security.places import is_loopback

logger = logging.getLogger(__name__)

MOST_PROGRAMS = 32
"""Programs that are served at once."""


class Bridge:
    """Listens on this computer and passes the tags of a server on.

    Parameters
    ----------
    server
        Address of the stream server.
    here
        Where to listen, on this computer only; port 0 for any free one.
    channels
        Which to pass on; empty for all that the server offers.

    Attributes
    ----------
    address
        Where it listens.

    Raises
    ------
    ArgumentError
        (ValueError) `here` can be reached from other computers.
    """

    def __init__(self, server: Address, here: Address, channels: Collection[int] = ()) -> None:
        if not is_loopback(here.host):
            raise ArgumentError(f"{here.host} can be reached from other computers; a bridge listens on localhost only")
        offered = Connection(server).ask("info")["exposed channels"]
        if missing := set(channels).difference(offered):
            raise ArgumentError(f"channels {sorted(missing)} are not offered by {server}: it has {offered}")
        self._server, self._channels, self._offered = server, tuple(channels) or tuple(offered), offered
        self._ended = threading.Event()
        self._places = threading.Semaphore(MOST_PROGRAMS)
        self._listener = socket.create_server(here, family=socket.AF_INET6 if ":" in here.host else socket.AF_INET)
        self._listener.settimeout(0.2)
        self.address = Address(here.host, self._listener.getsockname()[1])

    def run(self) -> None:
        """Serve until `close` or Ctrl-C."""
        try:
            while not self._ended.is_set():
                if self._places.acquire(timeout=WAIT_SLICE):  # who finds no place waits in the system's queue
                    self._accept()
        finally:
            self._ended.set()
            self._listener.close()

    def close(self) -> None:
        """End all streams."""
        self._ended.set()

    def _accept(self) -> None:
        try:
            program, _ = self._listener.accept()
        except TimeoutError:
            self._places.release()
            return
        threading.Thread(target=self._serve, args=(program,), name="tagwire-bridge", daemon=True).start()

    def _serve(self, program: socket.socket) -> None:
        try:
            with program:
                program.settimeout(None)
                self._connect(program)
        except TagwireError as error:
            logger.warning("%s", error)
        except OSError as error:
            logger.info("a program has gone: %s", error)
        finally:
            self._places.release()

    def _connect(self, program: socket.socket) -> None:
        source = NetworkSource(Connection(self._server), self._offered)
        try:
            self._pass_on(source, program)
        finally:
            source.close()

    def _pass_on(self, source: NetworkSource, program: socket.socket) -> None:
        source.request(self._channels)
        since = None
        with program.makefile("wb") as file, pa.ipc.new_stream(file, COLUMNS) as stream:
            stream.write_batch(batch(TagBlock.empty(0, 0)))  # so that the program learns the columns at once
            file.flush()
            while not self._ended.is_set():
                source.look_after()
                if not source.wait(0.2):
                    continue
                block = source.read(TIME_MAX // 2, ())
                since = source.carried_since(self._channels) if since is None else since
                if block is None:
                    return
                if since is not None and block.end > since:
                    stream.write_batch(batch(block.take(since, block.end)))
                    file.flush()
