"""Who uses a server: one program is a `Client`, and what clients own together is a `Session`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tagwire.rpc.host.lending import Lender
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.host.unclaimed import Unclaimed

Push = Callable[[int, object], bool]
"""Sends the value of a subscription to a client, without ever waiting; False when there is no room for it."""


def nowhere(subscription: int, value: object) -> bool:
    """The `Push` of a client that is not connected."""
    return False


@dataclass(eq=False)
class Session:
    """What some clients own together.

    Attributes
    ----------
    id
        New for every session; also the domain in which its objects are seen.
    name
        Empty for one that nobody can come back to by name.
    kept
        Whether it stays when its clients go.
    since
        When it began, in s since 1970.
    clients
        Those that are connected, and those whose grace is not over.
    """

    id: str
    name: str
    principal: str
    kept: bool
    since: float = field(default_factory=time.time)
    clients: set[Client] = field(default_factory=set)


@dataclass(eq=False)
class Client:
    """One program that uses the server, over one connection at a time.

    Attributes
    ----------
    id
        A secret of the client, by which it comes back after its connection broke.
    push
        Where its events go.
    connections
        How many it has now; two for a moment, when it comes back before the server notices that the first is broken.
    known
        Whether it was remembered, with its subscriptions, when its present connection was made.
    resumed
        Whether it found the objects of an earlier connection.
    end
        When it is forgotten, its connection being lost.
    lender
        Shares memory with it, if it runs on this computer.
    """

    id: str
    session: Session
    caller: Caller
    push: Push = nowhere
    connections: int = 0
    known: bool = False
    resumed: bool = False
    since: float = field(default_factory=time.time)
    end: float = math.inf
    gone: bool = False
    lender: Lender = field(default_factory=Lender)
    unclaimed: Unclaimed = field(default_factory=Unclaimed)

    def greeting(self) -> dict[str, Any]:
        """What the client is told of its session, for the answer to its handshake."""
        session = {"id": self.session.id, "name": self.session.name, "since": self.session.since}
        role = str(self.caller.role)
        return {"session": session, "role": role, "resumed": self.resumed, "known": self.known}
