"""TLS on a socket that one thread reads while others write.

An `ssl.SSLSocket` may not be used by two threads at once, and a connection of ours is: answers arrive while requests
leave. So TLS stands beside the socket here, under a lock that nobody holds while waiting for the network.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Any

from tagwire.security.identity import TLS_NAME, Identity

_CHUNK = 256 * 1024
"""Bytes that are encrypted before they are sent, and taken from the network at once."""


def server_context(identity: Identity) -> ssl.SSLContext:
    """TLS 1.2 or newer with the identity's certificate; clients are known by tokens, not by certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # connections last; a resumed one would save nothing
    context.load_cert_chain(identity.path)
    return context


def client_context() -> ssl.SSLContext:
    """TLS 1.2 or newer. The certificate is not checked here: whoever uses it compares its fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class SecureSocket:
    """`sock` with TLS, its handshake done; offers what the protocol code uses of a socket.

    One thread may receive while any others send. What `sendall` is given stays together.

    Parameters
    ----------
    sock
        A connected socket; its time limit is changed. It stays the caller's if this raises.
    context
        `client_context` or `server_context`.
    timeout
        Seconds that the whole handshake may take; `TimeoutError` then, `ssl.SSLError` when the peer does not speak TLS.

    Attributes
    ----------
    raw
        The socket below.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, *, server_side: bool, timeout: float) -> None:
        self.raw = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if server_side else TLS_NAME
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side, server_hostname=name)
        self._state = threading.Lock()
        self._sending = threading.Lock()
        self._shake_hands(time.monotonic() + timeout)

    @property
    def peer_certificate(self) -> bytes:
        """The peer's certificate in DER format; empty when it showed none."""
        return self._tls.getpeercert(binary_form=True) or b""

    @property
    def version(self) -> str:
        """``TLSv1.3`` or ``TLSv1.2``."""
        return self._tls.version() or ""

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Up to `size` bytes; empty when the peer has closed.

        Of the flags, MSG_PEEK asks the socket below, before decryption; MSG_WAITALL is not heeded.
        """
        if flags & socket.MSG_PEEK:
            return self.raw.recv(size, flags)
        data = bytearray(min(size, _CHUNK))
        return bytes(memoryview(data)[: self.recv_into(data)])

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0) -> int:
        """Fill `buffer` with what is there; the number of bytes, 0 when the peer has closed."""
        wanted = nbytes or len(buffer)
        while True:
            with self._state:
                try:
                    return int(self._tls.read(wanted, buffer))
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return 0
            self._take()

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`."""
        view = memoryview(data).cast("B")
        with self._sending:
            for start in range(0, len(view), _CHUNK):
                self.raw.sendall(self._encrypted(view[start : start + _CHUNK]))

    def pending(self) -> int:
        """Bytes that can be received without waiting for the network."""
        with self._state:
            return self._tls.pending() + self._incoming.pending

    def close(self) -> None:
        """Close the socket. The end of a message is never told by the end of TLS, so no word of farewell is sent."""
        self.raw.close()

    def __getattr__(self, name: str) -> Any:
        if name in _PASSED_ON:
            return getattr(self.raw, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _shake_hands(self, deadline: float) -> None:
        while True:
            self.raw.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._take()
            except ssl.SSLError:
                self._flush()  # the alert tells the peer why
                raise
            else:
                self._flush()
                return

    def _take(self) -> None:
        """Wait for bytes from the network, after saying what TLS itself has to say."""
        if self._outgoing.pending:
            self._flush()
        data = self.raw.recv(_CHUNK)
        with self._state:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        with self._sending:
            with self._state:
                data = self._outgoing.read()
            if data:
                self.raw.sendall(data)

    def _encrypted(self, data: memoryview) -> bytes:
        with self._state:
            while data:
                data = data[self._tls.write(data) :]
            return self._outgoing.read()


_PASSED_ON = frozenset(
    {"settimeout", "gettimeout", "setblocking", "fileno", "shutdown", "getsockname", "getpeername", "setsockopt"}
)
