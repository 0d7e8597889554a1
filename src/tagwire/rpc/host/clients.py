"""The connections of Tagwire's own clients at the server: greeting, conversation, farewell."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tagwire.errors import ProtocolError
from tagwire.rpc.capabilities import features, place
from tagwire.rpc.host import pyro
from tagwire.rpc.host.conversation import Conversation
from tagwire.rpc.host.lending import Lender
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.host.operations import Operations
from tagwire.rpc.host.publisher import Publisher
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client
from tagwire.rpc.host.session_operations import SessionOperations
from tagwire.rpc.host.sessions import Sessions
from tagwire.rpc.host.tag_columns import tag_columns
from tagwire.rpc.host.watch import Watch
from tagwire.rpc.limits import Limits
from tagwire.rpc.message import Message, Octets
from tagwire.rpc.wire import PROTOCOL
from tagwire.security import Principal

ENTRY = "tagwire"
"""Object id of the entry for our own clients."""

Admit = Callable[[dict[str, Any], Any], Principal]
"""Who greets with this on this socket; raises when it may not come in."""


class Guest:
    """A client on one connection."""

    def __init__(
        self, sock: Any, said: Mapping[str, Any], operations: Operations, watch: Watch, limits: Limits
    ) -> None:
        known = said.get("features")
        self.features = [name for name in features() if isinstance(known, list) and name in known]
        here = "shm" in self.features and said.get("place") == place()
        self._request_bytes = limits.request_bytes
        self.lender = Lender()
        self._probe = self.lender.probe() if here else ""
        self._operations = operations
        self._narrow = "narrow" in self.features
        self.client: Client | None = None
        self.conversation = Conversation(sock, self._answer, watch, limits, self._caller)

    def told(self) -> dict[str, Any]:
        """What the client has to know of the connection."""
        told = {"features": self.features, "request_bytes": self._request_bytes}
        return told | ({"probe": self._probe} if self._probe else {})

    def push(self, subscription: int, value: object) -> bool:
        """Send the value of a subscription; False when too much waits already."""
        beside: list[Octets] = []
        data = self._operations.codec().pack([subscription, value], beside, narrow=self._narrow)
        return self.conversation.pushes.push(data, beside)

    def _caller(self) -> Caller:
        assert self.client is not None
        return self.client.caller

    def _answer(self, request: Message, waits: Callable[[], object]) -> tuple[bool, bytes, list[Octets | bytes]]:
        assert self.client is not None
        return self._operations.answer(request, self.client, waits, self._narrow and not self.lender.lends)


class Clients:
    """All of them.

    Parameters
    ----------
    admit
        Finds out who somebody is.
    limits
        How much of the server one client may take up.

    Attributes
    ----------
    life
        Another one each time that the server is started.
    """

    def __init__(
        self, service: Service, sessions: Sessions, publisher: Publisher, admit: Admit, limits: Limits
    ) -> None:
        self.sessions = sessions
        self.operations = Operations(service, sessions)
        self.operations.register({"bye": self._bye, "shares": self._shares})
        self.operations.register({"tags": partial(tag_columns, service)})
        self.operations.register(SessionOperations(service, sessions, publisher).table())
        self.watch = Watch(limits)
        self.life = secrets.token_hex(8)
        self._admit = admit
        self._limits = limits
        self._leaving: weakref.WeakSet[Client] = weakref.WeakSet()

    def greet(self, sock: Any, said: Any) -> tuple[Guest, dict[str, Any]]:
        """Take in a client that says `said`; what it is told. Raises what is to be told to somebody who is refused."""
        if not isinstance(said, dict) or "tagwire" not in said:
            raise pyro.Refused(f"the object {ENTRY!r} is for clients made by tagwire.connect; use 'TimeTagger' instead")
        if said["tagwire"] != PROTOCOL:
            raise ProtocolError(f"this server speaks version {PROTOCOL} of the protocol, the client another one")
        principal = self._admit(said, sock)
        guest = Guest(sock, said, self.operations, self.watch, self._limits)
        try:
            guest.client = self.sessions.join(said, principal, guest.push)
        except BaseException:
            guest.lender.close()
            raise
        guest.client.lender = guest.lender
        told = {"tagwire": PROTOCOL, "server": self.life}
        return guest, told | guest.told() | guest.client.greeting()

    def converse(self, guest: Guest) -> None:
        """Answer until the connection ends."""
        guest.conversation.serve(partial(self.leave, guest))

    def leave(self, guest: Guest) -> None:
        """The connection has ended."""
        assert guest.client is not None
        guest.lender.close()
        self.sessions.leave(guest.client, clean=guest.client in self._leaving)

    def _shares(self, client: Client, read: object) -> None:
        client.lender.prove(read)

    def _bye(self, client: Client) -> None:
        self._leaving.add(client)
