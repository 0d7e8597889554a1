"""Answers connections: Pyro5's protocol for plain Pyro clients, Tagwire's own for clients of `tagwire.connect`.

Both begin with Pyro5's handshake, whose data tells them apart. Written on Pyro5's message and serializer modules
instead of its ``Daemon``, because that one decodes requests before it knows whom it talks to (see `.pyro`),
lets one worker's annotations leak into another's answer, and has a fixed small pool of workers.
"""

from __future__ import annotations

import logging
import socket
import time
import traceback
from dataclasses import dataclass
from functools import partial
from typing import Any

from Pyro5 import errors as pyro_errors
from Pyro5 import protocol
from Pyro5.core import DAEMON_NAME

from tagwire.core.faults import to_builtin
from tagwire.rpc.host import pyro
from tagwire.rpc.host.clients import ENTRY, Clients, Guest
from tagwire.rpc.host.doors import DOORS, About, Door, Entry, Exposed, Instance, Space
from tagwire.rpc.host.gate import Gate
from tagwire.rpc.host.lifetimes import Lifetimes
from tagwire.rpc.host.listener import peer_is_gone
from tagwire.rpc.host.objects import Caller, Lease
from tagwire.rpc.host.onlooker import Onlooker
from tagwire.rpc.host.publisher import Publisher
from tagwire.rpc.host.scheduler import Scheduler
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.sessions import GRACE_S, Sessions
from tagwire.rpc.limits import Limits
from tagwire.rpc.wire import Handle
from tagwire.security.authenticator import peer_address

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Peer:
    sock: pyro.Socket
    caller: Caller
    target: str = ""
    guest: Guest | None = None


class Daemon:
    """Serves the connections of a server.

    Parameters
    ----------
    grace
        Seconds that an object of a plain Pyro client outlives its last connection.
    gate, limits
        Who may come in, and how much of the server one may take up.
    session_grace
        Seconds that the objects of a client of ours outlive a connection that broke.

    Attributes
    ----------
    sessions
        Of Tagwire's own clients.
    tasks
        What has to run, each in a thread of its own, until `close`.
    """

    def __init__(
        self, service: Service, grace: float, gate: Gate, limits: Limits, session_grace: float = GRACE_S
    ) -> None:
        self._service = service
        self._gate = gate
        self._limits = limits
        self._scheduler = Scheduler()
        clock, changed = self._scheduler.clock, self._scheduler.wake
        self.sessions = Sessions(service, session_grace, limits, clock, changed)
        self._lifetimes = Lifetimes(self._expire, grace, clock, changed)
        self._scheduler.add(self._lifetimes.end_due)
        self._scheduler.add(self.sessions.end_due)
        self._scheduler.add(service.controls.end_due)
        self._looking = Scheduler()  # of its own: the library may take its time to answer
        self._onlooker = Onlooker()
        publisher = Publisher(service, self._looking.clock, self._looking.wake, self._onlooker.make)
        self._looking.add(publisher.look)
        self.sessions.listen(publisher.client_changed)
        self.clients = Clients(service, self.sessions, publisher, gate.admit_client, limits)
        self.tasks = (self._scheduler.run, self._look, self.clients.watch.run)
        self._stock = Caller("plain Pyro clients")
        self._objects: dict[str, Exposed] = {DAEMON_NAME: About(self._metadata)}

        for name, arrays in DOORS.items():
            self._open_door(name, Door(service, arrays, self._present))

    def serve(self, raw: socket.socket) -> None:
        """Answer one connection until it ends."""
        address = location(*raw.getsockname()[:2])
        peer = _Peer(raw, Caller("a plain Pyro client", "", address, gone=lambda: peer_is_gone(raw)))
        try:
            with self._gate.lobby.waiting(raw, peer_address(raw)):
                peer.sock = self._gate.secured(raw)
                if not self._handshake(peer):
                    return
            raw.settimeout(None)
            if peer.guest is not None:
                self.clients.converse(peer.guest)
                return
            while True:
                self._request(peer)
        except pyro.ConnectionLost as error:
            log.debug("connection to %s ended: %s", peer.target or "nobody", error)
        finally:
            if peer.target and peer.guest is None:
                self._lifetimes.disconnected(peer.target, peer.caller)
            self._gate.left(peer.sock)

    def close(self) -> None:
        """Let the tasks end."""
        self._scheduler.close()
        self._looking.close()
        self.clients.watch.close()

    def _look(self) -> None:
        """Look at what is watched, until `close`."""
        try:
            self._looking.run()
        finally:
            self._onlooker.close()

    def _open_door(self, name: str, door: Door) -> None:
        spaces: dict[str, Space] = {}
        for space in self._service.catalog.namespaces:
            inside = self._objects[f"{name}.{space}"] = Entry(door, space)
            spaces[space] = partial(_proxy, f"{name}.{space}", inside)
        for lease in self._service.instruments.leases():
            beside = self._objects[f"{name}.{lease.id}"] = Instance(door, lease)
            self._objects.setdefault(lease.id, beside)
            spaces[lease.id] = partial(_proxy, f"{name}.{lease.id}", beside)
        self._objects[name] = Entry(door, spaces=spaces)

    def _handshake(self, peer: _Peer) -> bool:
        deadline = time.monotonic() + self._limits.handshake_s
        message = pyro.receive(peer.sock, (protocol.MSG_CONNECT,), pyro.HANDSHAKE_LIMIT, deadline)
        try:
            pyro.check(message)
            self._gate.check_form(message.serializer_id, peer.sock)
            data, peer.target = pyro.load_handshake(message)
            greeting = self._greet(peer, data)
        except Exception as error:
            reason = pyro.text(error)
            log.info("a connection was refused: %.200s", reason)
            told: object = {"kind": type(error).__name__, "message": reason} if peer.target == ENTRY else reason
            pyro.send(peer.sock, protocol.MSG_CONNECTFAIL, message, pyro.dump(message, told))
            return False
        answer = {"handshake": greeting, "meta": None if peer.guest else self._metadata(peer.target)}
        try:
            pyro.send(peer.sock, protocol.MSG_CONNECTOK, message, pyro.dump(message, answer))
        except BaseException:
            if peer.guest is not None:
                self.clients.leave(peer.guest)
            raise
        return True

    def _greet(self, peer: _Peer, data: Any) -> object:
        if peer.target == ENTRY:
            peer.guest, told = self.clients.greet(peer.sock, data)
            return told
        self._gate.admit_plain(peer.sock)
        if peer.target not in self._objects:
            raise pyro.Refused(f"there is no object {peer.target!r} here; it may have been freed")
        self._lifetimes.connected(peer.target)
        return "hello"

    def _request(self, peer: _Peer) -> None:
        message = pyro.receive(peer.sock, (protocol.MSG_INVOKE, protocol.MSG_PING), pyro.PLAIN_REQUEST_LIMIT)
        if message.type == protocol.MSG_PING:
            pyro.send(peer.sock, protocol.MSG_PING, message, b"pong")
            return
        flags, payload = self._answer_stock(peer, message)
        pyro.send(peer.sock, protocol.MSG_RESULT, message, payload, flags)

    def _answer_stock(self, peer: _Peer, message: Any) -> tuple[int, bytes]:
        try:
            pyro.check(message)
            requests = pyro.load_requests(message)
            if message.flags & pyro.BATCH:
                return pyro.BATCH, pyro.dump(message, self._batch(requests, peer))
            return 0, pyro.dump(message, self._call(requests[0], peer.caller))
        except Exception as error:
            return pyro.EXCEPTION, pyro.dump(message, _for_pyro(error))

    def _batch(self, requests: list[pyro.Request], peer: _Peer) -> list[object]:
        results: list[object] = []
        for request in requests:
            try:
                results.append(self._call(request, peer.caller))
            except Exception as error:
                return [*results, pyro.batch_failure(_for_pyro(error))]
        return results

    def _call(self, request: pyro.Request, caller: Caller) -> object:
        target = self._objects.get(request.target)
        if target is None:
            raise pyro_errors.DaemonError(f"there is no object {request.target!r} here; it may have been freed")
        if request.method == "__getattr__" and request.args[0] in target.attributes:
            return target.get(request.args[0], caller)
        if request.method == "__setattr__" and request.args[0] in target.attributes:
            target.set(request.args[0], request.args[1], caller)
            return None
        if request.method not in target.methods:
            raise AttributeError(f"there is nothing named {request.method!r} here")
        return target.invoke(request.method, request.args, request.kwargs, caller)

    def _metadata(self, object_id: str) -> dict[str, Any]:
        target = self._objects.get(object_id)
        if target is None:
            raise pyro_errors.DaemonError(f"there is no object {object_id!r} here; it may have been freed")
        return {"methods": sorted(target.methods), "attrs": sorted(target.attributes), "oneway": []}

    def _present(self, lease: Lease, door: Door) -> object:
        self._lifetimes.born(lease.id, lease.caller)
        lease.on_release = partial(self._withdraw, lease.id)  # not a function around the lease: that were a cycle
        exposed = self._objects[lease.id] = Instance(door, lease)
        return _proxy(lease.id, exposed, lease.caller)

    def _withdraw(self, object_id: str) -> None:
        self._objects.pop(object_id, None)
        self._lifetimes.gone(object_id)

    def _expire(self, object_id: str) -> None:
        log.debug("the last connection to object %s is gone", object_id)
        self._service.release(Handle(object_id), self._stock)


def location(host: str, port: int) -> str:
    """``host:port`` as it stands in a URI."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _proxy(object_id: str, exposed: Exposed, caller: Caller) -> object:
    return pyro.proxy(object_id, caller.address, exposed.methods, exposed.attributes)


def _for_pyro(error: Exception) -> Exception:
    """The error as a plain Pyro client can rebuild it, with the traceback where Pyro looks for it."""
    plain = error if isinstance(error, pyro_errors.PyroError) else to_builtin(error)
    plain.args = tuple(pyro.text(arg) if isinstance(arg, str) else arg for arg in plain.args)
    plain._pyroTraceback = [pyro.text(line) for line in traceback.format_exception(error)]  # type: ignore[union-attr]
    return plain
