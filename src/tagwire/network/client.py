"""The client's end of a connection to one stream server, over Arrow Flight."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from secrets import token_hex
from typing import Any, TypeVar

import pyarrow as pa

from tagwire.config import PORT, read_configuration
from tagwire.core.address import STREAM_PORT, Address, parse_address
from tagwire.engine.fences import WAIT_SLICE
from tagwire.errors import AccessRefused, ConnectionBroken, EndOfFeed, ProtocolError, ServerUnreachable
from tagwire.network import values
from tagwire.network.frame import VERSION, Frame, Resume, frames_of
from tagwire.network.transport import flight
from tagwire.security import ClientSecurity, client_security
from tagwire.security.identity import TLS_NAME
from tagwire.security.known import KnownServers
from tagwire.security.places import is_loopback

logger = logging.getLogger(__name__)

TIMEOUT_S = 10.0
"""Seconds within which a server has to answer."""

HANDSHAKE_S = 2.0
"""Seconds that a server of this computer gets to show whether it speaks TLS."""

_PLAIN_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a connection of HTTP/2, and so of gRPC, begins."""

_PLAIN_ANSWER = b"\0"

_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),  # else one connection's failures would slow down the next one's attempts
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
]

_T = TypeVar("_T")


class Connection:
    """A stream server, as a client sees it. Any thread may use it.

    Parameters
    ----------
    address
        Where it is. Nothing is sent before the first question.

    Attributes
    ----------
    name
        What the client calls itself; new for each connection.
    renewals
        How often the connection was given up for a new one.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = token_hex(8)
        self.renewals = 0
        self._lock = threading.Lock()
        self._client: Any = None
        self._security = _security(address)

    def ask(self, action: str, request: Mapping[str, Any] | None = None, timeout: float | None = TIMEOUT_S) -> Any:
        """The server's answer to an action; Ctrl-C interrupts the wait.

        Raises
        ------
        ServerUnreachable, ConnectionBroken, AccessRefused
            (RuntimeError) There is no answer.
        Exception
            What the server says went wrong.
        """
        body = values.packed({"client": self.name, **(request or {})})

        def act() -> Any:
            with _translated(self.address):
                results = list(self._flight().do_action(flight.Action(action, body), self._call(timeout)))
                if len(results) != 1:
                    raise ProtocolError(f"{self.address} gave {len(results)} answers")
                return values.result(results[0].body.to_pybytes())

        return _interruptible(act)

    def call(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a method of the server's Time Tagger; takes as long as the method does."""
        return self.ask("call", {"method": method, "args": list(args), "kwargs": dict(kwargs)}, timeout=None)

    def open(self, channels: Sequence[int], resume: Resume | None = None) -> FrameStream:
        """The stream of some channels from now on, or from where an earlier one broke off.

        Raises
        ------
        ServerUnreachable, ConnectionBroken, AccessRefused
            (RuntimeError) There is no answer.
        ArgumentError
            (ValueError) The server does not offer one of the channels.
        """
        asked = {
            "channels": list(channels),
            "encoding": "packed",
            "client": self.name,
            "resume": asdict(resume) if resume else None,
        }

        def begin() -> FrameStream:
            with _translated(self.address):
                reader = self._flight().do_get(flight.Ticket(values.packed(asked)), self._call(None))
                return FrameStream(reader, self.address)

        return _interruptible(begin, TIMEOUT_S)

    def renew(self) -> None:
        """Forget the connection, so that the next question makes a new one."""
        with self._lock:
            client, self._client = self._client, None
            self.renewals += 1
        if client is not None:
            client.close()

    def _call(self, timeout: float | None) -> Any:
        token = self._security.token
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        return flight.FlightCallOptions(timeout=timeout, headers=headers)

    def _flight(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _connect(self.address, self._security)
            return self._client


class FrameStream:
    """Frames as they come from a server; for one thread, though any may cancel it.

    Attributes
    ----------
    greeting
        What the server said first: epoch, feed, channels, number, begin, counts, within.
    """

    def __init__(self, reader: Any, address: Address) -> None:
        self._reader, self._address = reader, address
        try:
            chunk = reader.read_chunk()
        except StopIteration:
            raise EndOfFeed(f"{address} ended the stream") from None
        if chunk.app_metadata is None:
            raise ProtocolError(f"{address} began a stream without a greeting")
        self.greeting: dict[str, Any] = values.unpacked(chunk.app_metadata.to_pybytes())
        spoken = self.greeting.get("version") if isinstance(self.greeting, dict) else None
        if spoken != VERSION:
            raise ProtocolError(
                f"{address} sends version {spoken} of the stream, but this client knows version {VERSION}: update the "
                "older of the two"
            )

    def read(self) -> list[tuple[int, Frame]]:
        """The next frames, each with the epoch of its server; none as a sign of life.

        Raises
        ------
        EndOfFeed
            (RuntimeError) The server ended the stream, or it was cancelled here.
        ConnectionBroken, ServerUnreachable
            (RuntimeError) The connection is gone.
        """
        try:
            with _translated(self._address):
                chunk = self._reader.read_chunk()
        except StopIteration:
            raise EndOfFeed(f"{self._address} ended the stream") from None
        if chunk.app_metadata is None or chunk.data is None:
            return []
        column = chunk.data.column(0)
        data = [memoryview(column[i].as_buffer()) for i in range(len(column))]
        return frames_of(memoryview(chunk.app_metadata), data)

    def cancel(self) -> None:
        """Give the stream up; `read` then raises."""
        self._reader.cancel()


class _translated:  # noqa: N801 - used as a statement
    """Raises what Flight raises as an error of ours."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, flight.FlightUnauthenticatedError | flight.FlightUnauthorizedError):
            raise AccessRefused(f"{self._address}: {_first_line(error)}") from None
        if isinstance(error, flight.FlightUnavailableError | flight.FlightTimedOutError):
            raise unreachable(self._address, _first_line(error)) from None
        if isinstance(error, flight.FlightServerError) and error.extra_info:
            values.result(error.extra_info)
        if isinstance(error, pa.ArrowException | flight.FlightError):
            raise ConnectionBroken(f"the connection to {self._address} broke: {_first_line(error)}") from None


def unreachable(address: Address, why: str) -> ServerUnreachable:
    """The error that says what to start where nobody answers."""
    usual = (
        f"; {PORT} is usually the port of the RPC, and {STREAM_PORT} that of the stream" if address.port == PORT else ""
    )
    return ServerUnreachable(
        f"no stream server answers at {address} ({why}). Start one there: tagger.startServer(AccessMode.Listen), or "
        f"`tagwire serve --stream` on the command line; the port is {address.port} in both{usual}"
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition(". Detail:")[0].partition("gRPC client debug")[0].strip().rstrip(".") or repr(error)


def _interruptible(action: Callable[[], _T], limit: float | None = None) -> _T:
    """The result of an action that waits for the network, in a thread, so that Ctrl-C is heard meanwhile."""
    done = threading.Event()
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="tagwire-question", daemon=True).start()
    waited = 0.0
    while not done.wait(WAIT_SLICE):
        waited += WAIT_SLICE
        if limit is not None and waited >= limit:
            raise ConnectionBroken(f"there was no answer within {limit:g} s")
    if errors:
        raise errors[0]
    return results[0]


def _security(address: Address) -> ClientSecurity:
    """How to reach a server, as far as it is known before the first connection."""
    configured = (s.fingerprint for s in read_configuration().servers.values() if s.stream.host == address.host)
    found = client_security(*address, fingerprint=next(filter(None, configured), None))
    _borrow(found, secure=found.tls)
    return found


def _borrow(security: ClientSecurity, secure: bool) -> None:
    """What is known of another server of Tagwire's at the same computer holds for this one, too.

    A token goes with the fingerprint of whom it is for, so it is not shown where there is no TLS: any program of this
    computer could listen there.
    """
    if security.token and security.fingerprint:
        return
    for name, known in KnownServers().list().items():
        same = parse_address(name, security.port).host == security.host.lower()
        if same and (secure or not known.fingerprint):
            security.token = security.token or known.token or None
            security.fingerprint = security.fingerprint or known.fingerprint


def _connect(address: Address, security: ClientSecurity) -> Any:
    """A Flight client; with TLS where the server speaks it or is expected to."""
    expected = replace(security)
    try:
        if not (security.tls or security.fingerprint):
            # On this computer both are usual. A server that is just starting or ending may answer like neither, so what
            # is found holds for this connection only.
            if not (is_loopback(address.host) and _speaks_tls(address)):
                return flight.FlightClient(f"grpc://{address}", generic_options=_OPTIONS)
            _borrow(expected, secure=True)
        certificate = expected.trusted_certificate(TIMEOUT_S)
    except OSError as error:
        raise unreachable(address, error.strerror or str(error)) from error
    security.token, security.fingerprint = expected.token, expected.fingerprint
    return flight.FlightClient(
        f"grpc+tls://{address}", tls_root_certs=certificate, override_hostname=TLS_NAME, generic_options=_OPTIONS
    )


def _speaks_tls(address: Address) -> bool:
    """Whether a server does not answer the greeting of an unencrypted connection as one does that speaks it."""
    try:
        with socket.create_connection(address, TIMEOUT_S) as sock:
            sock.settimeout(HANDSHAKE_S)
            sock.sendall(_PLAIN_GREETING)
            return sock.recv(1) != _PLAIN_ANSWER
    except TimeoutError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True
