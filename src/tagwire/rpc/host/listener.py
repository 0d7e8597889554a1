"""A TCP listener that gives every connection a thread of its own, and notices dead peers within seconds."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable

from tagwire.rpc.keepalive import prepare

log = logging.getLogger(__name__)

_LOOK_S = 0.5
"""How often the listener looks whether it was closed; not every system wakes it up."""


def peer_is_gone(sock: socket.socket) -> bool:
    """Whether the peer has closed; asks without waiting and without consuming what it sent."""
    try:
        sock.setblocking(False)
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            sock.setblocking(True)


class Listener:
    """Accepts connections and calls ``serve(sock)`` for each, in its own thread.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one.
    most
        Connections that may be open at once.
    """

    def __init__(self, host: str, port: int, serve: Callable[[socket.socket], None], most: int = 3000) -> None:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self._sock = socket.create_server(address[:2], family=family, backlog=128)
        self._serve = serve
        self._most = most
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._sock.settimeout(_LOOK_S)
        self._closing = threading.Event()
        self.address: tuple[str, int] = self._sock.getsockname()[:2]

    def run(self) -> None:
        """Accept until `close`."""
        while not self._closing.is_set():
            try:
                sock, _ = self._sock.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._closing.wait(_LOOK_S):
                    log.error("accepting a connection failed: %s", error)
                continue
            self._start(sock)

    def close(self, timeout: float = 2.0) -> None:
        """Close all connections; threads still inside a call get `timeout` seconds together to notice."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        with self._lock:
            connections = dict(self._open)
        for sock in connections:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + timeout
        for thread in connections.values():
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, sock: socket.socket) -> None:
        thread = threading.Thread(target=self._run_connection, args=(sock,), daemon=True, name="tagwire-connection")
        with self._lock:
            full = self._closing.is_set() or len(self._open) >= self._most
            if not full:
                self._open[sock] = thread
        if full:
            log.warning("a connection was refused: %d are open", self._most)
            sock.close()
            return
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            log.exception("a connection was refused")
            with self._lock:
                del self._open[sock]
            sock.close()

    def _run_connection(self, sock: socket.socket) -> None:
        try:
            prepare(sock)
            self._serve(sock)
        except OSError as error:
            log.debug("a connection ended at once: %s", error)
        except Exception:
            log.exception("a connection ended by an error of the server")
        finally:
            with self._lock:
                del self._open[sock]
            sock.close()
